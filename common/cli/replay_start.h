/*
 * Where a replay begins, as the options of Kafka's own reset tools say it, and what that means for
 * each partition.
 */
#pragma once

#include <mr/bytes.h>

#include "kafka/client.h"

/* What was given; at most one. */
typedef struct mr_replay_choice {
    bool earliest; /* also when nothing is given */
    bool latest;
    int64_t offset;       /* -1: not given */
    const char *datetime; /* NULL: not given, as the next */
    const char *duration;
    int64_t shift; /* MR_REPLAY_NO_SHIFT: not given */
    const char *file;
} mr_replay_choice;

#define MR_REPLAY_NO_SHIFT INT64_MIN

/* How many beginnings were given. */
int mr_replay_choice_count(const mr_replay_choice *choice);

typedef enum mr_replay_kind {
    MR_REPLAY_EARLIEST,
    MR_REPLAY_LATEST,
    MR_REPLAY_OFFSET,
    MR_REPLAY_TIME,
    MR_REPLAY_SHIFT,
    MR_REPLAY_FILE,
} mr_replay_kind;

typedef struct mr_replay_start {
    mr_replay_kind kind;
    int64_t number;                 /* an offset, epoch ms, or how far from what is committed */
    mr_topic_partition *partitions; /* of a file; their topics are owned */
    size_t n;
    size_t capacity;
} mr_replay_start;

/* `now_ms` is what a duration counts back from. MR_ERR_USAGE says what is wrong where. */
mr_status mr_replay_start_init(mr_replay_start *start, const mr_replay_choice *choice,
                               int64_t now_ms, mr_error *err) MR_MUST_USE;
void mr_replay_start_deinit(mr_replay_start *start);

/* ISO 8601, "2026-11-21T10:00:00.000", UTC unless a zone is said, to epoch ms. MR_NOT_FOUND. */
mr_status mr_replay_datetime(const char *text, int64_t *ret_ms) MR_MUST_USE;
/* ISO 8601, "P1DT2H30M5S", to ms. MR_NOT_FOUND. */
mr_status mr_replay_duration(const char *text, int64_t *ret_ms) MR_MUST_USE;
/* Lines `topic,partition,offset`, as kafka-consumer-groups --export writes them of one group;
 * `origin` names the text in failures. Adds them to the start. */
mr_status mr_replay_read_csv(mr_replay_start *start, mr_bytes text, const char *origin,
                             mr_error *err) MR_MUST_USE;
