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
        to->partitions[i] = (mr_topic_partition){mr_strdup(list->elems[i].topic),
                                                 list->elems[i].partition, -1};
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

mr_status mr_admin_group(mr_admin *admin, const char *group, mr_group **ret_group, mr_error *err)
{
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS);
    rd_kafka_DescribeConsumerGroups(admin->handle.rk, &group, 1, call.options, call.queue);
    MR_TRY(mr_admin_call_wait(&call, admin, "describe a group", err));
    size_t n = 0;
    const rd_kafka_ConsumerGroupDescription_t **groups =
        rd_kafka_DescribeConsumerGroups_result_groups(
            rd_kafka_event_DescribeConsumerGroups_result(call.event), &n);
    if (n != 1) {
        return mr_error_set(err, MR_ERR_KAFKA, "describe group %s: an answer without the group",
                            group);
    }
    const rd_kafka_error_t *error = rd_kafka_ConsumerGroupDescription_error(groups[0]);
    if (error != NULL && rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
        if (code == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
            return MR_NOT_FOUND;
        }
        const bool is_embedded = code == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE;
        return mr_kafka_fail_code(code, MR_STEP_QUERY, err, "describe group %s: %s%s", group,
                                  rd_kafka_error_string(error),
                                  is_embedded ? " (the embedded broker cannot)" : "");
    }
    const rd_kafka_consumer_group_state_t state =
        rd_kafka_ConsumerGroupDescription_state(groups[0]);
    if (state == RD_KAFKA_CONSUMER_GROUP_STATE_DEAD) {
        return MR_NOT_FOUND;
    }
    *ret_group = copy_group(groups[0]);
    return MR_OK;
}

static mr_status copy_committed(const mr_admin_call *call, const char *group,
                                mr_topic_partition *partitions, size_t n_partitions, mr_error *err)
{
    size_t n = 0;
    const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(
        rd_kafka_event_ListConsumerGroupOffsets_result(call->event), &n);
    if (n != 1) {
        return mr_error_set(err, MR_ERR_KAFKA, "offsets of group %s: an answer without the group",
                            group);
    }
    const rd_kafka_error_t *error = rd_kafka_group_result_error(groups[0]);
    if (error != NULL) {
        return mr_kafka_fail_code(rd_kafka_error_code(error), MR_STEP_QUERY, err,
                                  "offsets of group %s", group);
    }
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(groups[0]);
    MR_TRY(mr_list_check(list, MR_STEP_QUERY, "committed offset", err));
    mr_list_offsets(list, partitions, n_partitions);
    return MR_OK;
}

mr_status mr_admin_committed(mr_admin *admin, const char *group, mr_topic_partition *partitions,
                             size_t n, mr_error *err)
{
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(partitions, n);
    rd_kafka_ListConsumerGroupOffsets_t *request =
        rd_kafka_ListConsumerGroupOffsets_new(group, list);
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_error_t *error =
        rd_kafka_AdminOptions_set_require_stable_offsets(call.options, 1);
    if (error != NULL) {
        rd_kafka_error_destroy(error); /* Not for this request: cannot be. */
    }
    rd_kafka_ListConsumerGroupOffsets(admin->handle.rk, &request, 1, call.options, call.queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    MR_TRY(mr_admin_call_wait(&call, admin, "offsets of a group", err));
    return copy_committed(&call, group, partitions, n, err);
}
