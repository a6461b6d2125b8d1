#include "kafka/admin.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/admin_private.h"
#include "kafka/list.h"

mr_status mr_admin_new(const mr_admin_options *options, mr_admin **ret_admin, mr_error *err)
{
    const mr_conf_source source = {options->properties, options->ours, options->n_ours};
    rd_kafka_conf_t *conf = NULL;
    MR_TRY(mr_conf_new(&source, RD_KAFKA_CONSUMER, &conf, err));
    mr_admin *admin = mr_alloc_zero(1, sizeof(*admin));
    admin->timeout_ms = options->timeout_ms;
    admin->source = source;
    admin->client_id = mr_strdup(options->client_id);
    /* A consumer's handle: asking a producer's for metadata of an unknown topic may create it. */
    const mr_status status = mr_handle_open(&admin->handle, RD_KAFKA_CONSUMER, conf, options->log,
                                            options->client_id, err);
    if (status != MR_OK) {
        mr_admin_free(admin);
        return status;
    }
    *ret_admin = admin;
    return MR_OK;
}

void mr_admin_free(mr_admin *admin)
{
    if (admin == NULL) {
        return;
    }
    mr_admin_close_group(admin);
    mr_handle_close(&admin->handle);
    free(admin->client_id);
    free(admin);
}

static rd_kafka_resp_err_t ask_partitions(mr_admin *admin, const char *topic,
                                          int32_t *ret_partitions)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->handle.rk, topic, NULL);
    if (handle == NULL) {
        return rd_kafka_last_error();
    }
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(admin->handle.rk, 0, handle, &metadata, admin->timeout_ms);
    rd_kafka_topic_destroy(handle);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return code;
    }
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err
                                    : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) {
        code = RD_KAFKA_RESP_ERR_NO_ERROR; /* It exists. */
    }
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        *ret_partitions = metadata->topics[0].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return code;
}

mr_status mr_admin_partitions(mr_admin *admin, const char *topic, int32_t *ret_partitions,
                              mr_error *err)
{
    const rd_kafka_resp_err_t code = ask_partitions(admin, topic, ret_partitions);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        return MR_OK;
    }
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return MR_NOT_FOUND;
    }
    (void)mr_kafka_fail_code(code, MR_STEP_QUERY, err, "partitions of topic %s", topic);
    return mr_handle_explain(&admin->handle, err);
}

static mr_status created(const mr_admin_call *call, const char *topic, mr_error *err)
{
    size_t n = 0;
    const rd_kafka_topic_result_t **topics =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(call->event), &n);
    if (n != 1) {
        return mr_error_set(err, MR_ERR_KAFKA, "create topic %s: an answer without the topic",
                            topic);
    }
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[0]);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return MR_END;
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : mr_admin_fail_topic(code, rd_kafka_topic_result_error_string(topics[0]), "create",
                                     topic, err);
}

static void new_topic_freep(rd_kafka_NewTopic_t **topic)
{
    if (*topic != NULL) {
        rd_kafka_NewTopic_destroy(*topic);
    }
}

mr_status mr_admin_create_topic(mr_admin *admin, const char *topic, int32_t partitions,
                                int16_t replication, const mr_topic_config *configs,
                                size_t n_configs, mr_error *err)
{
    char text[256];
    MR_CLEANUP(new_topic_freep)
    rd_kafka_NewTopic_t *new_topic =
        rd_kafka_NewTopic_new(topic, partitions, replication, text, sizeof(text));
    if (new_topic == NULL) {
        return mr_error_set(err, MR_ERR_KAFKA, "create topic %s: %s", topic, text);
    }
    for (size_t i = 0; i < n_configs; i++) {
        const rd_kafka_resp_err_t code =
            rd_kafka_NewTopic_set_config(new_topic, configs[i].name, configs[i].value);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return mr_kafka_fail_code(code, MR_STEP_CONFIGURE, err, "topic %s: %s", topic,
                                      configs[i].name);
        }
    }
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    /* The controller answers when the topic is there, not only noted. */
    (void)rd_kafka_AdminOptions_set_operation_timeout(call.options, admin->timeout_ms, text,
                                                      sizeof(text));
    rd_kafka_CreateTopics(admin->handle.rk, &new_topic, 1, call.options, call.queue);
    MR_TRY(mr_admin_call_wait(&call, admin, "create a topic", err));
    return created(&call, topic, err);
}

static mr_status deleted(const mr_admin_call *call, const char *topic, mr_error *err)
{
    size_t n = 0;
    const rd_kafka_topic_result_t **topics =
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(call->event), &n);
    if (n != 1) {
        return mr_error_set(err, MR_ERR_KAFKA, "delete topic %s: an answer without the topic",
                            topic);
    }
    const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[0]);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return MR_NOT_FOUND;
    }
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : mr_admin_fail_topic(code, rd_kafka_topic_result_error_string(topics[0]), "delete",
                                     topic, err);
}

static void delete_topic_freep(rd_kafka_DeleteTopic_t **request)
{
    rd_kafka_DeleteTopic_destroy(*request);
}

mr_status mr_admin_delete_topic(mr_admin *admin, const char *topic, mr_error *err)
{
    MR_CLEANUP(delete_topic_freep)
    rd_kafka_DeleteTopic_t *request = rd_kafka_DeleteTopic_new(topic);
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DELETETOPICS);
    rd_kafka_DeleteTopics(admin->handle.rk, &request, 1, call.options, call.queue);
    MR_TRY(mr_admin_call_wait(&call, admin, "delete a topic", err));
    return deleted(&call, topic, err);
}

static void delete_records_freep(rd_kafka_DeleteRecords_t **request)
{
    rd_kafka_DeleteRecords_destroy(*request);
}

mr_status mr_admin_delete_before(mr_admin *admin, const char *topic, int32_t partition,
                                 int64_t offset, mr_error *err)
{
    const mr_topic_partition before = {topic, partition, offset};
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(&before, 1);
    MR_CLEANUP(delete_records_freep)
    rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DELETERECORDS);
    rd_kafka_DeleteRecords(admin->handle.rk, &request, 1, call.options, call.queue);
    MR_TRY(mr_admin_call_wait(&call, admin, "delete records", err));
    return mr_list_check(
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(call.event)),
        MR_STEP_QUERY, "delete records", err);
}
