#include "cli/verbs.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>

#include "cli/lag.h"
#include "cli/report.h"
#include "core/alloc.h"

enum { POLL_MS = 200 };

typedef struct arguments {
    const char *stage;
    int64_t wait_seconds;
} arguments;

static const char *const columns[] = {"stage", "topic", "partition", "position", "end", "lag"};

static void print_rows(const mr_lag *lag)
{
    MR_CLEANUP(mr_report_freep) mr_report *report = MR_REPORT_NEW(lag->cli, columns);
    for (size_t i = 0; i < lag->n; i++) {
        const mr_lag_row *row = &lag->rows[i];
        mr_report_text(report, row->stage->name);
        mr_report_text(report, row->stage->from[row->input]);
        mr_report_number(report, row->partition);
        mr_report_known(report, row->position);
        mr_report_number(report, row->end);
        mr_report_known(report, row->lag);
    }
}

/* ---- Waiting ---- */

/* What a sample saw, to see whether something moved since. */
static bool has_moved(const mr_lag *lag, int64_t *seen)
{
    bool moved = false;
    for (size_t i = 0; i < lag->n; i++) {
        moved |= seen[2 * i] != lag->rows[i].position || seen[2 * i + 1] != lag->rows[i].end;
        seen[2 * i] = lag->rows[i].position;
        seen[2 * i + 1] = lag->rows[i].end;
    }
    return moved;
}

/* How long all must stay as it is. Committed positions are one fact with what was written; those of
 * `dev` run ahead of it by a commit. */
static int64_t quiet_ms(const mr_cli *cli)
{
    const int64_t commit_ms = cli->settings.runtime.commit_interval_ms;
    return cli->is_dev ? 500 + 3 * commit_ms : POLL_MS;
}

static mr_status wait_until_idle(mr_lag *lag, int64_t seconds, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    const int64_t deadline = mr_clock_monotonic_ms(clock) + seconds * 1000;
    int64_t *seen = mr_alloc_zero(2 * lag->n + 1, sizeof(*seen));
    int64_t quiet_since = mr_clock_monotonic_ms(clock);
    mr_status status = MR_OK;
    for (;;) {
        status = mr_lag_sample(lag, err);
        const int64_t now = mr_clock_monotonic_ms(clock);
        if (status != MR_OK) {
            break;
        }
        if (has_moved(lag, seen) || mr_lag_total(lag, NULL) != 0) {
            quiet_since = now;
        } else if (now - quiet_since >= quiet_ms(lag->cli)) {
            break;
        }
        if (now >= deadline) {
            status = MR_NOT_FOUND;
            break;
        }
        (void)poll(NULL, 0, POLL_MS);
    }
    free(seen);
    return status;
}

/* ---- The verb ---- */

static mr_status measure(mr_lag *lag, const arguments *a, mr_error *err)
{
    if (a->wait_seconds < 0) {
        return mr_lag_sample(lag, err);
    }
    return wait_until_idle(lag, a->wait_seconds, err);
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    const mr_stage *stage = NULL;
    mr_lag lag = {0};
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(mr_cli_stage(cli, a->stage, &stage, err));
    MR_TRY(mr_cli_connect(cli, err));
    mr_status status = mr_lag_init(&lag, cli, stage, err);
    status = status == MR_OK ? measure(&lag, a, err) : status;
    if (status >= 0) {
        print_rows(&lag);
    }
    if (status >= 0 && !cli->json) {
        (void)fprintf(cli->out, "\nlag %" PRId64 "\n", mr_lag_total(&lag, NULL));
    }
    if (status == MR_NOT_FOUND) {
        mr_cli_note("not idle after %" PRId64 " seconds", a->wait_seconds);
    }
    mr_lag_deinit(&lag);
    return status;
}

static const mr_flag flags[] = {
    {.name = "stage",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, stage),
     .argument = "NAME",
     .text = "Only this stage."},
    {.name = "wait",
     .letter = 'w',
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, wait_seconds),
     .min = 0,
     .max = 86400,
     .preset = -1,
     .argument = "SECONDS",
     .text = "Waits until nothing is left to do and nothing moves; exit code 1 when that is not so "
             "after so long."},
};

const mr_verb mr_verb_lag = {
    .name = "lag",
    .operands = "APP",
    .summary = "Prints how far each stage is behind its input topics.",
    .text = "lag is what lies between a stage's committed position and the end of the log; 0 also "
            "when nothing but ends of transactions lies there.",
    .operands_min = 1,
    .operands_max = 1,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .has_version = true,
    .run = run,
};
