/* Settings of topics. */
#include "kafka/admin_private.h"

/* Describes one topic; its resource lives as long as the call. */
static mr_status describe(mr_admin *admin, const char *topic, mr_admin_call *call,
                          const rd_kafka_ConfigResource_t **ret_resource, mr_error *err)
{
    rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
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
        return mr_admin_fail_topic(code, rd_kafka_ConfigResource_error_string(resources[0]),
                                   "describe", topic, err);
    }
    *ret_resource = resources[0];
    return MR_OK;
}

/* It would not answer. Known by the name that librdkafka gives its mock cluster, once that has told
 * anything. */
static bool is_embedded(const mr_admin *admin)
{
    static const char embedded[] = "mockCluster";
    char *cluster = rd_kafka_clusterid(admin->handle.rk, 0);
    const bool is_one = cluster != NULL && strncmp(cluster, embedded, sizeof(embedded) - 1) == 0;
    if (cluster != NULL) {
        rd_kafka_mem_free(admin->handle.rk, cluster);
    }
    return is_one;
}

mr_status mr_admin_topic_config(mr_admin *admin, const char *topic, const char *name,
                                mr_buf *ret_value, mr_error *err)
{
    if (is_embedded(admin)) {
        return MR_NOT_FOUND;
    }
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
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_AlterConfigs_result_resources(rd_kafka_event_AlterConfigs_result(call.event), &n);
    const rd_kafka_resp_err_t code =
        n == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : mr_admin_fail_topic(
                     code, n == 1 ? rd_kafka_ConfigResource_error_string(resources[0]) : "",
                     "configure", topic, err);
}

static mr_status merge(mr_admin *admin, const char *topic, const mr_topic_config *configs,
                       size_t n_configs, mr_error *err)
{
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    const rd_kafka_ConfigResource_t *now = NULL;
    const mr_status status = describe(admin, topic, &call, &now, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(err, MR_ERR_KAFKA, "configure topic %s: it does not exist", topic);
    }
    MR_TRY(status);
    rd_kafka_ConfigResource_t *target = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    keep_others(target, now, configs, n_configs);
    for (size_t i = 0; i < n_configs; i++) {
        (void)rd_kafka_ConfigResource_set_config(target, configs[i].name, configs[i].value);
    }
    const mr_status altered = alter(admin, topic, target, err);
    rd_kafka_ConfigResource_destroy(target);
    return altered;
}

/* MR_END: all are in force; MR_NOT_FOUND: not yet. */
static mr_status see(mr_admin *admin, const char *topic, const mr_topic_config *configs,
                     size_t n_configs, mr_error *err)
{
    enum { AGAIN_MS = 20 };
    MR_CLEANUP(mr_admin_call_deinit) mr_admin_call call;
    mr_admin_call_init(&call, admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    const rd_kafka_ConfigResource_t *now = NULL;
    MR_TRY(describe(admin, topic, &call, &now, err));
    size_t n = 0;
    size_t n_seen = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(now, &n);
    for (size_t i = 0; i < n; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        for (size_t j = 0; j < n_configs && value != NULL; j++) {
            n_seen += strcmp(rd_kafka_ConfigEntry_name(entries[i]), configs[j].name) == 0 &&
                      strcmp(value, configs[j].value) == 0;
        }
    }
    if (n_seen >= n_configs) {
        return MR_END;
    }
    /* Nothing more comes by this queue: a bounded wait. */
    rd_kafka_event_t *event = rd_kafka_queue_poll(call.queue, AGAIN_MS);
    if (event != NULL) {
        rd_kafka_event_destroy(event);
    }
    return MR_NOT_FOUND;
}

/*
 * AlterConfigs replaces everything that is set on the topic, and 2.0.2 has no incremental form:
 * describe, merge, alter. Two that do this at the same time may undo each other; one after the
 * other they do not, because the first returns when its values are seen.
 */
mr_status mr_admin_set_topic_configs(mr_admin *admin, const char *topic,
                                     const mr_topic_config *configs, size_t n_configs,
                                     mr_error *err)
{
    enum { SEEN_MS = 2000 };
    mr_clock *clock = mr_clock_system();
    MR_TRY(merge(admin, topic, configs, n_configs, err));
    const int64_t deadline_ms = mr_clock_monotonic_ms(clock) + SEEN_MS;
    mr_status status = MR_NOT_FOUND;
    while (status == MR_NOT_FOUND && mr_clock_monotonic_ms(clock) < deadline_ms) {
        status = see(admin, topic, configs, n_configs, err);
    }
    /* A broker that writes a value in another way than it was given has accepted it all the same.
     */
    return status < 0 ? status : MR_OK;
}
