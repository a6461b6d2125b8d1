/* Consumer groups as the broker describes them. */
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/admin_private.h"
#include "kafka/list.h"

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : mr_strdup(text);
}

static void copy_member(const rd_kafka_MemberDescription_t *from, mr_group_member *to)
{
    to->client_id = copy_text(rd_kafka_MemberDescription_client_id(from));
    to->host = copy_text(rd_kafka_MemberDescription_host(from));
    to->instance_id = copy_text(rd_kafka_MemberDescription_group_instance_id(from));
    const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(from);
    const rd_kafka_topic_partition_list_t *list =
        assignment == NULL ? NULL : rd_kafka_MemberAssignment_partitions(assignment);
    if (list == NULL) {
        return;
    }
    to->n_partitions = (size_t)list->cnt;
    to->partitions = mr_alloc_zero(to->n_partitions, sizeof(*to->partitions));
    for (int i = 0; i < list->cnt; i++) {
        to->partitions[i] =
            (mr_topic_partition){mr_strdup(list->elems[i].topic), list->elems[i].partition, -1};
    }
}

static mr_group *copy_group(const rd_kafka_ConsumerGroupDescription_t *from)
{
    mr_group *group = mr_alloc_zero(1, sizeof(*group));
    group->state = mr_strdup(
        rd_kafka_consumer_group_state_name(rd_kafka_ConsumerGroupDescription_state(from)));
    group->n_members = rd_kafka_ConsumerGroupDescription_member_count(from);
    group->members = mr_alloc_zero(group->n_members, sizeof(*group->members));
    for (size_t i = 0; i < group->n_members; i++) {
        copy_member(rd_kafka_ConsumerGroupDescription_member(from, i), &group->members[i]);
    }
    return group;
}

void mr_group_free(mr_group *group)
{
    if (group == NULL) {
        return;
    }
    for (size_t i = 0; i < group->n_members; i++) {
        mr_group_member *member = &group->members[i];
        for (size_t j = 0; j < member->n_partitions; j++) {
            free((char *)(uintptr_t)member->partitions[j].topic);
        }
        free(member->partitions);
        free(member->client_id);
        free(member->host);
        free(member->instance_id);
    }
    free(group->members);
    free(group->state);
    free(group);
}

static mr_status fail_group(const char *group, rd_kafka_resp_err_t code, const char *text,
                            mr_error *err)
{
    const bool is_embedded = code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
    return mr_kafka_fail_text(code,
                              is_embedded ? "the embedded broker does not describe groups" : text,
                              MR_STEP_QUERY, err, "group %s", group);
}

/*
 * librdkafka 2.0.2 writes to memory that it has freed when it describes a group to a broker without
 * that request, which the embedded one is: the older request, which says so, is tried first.
 */
static mr_status check_supported(mr_admin *admin, const char *group, mr_error *err)
{
    enum { VERSION_FIXED = 0x020a01ff };
    if (rd_kafka_version() >= VERSION_FIXED) {
        return MR_OK;
    }
    const struct rd_kafka_group_list *list = NULL;
    const rd_kafka_resp_err_t code =
        rd_kafka_list_groups(admin->handle.rk, group, &list, admin->timeout_ms);
    if (list != NULL) {
        rd_kafka_group_list_destroy(list);
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__PARTIAL) {
        return MR_OK;
    }
    (void)fail_group(group, code, NULL, err);
    return mr_handle_explain(&admin->handle, err);
}

static mr_status take_group(const mr_admin_call *call, const char *group, mr_group **ret_group,
                            mr_error *err)
{
    size_t n = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(call->event), &n);
    if (n != 1) {
        return mr_error_set(err, MR_ERR_KAFKA, "group %s: an answer without the group", group);
    }
    const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    const rd_kafka_resp_err_t code =
        error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND ||
        (code == RD_KAFKA_RESP_ERR_NO_ERROR && rd_kafka_ConsumerGroupDescription_state(groups[0]) ==
                                                   RD_KAFKA_CONSUMER_GROUP_STATE_DEAD)) {
        return MR_NOT_FOUND;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_group(group, code, rd_kafka_error_string(error), err);
    }
    *ret_group = copy_group(groups[0]);
    return MR_OK;
}

