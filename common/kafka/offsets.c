/* Where a consumer's partitions stand: pause, resume, seek, committed. */
#include <inttypes.h>

#include "kafka/consumer_private.h"
#include "kafka/query.h"

enum { SEEK_RETRY_MS = 10, COMMIT_MS = 30000 };

typedef enum place_change { PAUSED, SOUGHT, RESUMED } place_change;

/*
 * Notes where a partition stands. Sought or paused, what is in hand of it is from another place and
 * is dropped; sought or resumed, its broker must be woken. False when it was not sought since it
 * was assigned or paused.
 */
static bool note(mr_consumer *consumer, const mr_topic_partition *partition, place_change change)
{
    pthread_mutex_lock(&consumer->assigned_lock);
    const size_t i = mr_consumer_find(consumer, partition->topic, partition->partition);
    mr_assigned *assigned = i < consumer->n_assigned ? &consumer->assigned[i] : NULL;
    bool result = false;
    if (assigned != NULL) {
        assigned->is_sought = change == RESUMED ? assigned->is_sought : change == SOUGHT;
        result = assigned->is_sought;
        mr_inbound *inbound = assigned->feed == NULL ? NULL : &assigned->feed->inbound;
        if (inbound != NULL && change != RESUMED) {
            mr_inbound_drop(inbound, partition->topic, partition->partition);
        }
        if (inbound != NULL && change != PAUSED) {
            mr_inbound_moved(inbound, partition->topic, partition->partition);
        }
    }
    pthread_mutex_unlock(&consumer->assigned_lock);
    return result;
}

mr_status mr_consumer_pause(mr_consumer *consumer, const mr_topic_partition *partitions, size_t n,
                            mr_error *err)
{
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(partitions, n);
    const rd_kafka_resp_err_t code = rd_kafka_pause_partitions(consumer->handle.rk, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return mr_kafka_fail_code(code, MR_STEP_CONSUME, err, "pause");
    }
    for (size_t i = 0; i < n; i++) {
        (void)note(consumer, &partitions[i], PAUSED);
    }
    return mr_list_check(list, MR_STEP_CONSUME, "pause", err);
}

mr_status mr_consumer_resume(mr_consumer *consumer, const mr_topic_partition *partitions, size_t n,
                             mr_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!note(consumer, &partitions[i], RESUMED)) {
            return mr_error_set(err, MR_ERR_KAFKA,
                                "resume of %s [%" PRId32 "]: it was not sought since it was "
                                "assigned or paused",
                                partitions[i].topic, partitions[i].partition);
        }
    }
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(partitions, n);
    const rd_kafka_resp_err_t code = rd_kafka_resume_partitions(consumer->handle.rk, list);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return mr_kafka_fail_code(code, MR_STEP_CONSUME, err, "resume");
    }
    MR_TRY(mr_list_check(list, MR_STEP_CONSUME, "resume", err));
    for (size_t i = 0; i < n; i++) {
        mr_inbound_wake_broker(consumer->handle.rk, partitions[i].topic, partitions[i].partition);
    }
    return MR_OK;
}

/*
 * A partition that was just assigned cannot be sought before librdkafka's main thread has taken
 * that up, or has ended the same partition's last assignment: _STATE until then. The older call is
 * used because the time-out of rd_kafka_seek_partitions is 1000 times too short before 2.1.0.
 */
mr_status mr_consumer_seek(mr_consumer *consumer, const mr_topic_partition *partition,
                           int timeout_ms, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    const int64_t deadline_ms = mr_clock_monotonic_ms(clock) + timeout_ms;
    rd_kafka_t *rk = consumer->handle.rk;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, partition->topic, NULL);
    rd_kafka_queue_t *idle = rd_kafka_queue_new(rk);
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
    int64_t left_ms = timeout_ms;
    while (left_ms > 0) {
        code = rd_kafka_seek(topic, partition->partition, partition->offset, (int)left_ms);
        if (code != RD_KAFKA_RESP_ERR__STATE && code != RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS) {
            break;
        }
        /* Nothing ever comes by this queue: a bounded wait. */
        rd_kafka_event_t *event = rd_kafka_queue_poll(idle, SEEK_RETRY_MS);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
        left_ms = deadline_ms - mr_clock_monotonic_ms(clock);
    }
    rd_kafka_queue_destroy(idle);
    rd_kafka_topic_destroy(topic);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        (void)note(consumer, partition, SOUGHT);
        return MR_OK;
    }
    (void)mr_kafka_fail_code(code, MR_STEP_CONSUME, err, "seek %s [%" PRId32 "] to %" PRId64,
                             partition->topic, partition->partition, partition->offset);
    if (code == RD_KAFKA_RESP_ERR__STATE) {
        err->action = MR_ACT_RETRY;
    }
    return MR_ERR_KAFKA;
}

