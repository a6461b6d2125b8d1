/*
 * One librdkafka handle: its log bridged into ours, its connection trouble told once, its hopeless
 * errors kept until somebody asks. Callbacks come from librdkafka's threads (log) and from whoever
 * polls (errors).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include "kafka/conf.h"

typedef struct mr_handle {
    rd_kafka_t *rk; /* NULL: closed */
    void *owner;    /* for the callbacks of the object that the handle is part of */
    mr_log log;
    pthread_mutex_t lock; /* of what follows */
    char trouble[256];    /* the last connection error */
    mr_error failure;     /* the first error that only a person can mend */
    atomic_bool has_failed;
    atomic_bool is_down;          /* no broker answers */
    _Atomic int64_t remind_at_ms; /* monotonic; 0: librdkafka need not be told where brokers are */
    atomic_int n_refused;         /* connections in a row that ended in authentication or TLS */
} mr_handle;

/* Takes `conf`, also when it fails. The handle must not move and must be zeroed before. */
mr_status mr_handle_open(mr_handle *handle, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                         const mr_log *log, const char *client_id, mr_error *err) MR_MUST_USE;
/* Destroys librdkafka's handle, without leaving a group; a zeroed one is left alone. */
void mr_handle_close(mr_handle *handle);

/*
 * Waits until a broker answers that librdkafka has a node ID of. The address that it begins with
 * serves for the first questions and is then replaced by another connection; what is asked for by
 * librdkafka's own state machines in between waits for half a second. No answer in time is left to
 * the caller's next call to tell.
 */
void mr_handle_connect(mr_handle *handle, int timeout_ms);
/* Serves the error callback of a handle that nobody polls. */
void mr_handle_serve(mr_handle *handle);
/* Something came from a broker. */
void mr_handle_answered(mr_handle *handle);
/*
 * MR_OK, or the error that only a person can mend. Whoever waits for records calls it at least once
 * a second: when no broker has answered for a while, it tells librdkafka again where they are.
 */
mr_status mr_handle_check(mr_handle *handle, mr_error *err) MR_MUST_USE;
/* Appends the last connection error to a message about a query that had no answer. */
mr_status mr_handle_explain(mr_handle *handle, mr_error *err);
