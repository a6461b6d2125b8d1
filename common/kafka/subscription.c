/*
 * The consumer's subscription, and what to do when a topic of it seems to be missing.
 *
 * A broker that was just started, or a topic just made, is reported as an unknown topic for a
 * moment, once, and librdkafka looks again only after minutes. So all topics are asked for
 * repeatedly, which also makes it join with what is there, and the topic counts as missing when it
 * stays so.
 */
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/consumer_private.h"

enum { MISSING_MS = 10000, LOOK_EVERY_MS = 500, LOOK_MS = 1000 };

mr_status mr_consumer_subscribe(mr_consumer *consumer, const char *const *topics, size_t n_topics,
                                mr_error *err)
{
    assert(consumer->subscribed == NULL && consumer->listener.assigned != NULL &&
           consumer->listener.revoked != NULL);
    consumer->subscribed = rd_kafka_topic_partition_list_new((int)n_topics);
    for (size_t i = 0; i < n_topics; i++) {
        (void)rd_kafka_topic_partition_list_add(consumer->subscribed, topics[i],
                                                RD_KAFKA_PARTITION_UA);
    }
    const rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->handle.rk, consumer->subscribed);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return mr_kafka_fail_code(code, MR_STEP_CONFIGURE, err, "subscribe to %s", topics[0]);
    }
    return MR_OK;
}

/* The name of a subscribed topic that is not in the cluster, NULL when all are, or nobody answers.
 */
static const char *find_missing(mr_consumer *consumer)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(consumer->handle.rk, 1, NULL, &metadata, LOOK_MS) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return NULL;
    }
    const char *missing = NULL;
    for (int i = 0; i < consumer->subscribed->cnt && missing == NULL; i++) {
        const char *name = consumer->subscribed->elems[i].topic;
        int at = 0;
        while (at < metadata->topic_cnt && strcmp(metadata->topics[at].topic, name) != 0) {
            at++;
        }
        missing = at == metadata->topic_cnt ? name : NULL;
    }
    rd_kafka_metadata_destroy(metadata);
    return missing;
}

void mr_consumer_note_missing(mr_consumer *consumer)
{
    if (consumer->missing_since_ms == 0) {
        consumer->missing_since_ms = mr_clock_monotonic_ms(mr_clock_system());
        consumer->look_at_ms = 0;
    }
}

mr_status mr_consumer_check_missing(mr_consumer *consumer, mr_error *err)
{
    if (consumer->missing_since_ms == 0) {
        return MR_OK;
    }
    const int64_t now_ms = mr_clock_monotonic_ms(mr_clock_system());
    if (now_ms < consumer->look_at_ms) {
        return MR_OK;
    }
    consumer->look_at_ms = now_ms + LOOK_EVERY_MS;
    const char *missing = find_missing(consumer);
    if (missing == NULL) {
        consumer->missing_since_ms = 0;
        return MR_OK;
    }
    if (now_ms - consumer->missing_since_ms < MISSING_MS) {
        return MR_OK;
    }
    return mr_kafka_fail_code(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, MR_STEP_CONSUME, err,
                              "consume topic %s", missing);
}
