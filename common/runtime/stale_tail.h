/*
 * Whether the rows on a disk can be completed with the rest of their changelogs.
 *
 * A compacted changelog keeps a deletion for delete.retention.ms only. Where records were older
 * than that, deletions may be gone that the disk has not read: what was deleted would come back.
 */
#pragma once

#include <mr/app.h>
#include <mr/log.h>

#include "kafka/admin.h"
#include "kafka/reader.h"
#include "store/database.h"

/* delete.retention.ms of the changelog of each store; INT64_MAX: the broker does not tell, as the
 * embedded one, which does not compact. */
typedef struct mr_deletions_kept {
    int64_t ms[MR_STORES_MAX];
} mr_deletions_kept;

mr_status mr_deletions_kept_read(mr_admin *admin, const mr_stage *stage,
                                 mr_deletions_kept *ret_kept, mr_error *err) MR_MUST_USE;
/* Nothing will be asked. */
void mr_deletions_kept_unknown(mr_deletions_kept *ret_kept);

/* What a disk has still to read of one changelog of one task. */
typedef struct mr_tail {
    size_t store;
    int32_t partition;
    int64_t have; /* the offset that comes next; 0 or -1: there are no rows */
    int64_t end;
    bool is_stale;
    int64_t sure; /* of a stale one: the first offset that is young enough; -1: none is */
} mr_tail;

typedef struct mr_tail_check {
    mr_reader *reader;
    const mr_stage *stage;
    const mr_deletions_kept *kept;
    bool exactly_once;
    int64_t now_ms; /* the wall clock's */
    int timeout_ms;
} mr_tail_check;

/* Sets is_stale and sure of each tail, with one question a broker; none where nothing is left to be
 * read. A broker that is away: action RETRY, as mr_reader_offsets_at. */
mr_status mr_tails_check(const mr_tail_check *check, mr_tail *tails, size_t n,
                         mr_error *err) MR_MUST_USE;
/* Tells of a stale one, whose task is read again. */
void mr_tail_warn(const mr_tail_check *check, const mr_tail *tail, const mr_log *log);
