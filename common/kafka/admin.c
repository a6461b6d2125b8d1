#include "kafka/admin.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/admin_private.h"

mr_status mr_admin_new(const mr_admin_options *options, mr_admin **ret_admin, mr_error *err)
{
    const mr_conf_source source = {options->properties, options->ours, options->n_ours};
    rd_kafka_conf_t *conf = NULL;
    MR_TRY(mr_conf_new(&source, RD_KAFKA_CONSUMER, &conf, err));
    mr_admin *admin = mr_alloc_zero(1, sizeof(*admin));
    admin->timeout_ms = options->timeout_ms;
    /* A consumer's handle: asking a producer's for metadata of an unknown topic may create it. */
    const mr_status status = mr_handle_open(&admin->handle, RD_KAFKA_CONSUMER, conf, options->log,
                                            options->client_id, err);
    if (status != MR_OK) {
        free(admin);
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
    mr_handle_close(&admin->handle);
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

static mr_status fail_topic(rd_kafka_resp_err_t code, const char *text, const char *what,
                            const char *topic, mr_error *err)
{
    return mr_kafka_fail_code(code, MR_STEP_QUERY, err, "%s topic %s: %s", what, topic,
                              text == NULL ? "" : text);
}

static mr_status created(const mr_admin_call *call, const char *topic, mr_error *err)
{
    size_t n = 0;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(call->event), &n);
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
               : fail_topic(code, rd_kafka_topic_result_error_string(topics[0]), "create", topic,
                            err);
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

/* Describes one topic; its resource lives as long as the call. */
static mr_status describe(mr_admin *admin, const char *topic, mr_admin_call *call,
                          const rd_kafka_ConfigResource_t **ret_resource, mr_error *err)
{
    rd_kafka_ConfigResource_t *asked =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_DescribeConfigs(admin->handle.rk, &asked, 1, call->options, call->queue);
    rd_kafka_ConfigResource_destroy(asked);
    MR_TRY(mr_admin_call_wait(call, admin, "describe a topic", err));
    size_t n = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(call->event), &n);
    if (n != 1) {
        return mr_error_set(err, MR_ERR_KAFKA, "describe topic %s: an answer without the topic",
                            topic);
    }
    const rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[0]);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return MR_NOT_FOUND;
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fail_topic(code, rd_kafka_ConfigResource_error_string(resources[0]), "describe",
                          topic, err);
    }
    *ret_resource = resources[0];
    return MR_OK;
}

mr_status mr_admin_topic_config(mr_admin *admin, const char *topic, const char *name,
                                mr_buf *ret_value, mr_error *err)
{
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    const rd_kafka_ConfigResource_t *resource = NULL;
    const mr_status status = describe(admin, topic, &call, &resource, err);
    if (status != MR_OK) {
        return status;
    }
    size_t n = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &n);
    for (size_t i = 0; i < n; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0 && value != NULL) {
            mr_buf_clear(ret_value);
            mr_buf_append_text(ret_value, value);
            return MR_OK;
        }
    }
    return MR_NOT_FOUND;
}

static bool is_among(const mr_topic_config *configs, size_t n_configs, const char *name)
{
    for (size_t i = 0; i < n_configs; i++) {
        if (strcmp(configs[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What is set on the topic itself stays; what comes from the broker's settings goes on doing so. */
static void keep_others(rd_kafka_ConfigResource_t *target, const rd_kafka_ConfigResource_t *now,
                        const mr_topic_config *configs, size_t n_configs)
{
    size_t n = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(now, &n);
    for (size_t i = 0; i < n; i++) {
        const char *name = rd_kafka_ConfigEntry_name(entries[i]);
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (rd_kafka_ConfigEntry_source(entries[i]) ==
                RD_KAFKA_CONFIG_SOURCE_DYNAMIC_TOPIC_CONFIG &&
            value != NULL && !is_among(configs, n_configs, name)) {
            (void)rd_kafka_ConfigResource_set_config(target, name, value);
        }
    }
}

static mr_status alter(mr_admin *admin, const char *topic, rd_kafka_ConfigResource_t *target,
                       mr_error *err)
{
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_ALTERCONFIGS);
    rd_kafka_AlterConfigs(admin->handle.rk, &target, 1, call.options, call.queue);
    MR_TRY(mr_admin_call_wait(&call, admin, "configure a topic", err));
    size_t n = 0;
    const rd_kafka_ConfigResource_t **resources = rd_kafka_AlterConfigs_result_resources(
        rd_kafka_event_AlterConfigs_result(call.event), &n);
    const rd_kafka_resp_err_t code = n == 1 ? rd_kafka_ConfigResource_error(resources[0])
                                            : RD_KAFKA_RESP_ERR__BAD_MSG;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : fail_topic(code, n == 1 ? rd_kafka_ConfigResource_error_string(resources[0]) : "",
                            "configure", topic, err);
}

/*
 * AlterConfigs replaces everything that is set on the topic, and 2.0.2 has no incremental form:
 * describe, merge, alter. Two that do this at the same time may undo each other.
 */
mr_status mr_admin_set_topic_configs(mr_admin *admin, const char *topic,
                                     const mr_topic_config *configs, size_t n_configs,
                                     mr_error *err)
{
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    const rd_kafka_ConfigResource_t *now = NULL;
    const mr_status status = describe(admin, topic, &call, &now, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(err, MR_ERR_KAFKA, "configure topic %s: it does not exist", topic);
    }
    MR_TRY(status);
    rd_kafka_ConfigResource_t *target =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    keep_others(target, now, configs, n_configs);
    for (size_t i = 0; i < n_configs; i++) {
        (void)rd_kafka_ConfigResource_set_config(target, configs[i].name, configs[i].value);
    }
    const mr_status altered = alter(admin, topic, target, err);
    rd_kafka_ConfigResource_destroy(target);
    return altered;
}
