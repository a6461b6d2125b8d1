#include "kafka/inbound.h"

#include <stdlib.h>

#include "core/alloc.h"

/* The last mistake of librdkafka's batch call around seek, pause, rebalance and ends was mended in
 * it. */
enum { VERSION_BATCHES = 0x020d02ff };

void mr_inbound_init(mr_inbound *inbound, rd_kafka_t *rk)
{
    size_t size = 0;
    inbound->queue = rd_kafka_queue_new(rk);
    inbound->rk = rk;
    inbound->naps = rd_kafka_conf_get(rd_kafka_conf(rk), "fetch.queue.backoff.ms", NULL, &size) !=
                    RD_KAFKA_CONF_OK;
    inbound->batches = rd_kafka_version() >= VERSION_BATCHES;
    inbound->moved = rd_kafka_topic_partition_list_new(0);
    pthread_mutex_init(&inbound->lock, NULL);
}

void mr_inbound_wake_broker(rd_kafka_t *rk, const char *topic, int32_t partition)
{
    enum { SENT_MS = 1 };
    int64_t low = 0;
    int64_t high = 0;
    (void)rd_kafka_query_watermark_offsets(rk, topic, partition, &low, &high, SENT_MS);
}

/*
 * A queue that sinks is refilled by waking the broker threads of the partitions that its records
 * are from: each once whenever the queue has halved, because at the first time it may still be
 * above librdkafka's limit, and once when it is empty.
 */
static void refill(mr_inbound *inbound, const rd_kafka_message_t *message)
{
    enum { LOOK_EVERY = 128, LEVEL_MIN = 500 };
    if (!inbound->naps || ++inbound->n_taken < LOOK_EVERY) {
        return;
    }
    inbound->n_taken = 0;
    const size_t len = rd_kafka_queue_length(inbound->queue);
    if (len > inbound->last) {
        inbound->level = len;
        inbound->woken = 0;
    } else if (len < inbound->level / 4) {
        inbound->level /= 2;
        inbound->woken = 0;
    }
    inbound->last = len;
    const uint64_t bit = (uint64_t)1 << (message->partition & 63);
    if (inbound->level >= LEVEL_MIN && len < inbound->level / 2 && (inbound->woken & bit) == 0) {
        const char *topic = rd_kafka_topic_name(message->rkt);
        inbound->woken |= bit;
        mr_inbound_wake_broker(inbound->rk, topic, message->partition);
        mr_inbound_moved(inbound, topic, message->partition);
    }
}

void mr_inbound_moved(mr_inbound *inbound, const char *topic, int32_t partition)
{
    if (!inbound->naps) {
        return;
    }
    pthread_mutex_lock(&inbound->lock);
    if (rd_kafka_topic_partition_list_find(inbound->moved, topic, partition) == NULL) {
        (void)rd_kafka_topic_partition_list_add(inbound->moved, topic, partition);
    }
    pthread_mutex_unlock(&inbound->lock);
    atomic_store(&inbound->has_moved, true);
}

static void wake_moved(mr_inbound *inbound)
{
    atomic_store(&inbound->has_moved, false);
    pthread_mutex_lock(&inbound->lock);
    rd_kafka_topic_partition_list_t *moved = inbound->moved;
    inbound->moved = rd_kafka_topic_partition_list_new(0);
    pthread_mutex_unlock(&inbound->lock);
    for (int i = 0; i < moved->cnt; i++) {
        mr_inbound_wake_broker(inbound->rk, moved->elems[i].topic, moved->elems[i].partition);
    }
    rd_kafka_topic_partition_list_destroy(moved);
}

static void forget(mr_inbound *inbound)
{
    if (inbound->message != NULL) {
        rd_kafka_message_destroy(inbound->message);
        inbound->message = NULL;
    }
}

void mr_inbound_drop(mr_inbound *inbound, const char *topic, int32_t partition)
{
    size_t n_kept = 0;
    for (size_t i = inbound->batch_at; i < inbound->n_batch; i++) {
        rd_kafka_message_t *message = inbound->batch[i];
        const bool keeps =
            topic != NULL && (message->rkt == NULL || message->partition != partition ||
                              strcmp(rd_kafka_topic_name(message->rkt), topic) != 0);
        if (keeps) {
            inbound->batch[n_kept++] = message;
        } else {
            rd_kafka_message_destroy(message);
        }
    }
    inbound->batch_at = 0;
    inbound->n_batch = n_kept;
}