mr_status mr_admin_group(mr_admin *admin, const char *group, mr_group **ret_group, mr_error *err)
{
    MR_TRY(check_supported(admin, group, err));
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_DescribeConsumerGroups(admin->handle.rk, &group, 1, call.options, call.queue);
    MR_TRY(mr_admin_call_wait(&call, admin, "describe a group", err));
    return take_group(&call, group, ret_group, err);
}

static mr_status group_deleted(const mr_admin_call *call, const char *group, mr_error *err)
{
    size_t n = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_DeleteGroups_result_groups(rd_kafka_event_DeleteGroups_result(call->event), &n);
    if (n != 1) {
        return mr_error_set(err, MR_ERR_KAFKA, "delete group %s: an answer without the group",
                            group);
    }
    const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[0]);
    const rd_kafka_resp_err_t code =
        error == NULL ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
        return MR_NOT_FOUND;
    }
    if (code == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP) {
        return mr_error_set(err, MR_ERR_USAGE, "group %s has members: stop them first", group);
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : fail_group(group, code, rd_kafka_error_string(error), err);
}

static void delete_group_freep(rd_kafka_DeleteGroup_t **request)
{
    rd_kafka_DeleteGroup_destroy(*request);
}

mr_status mr_admin_delete_group(mr_admin *admin, const char *group, mr_error *err)
{
    MR_CLEANUP(delete_group_freep)
    rd_kafka_DeleteGroup_t *request = rd_kafka_DeleteGroup_new(group);
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DELETEGROUPS);
    rd_kafka_DeleteGroups(admin->handle.rk, &request, 1, call.options, call.queue);
    MR_TRY(mr_admin_call_wait(&call, admin, "delete a group", err));
    return group_deleted(&call, group, err);
}

static mr_status open_group(mr_admin *admin, const char *group, mr_error *err)
{
    if (admin->group_name != NULL && strcmp(admin->group_name, group) == 0) {
        return MR_OK;
    }
    mr_admin_close_group(admin);
    rd_kafka_conf_t *made = NULL;
    MR_TRY(mr_conf_new(&admin->source, RD_KAFKA_CONSUMER, &made, err));
    MR_CLEANUP(mr_conf_freep) rd_kafka_conf_t *conf = made;
    MR_TRY(mr_conf_set(conf, "group.id", group, err));
    /* Asks for stable offsets: waits for transactions that are about to change them. */
    MR_TRY(mr_conf_set(conf, "isolation.level", "read_committed", err));
    MR_TRY(mr_handle_open(&admin->group, RD_KAFKA_CONSUMER, MR_STEAL(&conf), &admin->handle.log,
                          admin->client_id, err));
    admin->group_name = mr_strdup(group);
    return MR_OK;
}

void mr_admin_close_group(mr_admin *admin)
{
    mr_handle_close(&admin->group);
    free(admin->group_name);
    admin->group_name = NULL;
}

/*
 * By a handle with the group's name that never joins it: librdkafka 2.0.2's admin request for this
 * gives no answer when the broker gives none, and hangs when its handle is closed after that.
 */
mr_status mr_admin_committed(mr_admin *admin, const char *group, mr_topic_partition *partitions,
                             size_t n, mr_error *err)
{
    MR_TRY(open_group(admin, group, err));
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(partitions, n);
    const rd_kafka_resp_err_t code = rd_kafka_committed(admin->group.rk, list, admin->timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)mr_kafka_fail_code(code, MR_STEP_QUERY, err, "offsets of group %s", group);
        return mr_handle_explain(&admin->group, err);
    }
    MR_TRY(mr_list_check(list, MR_STEP_QUERY, "committed offset", err));
    mr_list_offsets(list, partitions, n);
    return MR_OK;
}