mr_status mr_consumer_committed(mr_consumer *consumer, mr_topic_partition *partitions, size_t n,
                                int timeout_ms, mr_error *err)
{
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(partitions, n);
    const rd_kafka_resp_err_t code = rd_kafka_committed(consumer->handle.rk, list, timeout_ms);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return mr_kafka_fail_code(code, MR_STEP_QUERY, err, "committed offsets");
    }
    MR_TRY(mr_list_check(list, MR_STEP_QUERY, "committed offset", err));
    mr_list_offsets(list, partitions, n);
    mr_handle_answered(&consumer->handle);
    return MR_OK;
}

bool mr_consumer_is_member(mr_consumer *consumer)
{
    char *member_id = rd_kafka_memberid(consumer->handle.rk);
    const bool is_member = member_id != NULL && member_id[0] != '\0';
    rd_kafka_mem_free(consumer->handle.rk, member_id);
    return is_member;
}

/*
 * Of a member that was put out of its group librdkafka gives metadata without generation and member
 * ID, and with those a broker accepts any transactional commit. The member ID is asked for second:
 * it comes back only after a rebalance, which waits for the worker that is in here.
 */
mr_status mr_consumer_group_metadata(mr_consumer *consumer,
                                     rd_kafka_consumer_group_metadata_t **ret_metadata,
                                     mr_error *err)
{
    rd_kafka_consumer_group_metadata_t *metadata =
        rd_kafka_consumer_group_metadata(consumer->handle.rk);
    if (metadata == NULL || !mr_consumer_is_member(consumer)) {
        if (metadata != NULL) {
            rd_kafka_consumer_group_metadata_destroy(metadata);
        }
        return mr_kafka_fail_code(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, MR_STEP_SEND_OFFSETS, err,
                                  "this process is not a member of its group now");
    }
    *ret_metadata = metadata;
    return MR_OK;
}

static mr_status open_query(mr_consumer *consumer, mr_error *err)
{
    if (consumer->query.rk != NULL) {
        return MR_OK;
    }
    rd_kafka_conf_t *conf = NULL;
    MR_TRY(mr_conf_new(&consumer->source, RD_KAFKA_CONSUMER, &conf, err));
    return mr_handle_open(&consumer->query, RD_KAFKA_CONSUMER, conf, &consumer->handle.log,
                          consumer->query_client_id, err);
}

mr_status mr_consumer_beginning(mr_consumer *consumer, mr_topic_partition *partition,
                                int timeout_ms, mr_error *err)
{
    pthread_mutex_lock(&consumer->query_lock);
    mr_status status = open_query(consumer, err);
    if (status == MR_OK) {
        int64_t high = 0;
        status = mr_query_watermarks(&consumer->query, partition->topic, partition->partition,
                                     &partition->offset, &high, timeout_ms, err);
    }
    pthread_mutex_unlock(&consumer->query_lock);
    return status;
}

static mr_status commit_result(rd_kafka_event_t *event, mr_error *err)
{
    const rd_kafka_resp_err_t code = rd_kafka_event_error(event);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__NO_OFFSET) {
        return mr_kafka_fail_code(code, MR_STEP_COMMIT, err, "commit offsets");
    }
    const rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    return list == NULL ? MR_OK : mr_list_check(list, MR_STEP_COMMIT, "commit offset", err);
}

/* By a queue of its own: rd_kafka_commit would wait without a limit. */
mr_status mr_consumer_commit(mr_consumer *consumer, const mr_topic_partition *partitions, size_t n,
                             mr_error *err)
{
    if (n == 0) {
        return MR_OK;
    }
    MR_CLEANUP(mr_list_freep) rd_kafka_topic_partition_list_t *list = mr_list_new(partitions, n);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(consumer->handle.rk);
    const rd_kafka_resp_err_t code =
        rd_kafka_commit_queue(consumer->handle.rk, list, queue, NULL, NULL);
    mr_status status = MR_OK;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        status = mr_kafka_fail_code(code, MR_STEP_COMMIT, err, "commit offsets");
    } else {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, COMMIT_MS);
        status = event == NULL ? mr_kafka_fail_code(RD_KAFKA_RESP_ERR__TIMED_OUT, MR_STEP_COMMIT,
                                                    err, "commit offsets")
                               : commit_result(event, err);
        if (event != NULL) {
            rd_kafka_event_destroy(event);
        }
    }
    rd_kafka_queue_destroy(queue);
    return status;
}
