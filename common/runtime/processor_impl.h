/*
 * The inside of a processor: processor.c has its life, rebalances and its poll thread;
 * processor_status.c what others ask of it.
 */
#pragma once

#include <pthread.h>

#include "runtime/processor.h"
#include "runtime/worker.h"

struct mr_processor {
    mr_processor_options options;
    mr_log log;
    mr_database *database;          /* NULL: stateless, or closed */
    pthread_rwlock_t database_lock; /* who closes it waits for who has it */
    mr_consumer *consumer;
    mr_flusher *flusher;
    mr_restorer *restorer;
    mr_follower *follower;  /* NULL: no standby */
    mr_deletions_kept kept; /* of a stateful stage */
    mr_worker **workers;
    size_t n_workers;
    _Atomic int64_t rebalances;
    _Atomic bool warming;
    _Atomic bool assigned_once;
    _Atomic bool stopping;
    _Atomic bool backing_up;
    bool hangs; /* a worker does */
};

static inline mr_worker *mr_processor_worker_of(const mr_processor *processor, int32_t partition)
{
    return processor->workers[(size_t)partition % processor->n_workers];
}
