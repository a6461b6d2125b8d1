#include "runtime/stale_tail.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

static mr_status read_one(mr_admin *admin, const char *changelog, int64_t *ret_ms, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf value = MR_BUF_NULL;
    const mr_status status =
        mr_admin_topic_config(admin, changelog, "delete.retention.ms", &value, err);
    if (status < 0) {
        return status;
    }
    if (status != MR_OK || mr_parse_int64(mr_buf_text(&value), ret_ms) != MR_OK) {
        *ret_ms = INT64_MAX;
    }
    return MR_OK;
}

mr_status mr_deletions_kept_read(mr_admin *admin, const mr_stage *stage,
                                 mr_deletions_kept *ret_kept, mr_error *err)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        MR_TRY(read_one(admin, stage->stores[i].changelog, &ret_kept->ms[i], err));
    }
    return MR_OK;
}

void mr_deletions_kept_unknown(mr_deletions_kept *ret_kept)
{
    for (size_t i = 0; i < MR_STORES_MAX; i++) {
        ret_kept->ms[i] = INT64_MAX;
    }
}

/* Exactly once, a single offset is the mark that ended the transaction before it: a record would
 * have one of its own. */
static bool may_be_stale(const mr_tail_check *check, const mr_tail *tail)
{
    const int64_t left = tail->end - tail->have;
    return tail->have > 0 && left > (check->exactly_once ? 1 : 0) &&
           check->kept->ms[tail->store] != INT64_MAX;
}

static mr_topic_partition question_of(const mr_tail_check *check, const mr_tail *tail)
{
    const int64_t from_ms = check->now_ms - check->kept->ms[tail->store];
    return (mr_topic_partition){check->stage->stores[tail->store].changelog, tail->partition,
                                from_ms < 0 ? 0 : from_ms};
}

mr_status mr_tails_check(const mr_tail_check *check, mr_tail *tails, size_t n, mr_error *err)
{
    size_t n_asked = 0;
    mr_topic_partition *asked = mr_alloc_zero(n + 1, sizeof(*asked));
    for (size_t i = 0; i < n; i++) {
        tails[i].is_stale = false;
        if (may_be_stale(check, &tails[i])) {
            asked[n_asked++] = question_of(check, &tails[i]);
        }
    }
    const mr_status status =
        n_asked == 0 ? MR_OK
                     : mr_reader_offsets_at(check->reader, asked, n_asked, check->timeout_ms, err);
    for (size_t i = 0, at = 0; status == MR_OK && i < n; i++) {
        if (may_be_stale(check, &tails[i])) {
            tails[i].sure = asked[at++].offset;
            tails[i].is_stale = tails[i].sure < 0 || tails[i].sure > tails[i].have;
        }
    }
    free(asked);
    return status;
}

void mr_tail_warn(const mr_tail_check *check, const mr_tail *tail, const mr_log *log)
{
    mr_log_warn(log,
                "task %d: the state on disk has read changelog %s to offset %lld, and what is "
                "before offset %lld is older than deletions are kept (delete.retention.ms=%lld): "
                "what was deleted could come back; the task's rows are dropped and read again from "
                "the beginning",
                tail->partition, check->stage->stores[tail->store].changelog, (long long)tail->have,
                (long long)(tail->sure < 0 ? tail->end : tail->sure),
                (long long)check->kept->ms[tail->store]);
}