void mr_inbound_deinit(mr_inbound *inbound)
{
    forget(inbound);
    mr_inbound_drop(inbound, NULL, 0);
    if (inbound->queue != NULL) {
        rd_kafka_queue_destroy(inbound->queue);
    }
    if (inbound->moved != NULL) {
        rd_kafka_topic_partition_list_destroy(inbound->moved);
        pthread_mutex_destroy(&inbound->lock);
    }
    free(inbound->headers);
    inbound->moved = NULL;
    inbound->queue = NULL;
    inbound->headers = NULL;
}

/*
 * librdkafka reads the clock and takes locks for each call: a batch spares them. Messages from
 * before a seek or pause it drops when they leave the queue, and so not those of a batch that is in
 * hand.
 */
static bool take_batch(mr_inbound *inbound)
{
    if (!inbound->batches || rd_kafka_queue_length(inbound->queue) == 0) {
        return false;
    }
    const ssize_t n =
        rd_kafka_consume_batch_queue(inbound->queue, 0, inbound->batch, MR_FEED_BATCH);
    inbound->batch_at = 0;
    inbound->n_batch = n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* Keys and values were written by librdkafka's thread and lie in another core's caches: they are
 * asked for before it is their turn. A key stands right before its value. */
static void expect(const mr_inbound *inbound, size_t at)
{
    enum { CACHE_LINE = 64 };
    if (at >= inbound->n_batch) {
        return;
    }
    const rd_kafka_message_t *message = inbound->batch[at];
    const char *bytes = message->key != NULL ? message->key : message->payload;
    if (bytes != NULL) {
        __builtin_prefetch(bytes);
        __builtin_prefetch(bytes + CACHE_LINE);
        __builtin_prefetch(bytes + 2 * CACHE_LINE);
    }
}

static rd_kafka_message_t *take(mr_inbound *inbound, int timeout_ms)
{
    enum { AHEAD = 3 };
    if (inbound->batch_at < inbound->n_batch || take_batch(inbound)) {
        expect(inbound, inbound->batch_at + AHEAD);
        return inbound->batch[inbound->batch_at++];
    }
    return rd_kafka_consume_queue(inbound->queue, timeout_ms);
}

const rd_kafka_message_t *mr_inbound_next(mr_inbound *inbound, int timeout_ms)
{
    forget(inbound);
    if (atomic_load_explicit(&inbound->has_moved, memory_order_relaxed)) {
        inbound->message = take(inbound, 0);
        if (inbound->message != NULL) {
            return inbound->message;
        }
        wake_moved(inbound);
    }
    inbound->message = take(inbound, timeout_ms);
    if (inbound->message != NULL && inbound->message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        refill(inbound, inbound->message);
    }
    return inbound->message;
}

size_t mr_inbound_upcoming(const mr_inbound *inbound, mr_upcoming ret_upcoming[MR_FEED_BATCH])
{
    size_t n = 0;
    if (inbound->batch_at != 1) {
        return 0;
    }
    for (size_t i = inbound->batch_at; i < inbound->n_batch; i++) {
        const rd_kafka_message_t *message = inbound->batch[i];
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->key != NULL) {
            ret_upcoming[n++] =
                (mr_upcoming){message->partition, mr_bytes_of(message->key, message->key_len)};
        }
    }
    return n;
}

static void take_headers(mr_inbound *inbound, const rd_kafka_message_t *message,
                         mr_record *ret_record)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    const size_t n = rd_kafka_header_cnt(headers);
    MR_GROW(inbound->headers, inbound->headers_capacity, n);
    for (size_t i = 0; i < n; i++) {
        const char *name = NULL;
        const void *value = NULL;
        size_t len = 0;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &len) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            break;
        }
        inbound->headers[i] = (mr_header){name, mr_bytes_of(value, len)};
        ret_record->n_headers = i + 1;
    }
    ret_record->headers = inbound->headers;
}

void mr_inbound_record(mr_inbound *inbound, const rd_kafka_message_t *message,
                       mr_record *ret_record)
{
    *ret_record = (mr_record){
        .topic = rd_kafka_topic_name(message->rkt),
        .partition = message->partition,
        .offset = message->offset,
        .timestamp_ms = rd_kafka_message_timestamp(message, NULL),
        .key = mr_bytes_of(message->key, message->key_len),
        .value = mr_bytes_of(message->payload, message->len),
    };
    take_headers(inbound, message, ret_record);
}
