#include "cli/verbs.h"

#include "cli/digest.h"
#include "cli/log_check.h"
#include "cli/report.h"

typedef struct arguments {
    const char *stage;
} arguments;

static const char *const columns[] = {"stage",  "store",       "rows",  "aggregates",
                                      "events", "differences", "digest"};

/* `check` is NULL for a store that no log says anything of. */
static mr_status read_rows(mr_rows *rows, mr_log_check *check, mr_digest *digest, int64_t *ret_n,
                           mr_error *err)
{
    for (*ret_n = 0;; (*ret_n)++) {
        mr_rows_item item;
        const mr_status status = mr_rows_next(rows, &item, err);
        if (status == MR_END) {
            return MR_OK;
        }
        if (status != MR_OK) {
            return status;
        }
        mr_digest_add(digest, item.key_json, item.value_json);
        if (check != NULL) {
            MR_TRY(mr_log_check_row(check, &item, err));
        }
    }
}

static void print_row(mr_report *report, const mr_rows_request *request, int64_t n_rows,
                      const mr_log_check *check, mr_digest *digest)
{
    char text[MR_DIGEST_SIZE] = {0};
    mr_digest_end(digest, text);
    mr_report_text(report, request->stage->name);
    mr_report_text(report, request->store->name);
    mr_report_number(report, n_rows);
    mr_report_known(report, check == NULL ? -1 : mr_log_check_aggregates(check));
    mr_report_known(report, check == NULL ? -1 : mr_log_check_events(check));
    mr_report_number(report, check == NULL ? 0 : mr_log_check_differences(check));
    mr_report_text(report, text);
}

/* MR_TIMED_OUT: not all of the store could be read. */
static mr_status verify_store(const mr_cli *cli, const mr_rows_request *request,
                              mr_log_check *check, mr_report *report, mr_error *err)
{
    mr_rows *opened = NULL;
    int64_t n_rows = 0;
    mr_status status = mr_rows_open(cli, request, &opened, err);
    MR_CLEANUP(mr_rows_freep) mr_rows *rows = opened;
    MR_CLEANUP(mr_digest_freep) mr_digest *digest = mr_digest_new();
    status = status == MR_OK ? read_rows(rows, check, digest, &n_rows, err) : status;
    status = status == MR_OK ? mr_rows_check(rows, err) : status;
    if (status != MR_OK) {
        return status;
    }
    if (check != NULL) {
        mr_log_check_end(check);
    }
    print_row(report, request, n_rows, check, digest);
    return MR_OK;
}

static mr_status verify_stage(const mr_cli *cli, const mr_stage *stage, mr_report *report,
                              int64_t *n_differences, mr_error *err)
{
    mr_log_check *made = NULL;
    if (strcmp(stage->kind, "aggregate") == 0) {
        MR_TRY(mr_log_check_new(cli, stage, &made, err));
    }
    MR_CLEANUP(mr_log_check_freep) mr_log_check *check = made;
    if (check != NULL) {
        MR_TRY(mr_log_check_read(check, err));
    }
    for (size_t i = 0; i < stage->n_stores; i++) {
        const mr_store_spec *store = &stage->stores[i];
        const mr_rows_request request = {.stage = stage, .store = store};
        if (store->internal) {
            continue;
        }
        mr_log_check *wanted = strcmp(store->name, "state") == 0 ? check : NULL;
        const mr_status status = verify_store(cli, &request, wanted, report, err);
        if (status != MR_OK) {
            return status;
        }
    }
    *n_differences += check == NULL ? 0 : mr_log_check_differences(check);
    return MR_OK;
}

static mr_status verify(mr_cli *cli, const mr_stage *only, mr_report *report,
                        int64_t *n_differences, mr_error *err)
{
    mr_status status = MR_OK;
    for (size_t i = 0; i < cli->app->n_stages && status == MR_OK; i++) {
        const mr_stage *stage = &cli->app->stages[i];
        if (only == NULL || only == stage) {
            status = verify_stage(cli, stage, report, n_differences, err);
        }
    }
    return status;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    const mr_stage *only = NULL;
    int64_t n_differences = 0;
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(mr_cli_stage(cli, a->stage, &only, err));
    MR_TRY(mr_cli_connect(cli, err));
    mr_report *report = MR_REPORT_NEW(cli, columns);
    const mr_status status = verify(cli, only, report, &n_differences, err);
    mr_report_free(report);
    if (status != MR_OK) {
        return mr_cli_unavailable(status, err);
    }
    return n_differences == 0 ? MR_OK : MR_NOT_FOUND;
}

static const mr_flag flags[] = {
    {.name = "stage",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, stage),
     .argument = "NAME",
     .text = "Only this stage."},
};

const mr_verb mr_verb_verify = {
    .name = "verify",
    .operands = "APP",
    .summary = "Prints a digest of every store, and checks aggregates against their events.",
    .text =
        "The digest is SHA-256 over the rows in key order, each a line `key TAB value`, the key "
        "a JSON array of its parts, the value canonical JSON. For an aggregate stage the whole "
        "events topic is read: versions must be 0, 1, 2, ... without gap or double, and the "
        "fold of the events must be the stored state. Exit code 1 when something differs. "
        "While records are being processed the two are of different moments: `millrace lag "
        "--wait` first.",
    .operands_min = 1,
    .operands_max = 1,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .has_version = true,
    .run = run,
};
