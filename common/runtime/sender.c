#include "runtime/sender.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/thread.h"
#include "runtime/outgoing.h"

enum {
    /* So many records at once keep librdkafka's threads from being woken for each. */
    BATCH_BYTES_MAX = 256 * 1024,
    BATCH_BYTES_MIN = 4 * 1024,
    KEEP_BYTES = 2 * BATCH_BYTES_MAX, /* what a batch of large records took beyond is given back */
    QUEUE_MAX = 16,                   /* batches, with the one that is being sent */
};

typedef struct sender_batch {
    mr_outgoing *records;
    bool commits;
    const mr_topic_partition *offsets;
    size_t n_offsets;
} sender_batch;

typedef enum commit_state {
    COMMIT_NONE,
    COMMIT_BEGUN,
    COMMIT_DONE, /* to be taken */
} commit_state;

struct mr_sender {
    mr_sender_options options;
    size_t batch_bytes;
    mr_outgoing *filling; /* the worker's own */
    bool committing;      /* the same: begun and not taken */
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    sender_batch queue[QUEUE_MAX]; /* a ring */
    size_t first;
    size_t n;
    size_t queued_bytes;
    mr_outgoing *spare[QUEUE_MAX]; /* the last is the one most recently used: its memory is warm */
    size_t n_spare;
    commit_state commit;
    bool ending;
    bool has_failed;
    mr_error failure;
};

/* ---- The thread ---- */

static mr_status send(mr_sender *sender, const sender_batch *batch, mr_error *err)
{
    mr_producer *producer = sender->options.producer;
    const size_t n = mr_outgoing_count(batch->records);
    for (size_t i = 0; i < n; i++) {
        mr_record record;
        int64_t *offset_slot = mr_outgoing_at(batch->records, i, &record);
        MR_TRY(mr_producer_send(producer, &record, offset_slot, err));
    }
    mr_producer_poll(producer);
    return batch->commits ? mr_producer_commit(producer, sender->options.consumer, batch->offsets,
                                               batch->n_offsets, err)
                          : MR_OK;
}

/* With the mutex held, which it lets go of meanwhile. */
static void send_first(mr_sender *sender)
{
    const sender_batch batch = sender->queue[sender->first];
    const size_t bytes = mr_outgoing_bytes(batch.records);
    const bool send_it = !sender->has_failed;
    mr_error err;
    pthread_mutex_unlock(&sender->mutex);
    const mr_status status = send_it ? send(sender, &batch, &err) : MR_OK;
    mr_outgoing_clear(batch.records, KEEP_BYTES);
    pthread_mutex_lock(&sender->mutex);
    if (status != MR_OK) {
        sender->has_failed = true;
        sender->failure = err;
    } else if (batch.commits && send_it) {
        sender->commit = COMMIT_DONE;
    }
    sender->first = (sender->first + 1) % QUEUE_MAX;
    sender->n--;
    sender->spare[sender->n_spare++] = batch.records;
    sender->queued_bytes -= bytes;
    pthread_cond_broadcast(&sender->changed);
    if (batch.commits || status != MR_OK || sender->n == 0) {
        sender->options.wake(sender->options.argument);
    }
}

static void *run(void *argument)
{
    mr_sender *sender = argument;
    pthread_mutex_lock(&sender->mutex);
    while (sender->n > 0 || !sender->ending) {
        if (sender->n > 0) {
            send_first(sender);
        } else {
            pthread_cond_wait(&sender->changed, &sender->mutex);
        }
    }
    pthread_mutex_unlock(&sender->mutex);
    return NULL;
}

/* ---- Life ---- */

static void free_parts(mr_sender *sender)
{
    mr_outgoing_free(sender->filling);
    for (size_t i = 0; i < sender->n_spare; i++) {
        mr_outgoing_free(sender->spare[i]);
    }
    pthread_cond_destroy(&sender->changed);
    pthread_mutex_destroy(&sender->mutex);
    free(sender);
}

mr_status mr_sender_new(const mr_sender_options *options, mr_sender **ret_sender, mr_error *err)
{
    mr_sender *sender = mr_alloc_zero(1, sizeof(*sender));
    sender->options = *options;
    const size_t share = options->queue_bytes_max / QUEUE_MAX;
    sender->batch_bytes = share > BATCH_BYTES_MAX   ? BATCH_BYTES_MAX
                          : share < BATCH_BYTES_MIN ? BATCH_BYTES_MIN
                                                    : share;
    sender->filling = mr_outgoing_new();
    while (sender->n_spare < QUEUE_MAX) {
        sender->spare[sender->n_spare++] = mr_outgoing_new();
    }
    pthread_mutex_init(&sender->mutex, NULL);
    pthread_cond_init(&sender->changed, NULL);
    const mr_status status = mr_thread_start("sender", run, sender, &sender->thread, err);
    if (status != MR_OK) {
        free_parts(sender);
        return status;
    }
    *ret_sender = sender;
    return MR_OK;
}

