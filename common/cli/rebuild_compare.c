#include <inttypes.h>

#include "cli/report.h"
#include "cli/state_diff.h"

/* Rows that are printed, of each store; all are counted. */
enum { SHOWN_MAX = 10 };

static const char *const row_columns[] = {"store", "partition", "key", "live", "built"};
static const char *const store_columns[] = {"store",      "same",        "different",   "only_live",
                                            "only_built", "live_digest", "built_digest"};

typedef struct shown {
    const mr_cli *cli;
    mr_report *report; /* NULL until there is a row */
    const mr_store_spec *store;
    int n;
} shown;

static mr_status show_row(void *argument, const mr_diff_row *row, mr_error *err)
{
    shown *rows = argument;
    (void)err;
    if (rows->n++ >= SHOWN_MAX) {
        return MR_OK;
    }
    if (rows->report == NULL) {
        rows->report = MR_REPORT_NEW(rows->cli, row_columns);
    }
    const mr_bytes null = mr_bytes_text("null");
    mr_report_text(rows->report, rows->store->name);
    mr_report_number(rows->report, row->partition);
    mr_report_raw(rows->report, row->key_json);
    mr_report_raw(rows->report, mr_bytes_is_null(row->live) ? null : row->live_json);
    mr_report_raw(rows->report, mr_bytes_is_null(row->built) ? null : row->built_json);
    return MR_OK;
}

/* The rows first, then the sums: a table holds its lines back until its columns are known. */
static mr_status print_rows(const mr_rebuilding *r, const mr_rebuilt_states *states, mr_diff *diffs,
                            int64_t *ret_n, mr_error *err)
{
    shown rows = {.cli = r->cli};
    mr_status status = MR_OK;
    *ret_n = 0;
    for (size_t i = 0; i < r->live->n_stores && status == MR_OK; i++) {
        rows.store = &r->live->stores[i];
        rows.n = 0;
        status = mr_state_diff(r->cli, states, i, 0, states->n_partitions, show_row, &rows,
                               &diffs[i], err);
        *ret_n += rows.n;
    }
    mr_report_free(rows.report);
    return status;
}

static void print_stores(const mr_rebuilding *r, const mr_diff *diffs)
{
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(r->cli, store_columns);
    for (size_t i = 0; i < r->live->n_stores; i++) {
        mr_report_text(report, r->live->stores[i].name);
        mr_report_number(report, diffs[i].same);
        mr_report_number(report, diffs[i].different);
        mr_report_number(report, diffs[i].only_live);
        mr_report_number(report, diffs[i].only_built);
        mr_report_text(report, diffs[i].live_digest);
        mr_report_text(report, diffs[i].built_digest);
    }
}

/* States of different inputs may differ for that alone. */
static void say_positions(const mr_rebuilding *r, const mr_rebuilt_states *states)
{
    for (size_t i = 0; i < states->n_partitions; i++) {
        const int64_t live = states->live.progress[i].input_offset;
        const int64_t built = states->built.progress[i].input_offset;
        if (live != built) {
            mr_cli_note("partition %zu of %s: %s is at %" PRId64 ", %s at %" PRId64
                        ": rows may differ for that",
                        i, r->live->from[0], r->live->group, live, r->built->group, built);
        }
    }
}

mr_status mr_rebuilding_compare(const mr_rebuilding *r, mr_error *err)
{
    MR_CLEANUP(mr_rebuilt_states_deinit) mr_rebuilt_states states = {0};
    mr_diff diffs[MR_STORES_MAX];
    int64_t n = 0;
    MR_TRY(mr_rebuilt_states_read(r, false, &states, err));
    say_positions(r, &states);
    MR_TRY(print_rows(r, &states, diffs, &n, err));
    if (n > 0 && !r->cli->json) {
        (void)fputc('\n', r->cli->out);
    }
    print_stores(r, diffs);
    return n == 0 ? MR_OK : MR_NOT_FOUND;
}
