/*
 * The version takes the live one's place. Its rows come to the live changelogs, so the names that
 * everybody knows stay; only those that differ are written. Read are both states while the live
 * group is this process's own, so that neither its rows nor its offsets move until the commit.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "cli/report.h"
#include "cli/state_diff.h"
#include "core/alloc.h"
#include "runtime/parking.h"
#include "runtime/rewrite.h"

static const char *const columns[] = {"store", "same", "put", "removed"};

typedef struct swapping {
    const mr_rebuilding *of;
    mr_rebuilt_states states;
    mr_rewrite *rewrite; /* NULL: a dry run */
    size_t store;
    mr_diff sums[MR_STORES_MAX];
} swapping;

static void swapping_deinit(swapping *s)
{
    mr_rewrite_free(s->rewrite);
    mr_rebuilt_states_deinit(&s->states);
}
MR_DEFINE_CLEANUP(swapping, swapping_deinit)

/* ---- Whether it may be ---- */

/* A record that the live one has applied must be in the version, too: it does not come again. Nor
 * does one that only the version has applied, and what that calls for was not sent. */
static mr_status check_positions(const swapping *s, mr_error *err)
{
    for (size_t i = 0; i < s->states.n_partitions; i++) {
        const int64_t live = s->states.live.progress[i].input_offset;
        const int64_t built = s->states.built.progress[i].input_offset;
        if (built < live) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "partition %zu of %s: %s is at %" PRId64 ", %s at %" PRId64
                                ": build it further first",
                                i, s->of->live->from[0], s->of->live->group, live,
                                s->of->built->group, built);
        }
        if (built > live && s->of->live->n_to > 0) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "partition %zu of %s: %s is at %" PRId64 ", %s at %" PRId64
                                ": what the records between send to %s would never be sent; let "
                                "processors of the stage read on, then stop them",
                                i, s->of->live->from[0], s->of->live->group, live,
                                s->of->built->group, built, s->of->live->to[0]);
        }
    }
    return MR_OK;
}

static mr_status pass_over(void *argument, const mr_diff_row *row, mr_error *err)
{
    (void)argument;
    (void)row;
    (void)err;
    return MR_OK;
}

/* Its dead letters lie in a topic that goes with the version. */
static mr_status check_failures(const swapping *s, mr_error *err)
{
    const mr_stage *stage = s->of->built;
    const mr_store_spec *store = mr_stage_store(stage, MR_PARKING_STORE);
    mr_diff diff;
    MR_TRY(mr_state_diff(s->of->cli, &s->states, (size_t)(store - stage->stores), 0,
                         s->states.n_partitions, pass_over, NULL, &diff, err));
    const int64_t n = diff.same + diff.different + diff.only_built;
    if (n == 0) {
        return MR_OK;
    }
    return mr_error_set(err, MR_ERR_USAGE,
                        "records of %" PRId64 " keys have failed in %s and wait: see topic %s; "
                        "drop this version and build one that takes them",
                        n, stage->group, stage->dead_letters);
}

/* ---- Rows ---- */

static mr_status put_row(void *argument, const mr_diff_row *row, mr_error *err)
{
    const swapping *s = argument;
    if (s->rewrite == NULL) {
        return MR_OK;
    }
    MR_TRY(mr_rewrite_row(s->rewrite, s->store, row->key, row->built, err));
    return s->of->live->stores[s->store].topic == NULL
               ? MR_OK
               : mr_rewrite_projection(s->rewrite, s->store, row->key, row->built, err);
}

static mr_status put_partition(swapping *s, size_t partition, mr_error *err)
{
    if (s->rewrite != NULL) {
        MR_TRY(mr_rewrite_partition(s->rewrite, (int32_t)partition,
                                    &s->states.live.progress[partition], err));
    }
    for (s->store = 0; s->store < s->of->live->n_stores; s->store++) {
        mr_diff diff;
        mr_diff *sum = &s->sums[s->store];
        MR_TRY(
            mr_state_diff(s->of->cli, &s->states, s->store, partition, 1, put_row, s, &diff, err));
        sum->same += diff.same;
        sum->different += diff.different;
        sum->only_live += diff.only_live;
        sum->only_built += diff.only_built;
    }
    return MR_OK;
}

/* A replay of the live one that is under way stays so. */
static void keep_mark(const swapping *s, mr_topic_partition *offset)
{
    size_t n = 0;
    const mr_topic_partition *committed = mr_rewrite_offsets(s->rewrite, &n);
    for (size_t i = 0; i < n; i++) {
        if (committed[i].partition == offset->partition) {
            offset->replay_below = committed[i].replay_below;
            offset->replay_sends = committed[i].replay_sends;
        }
    }
}

static mr_status commit(const swapping *s, mr_error *err)
{
    const size_t n = s->states.n_partitions;
    mr_topic_partition *offsets = mr_alloc_zero(n, sizeof(*offsets));
    for (size_t i = 0; i < n; i++) {
        offsets[i] = (mr_topic_partition){s->of->live->from[0], (int32_t)i,
                                          s->states.built.progress[i].input_offset};
        keep_mark(s, &offsets[i]);
    }
    const mr_status status = mr_rewrite_commit(s->rewrite, offsets, n, err);
    free(offsets);
    return status;
}

static void print_sums(const swapping *s)
{
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(s->of->cli, columns);
    for (size_t i = 0; i < s->of->live->n_stores; i++) {
        mr_report_text(report, s->of->live->stores[i].name);
        mr_report_number(report, s->sums[i].same);
        mr_report_number(report, s->sums[i].different + s->sums[i].only_built);
        mr_report_number(report, s->sums[i].only_live);
    }
}

/* ---- The swap ---- */

/* A dry run looks at what is there, also beside a live one that runs. */
static void say_if_active(const mr_rebuilding *r)
{
    mr_error err;
    if (mr_group_check_idle(r->admin, r->live, &err) != MR_OK) {
        mr_cli_note("would be refused: %s", err.message);
    }
}

static mr_status swap(swapping *s, bool dry_run, mr_error *err)
{
    if (dry_run) {
        say_if_active(s->of);
    } else {
        MR_TRY(mr_cli_rewrite(s->of->cli, s->of->live, &s->rewrite, err));
    }
    MR_TRY(mr_rebuilt_states_read(s->of, !dry_run, &s->states, err));
    MR_TRY(check_positions(s, err));
    MR_TRY(check_failures(s, err));
    for (size_t i = 0; i < s->states.n_partitions; i++) {
        MR_TRY(put_partition(s, i, err));
    }
    return dry_run ? MR_OK : commit(s, err);
}

mr_status mr_rebuilding_swap(const mr_rebuilding *r, bool dry_run, mr_error *err)
{
    MR_CLEANUP(swapping_deinit) swapping s = {.of = r};
    const mr_status status = swap(&s, dry_run, err);
    if (status == MR_OK) {
        print_sums(&s);
    } else if (s.rewrite != NULL && mr_rewrite_is_unclear(s.rewrite)) {
        (void)mr_error_prefix(err, "the broker did not say whether it was done, but --compare "
                                   "shows it");
    }
    return status;
}
