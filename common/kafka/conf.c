#include "kafka/conf.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/text.h"
#include "kafka/conf_table.h"

/* Properties whose value is part of what millrace promises. */
static const struct {
    const char *name;
    const char *reason;
} owned_rows[] = {
    {"client.id", "it carries the address that the command line asks a key's owner at"},
    {"group.id", "a stage's consumer group is <app>-<stage>"},
    {"group.instance.id", "static membership is the runtime's"},
    {"group.protocol", "only the classic group protocol is used"},
    {"group.remote.assignor", "only the classic group protocol is used"},
    {"group.protocol.type", "only the classic group protocol is used"},
    {"partition.assignment.strategy", "it depends on the version of librdkafka"},
    {"enable.auto.commit", "offsets are committed with what was written"},
    {"auto.commit.enable", "offsets are committed with what was written"},
    {"auto.commit.interval.ms", "offsets are committed with what was written"},
    {"enable.auto.offset.store", "offsets are committed with what was written"},
    {"offset.store.method", "offsets are committed with what was written"},
    {"offset.store.path", "offsets are committed with what was written"},
    {"offset.store.sync.interval.ms", "offsets are committed with what was written"},
    {"auto.offset.reset", "a stage without a committed offset begins with the first record"},
    {"isolation.level", "only committed records are read"},
    {"enable.partition.eof", "the runtime needs the ends of partitions where it asks for them"},
    {"allow.auto.create.topics", "a missing topic is an error; `millrace topics apply` creates it"},
    {"transactional.id", "it is made from app, stage and instance"},
    {"transaction.timeout.ms", "it is part of the runtime's own settings"},
    {"enable.idempotence", "nothing may be written twice or out of order"},
    {"enable.gapless.guarantee", "a lost record aborts its transaction"},
    {"queuing.strategy", "records keep their order"},
    {"partitioner", "keys must go to the partitions that the Java client gives them (murmur2)"},
    {"delivery.report.only.error", "the runtime needs the offset of every record it wrote"},
    {"produce.offset.report", "the runtime needs the offset of every record it wrote"},
    {"log.queue", "librdkafka's log goes into the program's"},
    {"enabled_events", "callbacks are used"},
    {"test.mock.num.brokers", "`millrace dev` is the embedded broker"},
};

const char *mr_conf_owned(const char *name)
{
    for (size_t i = 0; i < sizeof(owned_rows) / sizeof(owned_rows[0]); i++) {
        if (strcmp(owned_rows[i].name, name) == 0) {
            return owned_rows[i].reason;
        }
    }
    return NULL;
}

void mr_conf_freep(rd_kafka_conf_t **conf)
{
    if (*conf != NULL) {
        rd_kafka_conf_destroy(*conf);
    }
}