void mr_sender_free(mr_sender *sender)
{
    if (sender == NULL) {
        return;
    }
    pthread_mutex_lock(&sender->mutex);
    sender->ending = true;
    pthread_cond_broadcast(&sender->changed);
    pthread_mutex_unlock(&sender->mutex);
    pthread_join(sender->thread, NULL);
    free_parts(sender);
}

/* ---- The worker ---- */

static bool is_full(const mr_sender *sender)
{
    return sender->n == QUEUE_MAX || sender->queued_bytes >= QUEUE_MAX * sender->batch_bytes;
}

static void push(mr_sender *sender, bool commits, const mr_topic_partition *offsets, size_t n)
{
    pthread_mutex_lock(&sender->mutex);
    while (is_full(sender)) {
        pthread_cond_wait(&sender->changed, &sender->mutex);
    }
    sender->queue[(sender->first + sender->n++) % QUEUE_MAX] = (sender_batch){
        .records = sender->filling, .commits = commits, .offsets = offsets, .n_offsets = n};
    sender->queued_bytes += mr_outgoing_bytes(sender->filling);
    sender->filling = sender->spare[--sender->n_spare];
    sender->commit = commits ? COMMIT_BEGUN : sender->commit;
    pthread_cond_broadcast(&sender->changed);
    pthread_mutex_unlock(&sender->mutex);
}

void mr_sender_add(mr_sender *sender, const mr_record *record, int64_t *offset_slot)
{
    mr_outgoing_add(sender->filling, record, offset_slot);
    if (mr_outgoing_bytes(sender->filling) >= sender->batch_bytes) {
        push(sender, false, NULL, 0);
    }
}

bool mr_sender_has_unsent(const mr_sender *sender)
{
    return mr_outgoing_count(sender->filling) > 0;
}

void mr_sender_push(mr_sender *sender)
{
    if (mr_sender_has_unsent(sender)) {
        push(sender, false, NULL, 0);
    }
}

void mr_sender_commit(mr_sender *sender, const mr_topic_partition *offsets, size_t n)
{
    assert(!sender->committing);
    sender->committing = true;
    push(sender, true, offsets, n);
}

bool mr_sender_is_committing(const mr_sender *sender)
{
    return sender->committing;
}

/* With the mutex held. */
static mr_status failure_of(const mr_sender *sender, mr_error *err)
{
    if (!sender->has_failed) {
        return MR_OK;
    }
    *err = sender->failure;
    return err->status;
}

mr_status mr_sender_take(mr_sender *sender, bool wait, mr_error *err)
{
    pthread_mutex_lock(&sender->mutex);
    while (wait && sender->commit == COMMIT_BEGUN && !sender->has_failed) {
        pthread_cond_wait(&sender->changed, &sender->mutex);
    }
    mr_status status = failure_of(sender, err);
    if (status == MR_OK && sender->commit != COMMIT_DONE) {
        status = sender->commit == COMMIT_NONE ? MR_NOT_FOUND : MR_TIMED_OUT;
    } else if (status == MR_OK) {
        sender->commit = COMMIT_NONE;
        sender->committing = false;
    }
    pthread_mutex_unlock(&sender->mutex);
    return status;
}

bool mr_sender_is_idle(mr_sender *sender)
{
    pthread_mutex_lock(&sender->mutex);
    const bool is_idle = sender->n == 0;
    pthread_mutex_unlock(&sender->mutex);
    return is_idle;
}

mr_status mr_sender_drain(mr_sender *sender, mr_error *err)
{
    assert(!sender->committing);
    mr_sender_push(sender);
    pthread_mutex_lock(&sender->mutex);
    while (sender->n > 0) {
        pthread_cond_wait(&sender->changed, &sender->mutex);
    }
    const mr_status status = failure_of(sender, err);
    pthread_mutex_unlock(&sender->mutex);
    return status;
}

bool mr_sender_drop(mr_sender *sender)
{
    mr_outgoing_clear(sender->filling, KEEP_BYTES);
    pthread_mutex_lock(&sender->mutex);
    sender->has_failed = true; /* so that the thread sends nothing more */
    while (sender->n > 0) {
        pthread_cond_wait(&sender->changed, &sender->mutex);
    }
    const bool is_committed = sender->commit == COMMIT_DONE;
    sender->has_failed = false;
    sender->commit = COMMIT_NONE;
    sender->committing = false;
    pthread_mutex_unlock(&sender->mutex);
    return is_committed;
}
