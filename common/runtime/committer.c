#include "runtime/committer.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/alloc.h"

typedef enum committer_state {
    COMMITTER_IDLE,
    COMMITTER_ASKED, /* the thread works on it */
    COMMITTER_DONE,  /* to be taken */
} committer_state;

struct mr_committer {
    void (*wake)(void *argument);
    void *argument;
    pthread_t thread;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    committer_state state;
    bool ending;
    mr_producer *producer;
    mr_consumer *consumer;
    const mr_topic_partition *offsets;
    size_t n_offsets;
    mr_status status;
    mr_error err;
    bool busy; /* the worker's own: submitted and not taken */
};

static void *run(void *argument)
{
    mr_committer *committer = argument;
    pthread_mutex_lock(&committer->mutex);
    for (;;) {
        while (committer->state != COMMITTER_ASKED && !committer->ending) {
            pthread_cond_wait(&committer->changed, &committer->mutex);
        }
        if (committer->state != COMMITTER_ASKED) {
            break;
        }
        pthread_mutex_unlock(&committer->mutex);
        mr_error err;
        const mr_status status = mr_producer_commit(committer->producer, committer->consumer,
                                                    committer->offsets, committer->n_offsets, &err);
        pthread_mutex_lock(&committer->mutex);
        committer->status = status;
        if (status != MR_OK) {
            committer->err = err;
        }
        committer->state = COMMITTER_DONE;
        pthread_cond_broadcast(&committer->changed);
        committer->wake(committer->argument);
    }
    pthread_mutex_unlock(&committer->mutex);
    return NULL;
}

mr_status mr_committer_new(void (*wake)(void *argument), void *argument,
                           mr_committer **ret_committer, mr_error *err)
{
    mr_committer *committer = mr_alloc_zero(1, sizeof(*committer));
    committer->wake = wake;
    committer->argument = argument;
    pthread_mutex_init(&committer->mutex, NULL);
    pthread_cond_init(&committer->changed, NULL);
    const int code = pthread_create(&committer->thread, NULL, run, committer);
    if (code != 0) {
        pthread_cond_destroy(&committer->changed);
        pthread_mutex_destroy(&committer->mutex);
        free(committer);
        return mr_error_set(err, MR_ERR_SYSTEM, "cannot start the committer thread: error %d",
                            code);
    }
    *ret_committer = committer;
    return MR_OK;
}

void mr_committer_free(mr_committer *committer)
{
    if (committer == NULL) {
        return;
    }
    pthread_mutex_lock(&committer->mutex);
    committer->ending = true;
    pthread_cond_broadcast(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
    pthread_join(committer->thread, NULL);
    pthread_cond_destroy(&committer->changed);
    pthread_mutex_destroy(&committer->mutex);
    free(committer);
}

void mr_committer_submit(mr_committer *committer, mr_producer *producer, mr_consumer *consumer,
                         const mr_topic_partition *offsets, size_t n)
{
    assert(!committer->busy);
    committer->busy = true;
    pthread_mutex_lock(&committer->mutex);
    committer->producer = producer;
    committer->consumer = consumer;
    committer->offsets = offsets;
    committer->n_offsets = n;
    committer->state = COMMITTER_ASKED;
    pthread_cond_broadcast(&committer->changed);
    pthread_mutex_unlock(&committer->mutex);
}

bool mr_committer_is_busy(const mr_committer *committer)
{
    return committer != NULL && committer->busy;
}

mr_status mr_committer_take(mr_committer *committer, bool wait, mr_error *err)
{
    assert(committer->busy);
    pthread_mutex_lock(&committer->mutex);
    while (wait && committer->state != COMMITTER_DONE) {
        pthread_cond_wait(&committer->changed, &committer->mutex);
    }
    const bool done = committer->state == COMMITTER_DONE;
    if (done) {
        committer->state = COMMITTER_IDLE;
    }
    pthread_mutex_unlock(&committer->mutex);
    if (!done) {
        return MR_TIMED_OUT;
    }
    committer->busy = false;
    if (committer->status != MR_OK) {
        *err = committer->err;
    }
    return committer->status;
}