static bool is_ours(const mr_conf_source *source, const char *name)
{
    for (size_t i = 0; i < source->n_ours; i++) {
        if (strcmp(source->ours[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const char *nearest_name(const mr_conf_source *source, const mr_conf_table *table,
                                const char *name)
{
    const char *nearest =
        source->n_ours == 0
            ? NULL
            : mr_text_nearest(name, &source->ours[0].name, source->n_ours, sizeof(source->ours[0]));
    if (nearest != NULL) {
        return nearest;
    }
    nearest = mr_text_nearest(name, table->names, table->n, sizeof(table->names[0]));
    return nearest != NULL && mr_conf_owned(nearest) == NULL ? nearest : NULL;
}

static mr_status set_property(const mr_conf_source *source, const mr_conf_table *table,
                              const mr_property *property, rd_kafka_conf_t *conf, mr_error *err)
{
    const char *reason = mr_conf_owned(property->name);
    if (reason != NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "%s: %s cannot be set: %s", property->origin,
                            property->name, reason);
    }
    char text[256];
    const rd_kafka_conf_res_t result =
        rd_kafka_conf_set(conf, property->name, property->value, text, sizeof(text));
    if (result == RD_KAFKA_CONF_OK) {
        return MR_OK;
    }
    if (result == RD_KAFKA_CONF_INVALID) {
        return mr_error_set(err, MR_ERR_USAGE, "%s: %s: %s", property->origin, property->name,
                            text);
    }
    const char *nearest = nearest_name(source, table, property->name);
    return mr_error_set(err, MR_ERR_USAGE, "%s: there is no property %s%s%s%s", property->origin,
                        property->name, nearest == NULL ? "" : "; did you mean ",
                        nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?");
}

mr_status mr_conf_new(const mr_conf_source *source, rd_kafka_type_t type,
                      rd_kafka_conf_t **ret_conf, mr_error *err)
{
    MR_CLEANUP(mr_conf_freep) rd_kafka_conf_t *conf = rd_kafka_conf_new();
    MR_CLEANUP(mr_conf_table_deinit) mr_conf_table table;
    mr_conf_table_init(&table);
    const char foreign = type == RD_KAFKA_CONSUMER ? 'P' : 'C';
    for (size_t i = 0; i < source->properties->n; i++) {
        const mr_property *property = &source->properties->items[i];
        if (is_ours(source, property->name) ||
            mr_conf_table_scope(&table, property->name) == foreign) {
            continue;
        }
        MR_TRY(set_property(source, &table, property, conf, err));
    }
    /* A new handle's second connection waits for half of the first of these, and a broker that was
     * away is met again within a second or so, not ten. */
    MR_TRY(mr_conf_prefer(source, conf, "reconnect.backoff.ms", "20", err));
    MR_TRY(mr_conf_prefer(source, conf, "reconnect.backoff.max.ms", "1000", err));
    *ret_conf = MR_STEAL(&conf);
    return MR_OK;
}

mr_status mr_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, mr_error *err)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK) {
        return mr_error_set(err, MR_ERR_USAGE, "librdkafka %s: %s", rd_kafka_version_str(), text);
    }
    return MR_OK;
}

mr_status mr_conf_set_int(rd_kafka_conf_t *conf, const char *name, int64_t value, mr_error *err)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    return mr_conf_set(conf, name, text, err);
}

mr_status mr_conf_prefer(const mr_conf_source *source, rd_kafka_conf_t *conf, const char *name,
                         const char *value, mr_error *err)
{
    if (!is_ours(source, name) && mr_properties_get(source->properties, name) != NULL) {
        return MR_OK;
    }
    return mr_conf_set(conf, name, value, err);
}

mr_status mr_conf_prefer_int(const mr_conf_source *source, rd_kafka_conf_t *conf, const char *name,
                             int64_t value, mr_error *err)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    return mr_conf_prefer(source, conf, name, text, err);
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* An answer to a fetch is taken whole: a small queue needs small answers. */
static mr_status set_answer(const mr_conf_source *source, rd_kafka_conf_t *conf,
                            int64_t queue_bytes_max, mr_error *err)
{
    enum { ANSWERS = 16, BYTES_MIN = 128 * 1024, BYTES_MAX = 1024 * 1024 };
    if (mr_properties_get(source->properties, "max.partition.fetch.bytes") != NULL) {
        return MR_OK; /* another name of the same */
    }
    return mr_conf_prefer_int(source, conf, "fetch.message.max.bytes",
                              clamp(queue_bytes_max / ANSWERS, BYTES_MIN, BYTES_MAX), err);
}

/*
 * librdkafka stops fetching when a queue is above its limit and looks again after a time that can
 * be set from 2.2 on; before, see inbound.c. A message costs some 400 bytes beside its own, which
 * the limit in bytes does not count: hence the limit in messages.
 */
mr_status mr_conf_set_queue(const mr_conf_source *source, rd_kafka_conf_t *conf,
                            int64_t queue_bytes_max, mr_error *err)
{
    enum { KBYTES_MAX = 2097151 };
    size_t size = 0;
    if (rd_kafka_conf_get(conf, "fetch.queue.backoff.ms", NULL, &size) == RD_KAFKA_CONF_OK) {
        MR_TRY(mr_conf_prefer(source, conf, "fetch.queue.backoff.ms", "10", err));
    }
    const int64_t messages = clamp(queue_bytes_max / 1024, 1000, 100000);
    const int64_t kbytes = clamp(queue_bytes_max / 1024, 1, KBYTES_MAX);
    /* A seek, or a question on the same connection, waits for the fetch that is under way. */
    MR_TRY(mr_conf_prefer(source, conf, "fetch.wait.max.ms", "100", err));
    MR_TRY(mr_conf_prefer_int(source, conf, "queued.min.messages", messages, err));
    MR_TRY(mr_conf_prefer_int(source, conf, "queued.max.messages.kbytes", kbytes, err));
    return set_answer(source, conf, queue_bytes_max, err);
}
