/*
 * What happens inside a rebalance, in the poll thread.
 *
 * Assign: each partition's queue is led away from the consumer's own, the partition is paused, and
 * only then assigned, so that no record arrives anywhere before its task is ready. librdkafka keeps
 * a queue's forwarding when the partition is unassigned: it is set anew each time.
 * It is assigned with an offset, whatever it is, so that librdkafka does not look one up: a seek or
 * pause while such a question is under way makes it ask again, half a second later, and believe the
 * answer, so that reading jumps back (2.0.2 and 2.15.1). A partition must be sought before it is
 * resumed.
 * Revoke: paused first, so that nothing new reaches the workers while they finish.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/consumer_private.h"

static void remember_error(mr_consumer *consumer, const mr_error *err)
{
    if (!consumer->has_callback_error) {
        consumer->has_callback_error = true;
        consumer->callback_error = *err;
    }
}

size_t mr_consumer_find(const mr_consumer *consumer, const char *topic, int32_t partition)
{
    size_t i = 0;
    while (i < consumer->n_assigned && (consumer->assigned[i].partition != partition ||
                                        strcmp(consumer->assigned[i].topic, topic) != 0)) {
        i++;
    }
    return i;
}

static void add_assigned(mr_consumer *consumer, const char *topic, int32_t partition)
{
    if (mr_consumer_find(consumer, topic, partition) < consumer->n_assigned) {
        return;
    }
    rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(consumer->handle.rk, topic, partition);
    assert(queue != NULL);
    rd_kafka_queue_forward(queue, consumer->parking);
    pthread_mutex_lock(&consumer->assigned_lock);
    MR_GROW(consumer->assigned, consumer->capacity, consumer->n_assigned + 1);
    consumer->assigned[consumer->n_assigned++] =
        (mr_assigned){.topic = mr_strdup(topic), .partition = partition, .queue = queue};
    pthread_mutex_unlock(&consumer->assigned_lock);
}

static void drop_assigned(mr_consumer *consumer, size_t i)
{
    pthread_mutex_lock(&consumer->assigned_lock);
    const mr_assigned dropped = consumer->assigned[i];
    consumer->assigned[i] = consumer->assigned[--consumer->n_assigned];
    pthread_mutex_unlock(&consumer->assigned_lock);
    rd_kafka_queue_forward(dropped.queue, NULL);
    rd_kafka_queue_destroy(dropped.queue);
    free(dropped.topic);
}

static mr_topic_partition *copy_list(const rd_kafka_topic_partition_list_t *list)
{
    mr_topic_partition *partitions = mr_alloc_zero((size_t)list->cnt, sizeof(*partitions));
    for (int i = 0; i < list->cnt; i++) {
        partitions[i] = (mr_topic_partition){list->elems[i].topic, list->elems[i].partition, -1};
    }
    return partitions;
}

static bool is_cooperative(rd_kafka_t *rk)
{
    const char *protocol = rd_kafka_rebalance_protocol(rk);
    return protocol != NULL && strcmp(protocol, "COOPERATIVE") == 0;
}

static mr_status change_assignment(rd_kafka_t *rk, bool add,
                                   const rd_kafka_topic_partition_list_t *list, mr_error *err)
{
    const char *what = add ? "take assigned partitions" : "give partitions back";
    if (is_cooperative(rk)) {
        rd_kafka_error_t *error =
            add ? rd_kafka_incremental_assign(rk, list) : rd_kafka_incremental_unassign(rk, list);
        return error == NULL ? MR_OK : mr_kafka_fail(error, MR_STEP_CONSUME, err, "%s", what);
    }
    const rd_kafka_resp_err_t code = rd_kafka_assign(rk, add ? list : NULL);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR
               ? MR_OK
               : mr_kafka_fail_code(code, MR_STEP_CONSUME, err, "%s", what);
}

/* The list keeps its elements' errors: a partition that librdkafka does not know yet. */
static bool pause_all(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *list)
{
    bool paused = rd_kafka_pause_partitions(rk, list) == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt; i++) {
        paused = paused && list->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR;
        list->elems[i].err = RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    return paused;
}

/* librdkafka leaves marks in the queue with every pause and seek: they go when it is read. */
static bool is_parking_empty(mr_consumer *consumer)
{
    bool is_empty = true;
    rd_kafka_message_t *message = NULL;
    while ((message = rd_kafka_consume_queue(consumer->parking, 0)) != NULL) {
        is_empty = is_empty && message->err != RD_KAFKA_RESP_ERR_NO_ERROR;
        rd_kafka_message_destroy(message);
    }
    return is_empty;
}

