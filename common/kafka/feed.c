#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/consumer_private.h"

mr_feed *mr_feed_new(mr_consumer *consumer)
{
    mr_feed *feed = mr_alloc_zero(1, sizeof(*feed));
    feed->consumer = consumer;
    mr_inbound_init(&feed->inbound, consumer->handle.rk);
    atomic_fetch_add(&consumer->refs, 1);
    return feed;
}

void mr_feed_free(mr_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    mr_inbound_deinit(&feed->inbound);
    mr_consumer_release(feed->consumer);
    free(feed);
}

mr_status mr_feed_next(mr_feed *feed, int timeout_ms, mr_record *ret_record, mr_error *err)
{
    const rd_kafka_message_t *message = mr_inbound_next(&feed->inbound, timeout_ms);
    if (message == NULL) {
        return MR_TIMED_OUT;
    }
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        mr_handle_answered(&feed->consumer->handle);
        mr_inbound_record(&feed->inbound, message, ret_record);
        return MR_OK;
    }
    if (mr_kafka_action(message->err, false, false, false, MR_STEP_CONSUME) == MR_ACT_RETRY) {
        mr_log_debug(&feed->consumer->handle.log, "fetch: %s", rd_kafka_message_errstr(message));
        return MR_TIMED_OUT;
    }
    return mr_kafka_fail_text(message->err, rd_kafka_message_errstr(message), MR_STEP_CONSUME, err,
                              "fetch of %s [%" PRId32 "]",
                              message->rkt == NULL ? "?" : rd_kafka_topic_name(message->rkt),
                              message->partition);
}

size_t mr_feed_upcoming(const mr_feed *feed, mr_upcoming ret_upcoming[MR_FEED_BATCH])
{
    return mr_inbound_upcoming(&feed->inbound, ret_upcoming);
}

void mr_feed_wake(mr_feed *feed)
{
    rd_kafka_queue_yield(feed->inbound.queue);
}