static void assign(mr_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_t *rk = consumer->handle.rk;
    mr_error err;
    for (int i = 0; i < list->cnt; i++) {
        add_assigned(consumer, list->elems[i].topic, list->elems[i].partition);
        list->elems[i].offset = 0;
    }
    const bool paused = pause_all(rk, list);
    if (change_assignment(rk, true, list, &err) != MR_OK) {
        remember_error(consumer, &err);
        return;
    }
    if (!paused && !pause_all(rk, list)) {
        (void)mr_error_set(&err, MR_ERR_KAFKA, "assigned partitions could not be paused");
        remember_error(consumer, &err);
        return;
    }
    atomic_store(&consumer->is_lost, false);
    mr_handle_answered(&consumer->handle);
    mr_topic_partition *partitions = copy_list(list);
    consumer->listener.assigned(consumer->listener.context, partitions, (size_t)list->cnt);
    free(partitions);
    for (size_t i = 0; i < consumer->n_assigned; i++) {
        assert(consumer->assigned[i].feed != NULL);
    }
    if (!is_parking_empty(consumer)) {
        (void)mr_error_set(&err, MR_ERR_KAFKA, "a record came before its partition was resumed");
        remember_error(consumer, &err);
    }
}

static void revoke(mr_consumer *consumer, rd_kafka_topic_partition_list_t *list)
{
    rd_kafka_t *rk = consumer->handle.rk;
    mr_error err;
    /* 2.0.2 does not call it lost when a rebalance had begun before this member was put out. */
    const bool lost = rd_kafka_assignment_lost(rk) != 0 || !mr_consumer_is_member(consumer);
    if (lost) {
        atomic_store(&consumer->is_lost, true);
    }
    (void)pause_all(rk, list);
    if (list->cnt > 0) {
        mr_topic_partition *partitions = copy_list(list);
        consumer->listener.revoked(consumer->listener.context, partitions, (size_t)list->cnt, lost);
        free(partitions);
    }
    for (int i = 0; i < list->cnt; i++) {
        const size_t at =
            mr_consumer_find(consumer, list->elems[i].topic, list->elems[i].partition);
        if (at < consumer->n_assigned) {
            drop_assigned(consumer, at);
        }
    }
    if (change_assignment(rk, false, list, &err) != MR_OK) {
        remember_error(consumer, &err);
    }
}

void mr_consumer_drop_all(mr_consumer *consumer)
{
    if (consumer->n_assigned == 0) {
        return;
    }
    const size_t n = consumer->n_assigned;
    mr_topic_partition *partitions = mr_alloc_zero(n, sizeof(*partitions));
    for (size_t i = 0; i < n; i++) {
        const mr_assigned *assigned = &consumer->assigned[i];
        partitions[i] = (mr_topic_partition){assigned->topic, assigned->partition, -1};
    }
    consumer->listener.revoked(consumer->listener.context, partitions, n, true);
    free(partitions);
    while (consumer->n_assigned > 0) {
        drop_assigned(consumer, consumer->n_assigned - 1);
    }
}

void mr_consumer_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                           rd_kafka_topic_partition_list_t *list, void *opaque)
{
    mr_handle *handle = opaque;
    mr_consumer *consumer = handle->owner;
    consumer->n_rebalances++;
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        assign(consumer, list);
    } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS) {
        revoke(consumer, list);
    } else {
        mr_log_debug(&handle->log, "rebalance: %s", rd_kafka_err2str(code));
        (void)rd_kafka_assign(rk, NULL);
    }
}

mr_status mr_consumer_feed(mr_consumer *consumer, const char *topic, int32_t partition,
                           mr_feed *feed, mr_error *err)
{
    const size_t i = mr_consumer_find(consumer, topic, partition);
    if (i == consumer->n_assigned) {
        return mr_error_set(err, MR_ERR_KAFKA, "%s [%" PRId32 "] is not assigned", topic,
                            partition);
    }
    rd_kafka_queue_forward(consumer->assigned[i].queue, feed->inbound.queue);
    pthread_mutex_lock(&consumer->assigned_lock);
    consumer->assigned[i].feed = feed;
    pthread_mutex_unlock(&consumer->assigned_lock);
    return MR_OK;
}
