#include "cli/verbs.h"

#include <stdlib.h>
#include <unistd.h>

#include <mr/clock.h>

#include "app/files.h"
#include "cli/instances.h"
#include "cli/report.h"
#include "core/alloc.h"
#include "core/text.h"
#include "runtime/backup.h"
#include "store/directory.h"

MR_DEFINE_CLEANUP(char, free)

enum { BACKUP_TIMEOUT_MS = 3600 * 1000 }; /* it copies and reads all tables */

typedef struct arguments {
    const char *stage;
    const char *name;
} arguments;

typedef struct backing_up {
    mr_cli *cli;
    mr_admin *admin; /* NULL: no broker */
    mr_http_client *http;
    mr_report *report;
    const char *name;
    bool has_failed; /* one instance did, and that was said */
} backing_up;

static const char *const columns[] = {"stage", "instance", "directory", "tasks", "bytes"};

/* ---- Processors that run ---- */

static void print_answer(backing_up *b, const mr_stage *stage, const mr_instance *instance,
                         const mr_json *answer)
{
    mr_bytes directory = MR_BYTES_NULL;
    int64_t bytes = -1;
    (void)!mr_json_string(mr_json_get(answer, "directory"), &directory);
    (void)!mr_json_integer(mr_json_get(answer, "bytes"), &bytes);
    mr_report_text(b->report, stage->name);
    mr_report_text(b->report, instance->name);
    mr_report_bytes(b->report, directory);
    mr_report_number(b->report, (int64_t)mr_json_count(mr_json_get(answer, "tasks")));
    mr_report_known(b->report, bytes);
}

/* MR_TIMED_OUT: nobody answers there, `err` says so. */
static mr_status ask(backing_up *b, const mr_stage *stage, const mr_instance *instance,
                     mr_error *err)
{
    MR_CLEANUP(freep) char *target = mr_asprintf("/backup?name=%s", b->name);
    int http_status = 0;
    mr_json *parsed = NULL;
    const mr_status status =
        mr_instance_order(b->http, instance->address, stage, target, &http_status, &parsed, err);
    if (status != MR_OK) {
        return status;
    }
    MR_CLEANUP(mr_json_freep) mr_json *answer = parsed;
    if (http_status == 201) {
        print_answer(b, stage, instance, answer);
        return MR_OK;
    }
    mr_bytes text = MR_BYTES_NULL;
    (void)!mr_json_string(mr_json_get(answer, "error"), &text);
    mr_cli_note("stage '%s' at http://%s: %.*s (%d)", stage->name, instance->address, (int)text.len,
                (const char *)text.data, http_status);
    b->has_failed = true;
    return MR_OK;
}

/* ---- State that nobody has ---- */

static mr_status back_up_directory(backing_up *b, const mr_stage *stage, const char *instance,
                                   const char *directory, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    mr_backup backup = {0};
    MR_CLEANUP(freep) char *above = mr_backup_directory(&b->cli->settings, stage, instance);
    const mr_backup_options options = {.stage = stage,
                                       .above = above,
                                       .name = b->name,
                                       .now_ms = clock->wall_ms(clock),
                                       .log = &b->cli->log};
    mr_cli_note("stage '%s', instance '%s' does not run: its state directory is opened from here",
                stage->name, instance);
    MR_TRY(mr_directory_make(above, err));
    MR_TRY(mr_backup_make_offline(directory, &options, &backup, err));
    mr_report_text(b->report, stage->name);
    mr_report_text(b->report, instance);
    mr_report_text(b->report, backup.directory);
    mr_report_number(b->report, (int64_t)backup.n_tasks);
    mr_report_number(b->report, backup.bytes);
    mr_backup_deinit(&backup);
    return MR_OK;
}

/* MR_NOT_FOUND: this host has no state of it, or a process has it. */
static mr_status back_up_stopped(backing_up *b, const mr_stage *stage, const char *instance,
                                 mr_error *err)
{
    char *found = NULL;
    mr_error ignored;
    if (mr_instance_directory(&b->cli->settings, stage, instance, &found, &ignored) != MR_OK) {
        return MR_NOT_FOUND;
    }
    MR_CLEANUP(freep) char *directory = found;
    MR_CLEANUP(freep) char *current = mr_asprintf("%s/CURRENT", directory);
    if (access(current, F_OK) != 0 || mr_directory_in_use(directory)) {
        return MR_NOT_FOUND;
    }
    return back_up_directory(b, stage, instance, directory, err);
}

/* ---- A stage ---- */

static void note_failure(backing_up *b, const mr_stage *stage, const mr_error *err)
{
    mr_cli_note("stage '%s': %s", stage->name, err->message);
    b->has_failed = true;
}

/* The same instance may be there twice: the group keeps the address that a static member had. */
static bool is_named(const mr_instance *instance, const char *name)
{
    return instance->name != NULL && name != NULL && strcmp(instance->name, name) == 0;
}

static bool is_among(const mr_instances *instances, const char *name)
{
    for (size_t i = 0; i < instances->n; i++) {
        if (is_named(&instances->items[i], name)) {
            return true;
        }
    }
    return false;
}

/* Marks all of that name. */
static void mark_done(const mr_instances *instances, size_t i, bool *done)
{
    done[i] = true;
    for (size_t j = 0; j < instances->n; j++) {
        done[j] |= is_named(&instances->items[j], instances->items[i].name);
    }
}

/* Nobody answers there: `silent` says so. */
static void back_up_silent(backing_up *b, const mr_stage *stage, const mr_instance *instance,
                           const mr_error *silent)
{
    mr_error err;
    const mr_status status =
        instance->name == NULL ? MR_NOT_FOUND : back_up_stopped(b, stage, instance->name, &err);
    if (status != MR_OK) {
        note_failure(b, stage, status == MR_NOT_FOUND ? silent : &err);
    }
}

/* Each once: who answers, else its directory, if that is here. */
static void back_up_found(backing_up *b, const mr_stage *stage, const mr_instances *instances)
{
    bool *done = mr_alloc_zero(instances->n + 1, sizeof(*done));
    mr_error *silent = mr_alloc_zero(instances->n + 1, sizeof(*silent));
    for (size_t i = 0; i < instances->n; i++) {
        if (!done[i] && ask(b, stage, &instances->items[i], &silent[i]) != MR_TIMED_OUT) {
            mark_done(instances, i, done);
        }
    }
    for (size_t i = 0; i < instances->n; i++) {
        if (!done[i]) {
            back_up_silent(b, stage, &instances->items[i], &silent[i]);
            mark_done(instances, i, done);
        }
    }
    free(silent);
    free(done);
}

/* Directories whose instances no group and no file tells of any more. */
static size_t back_up_others(backing_up *b, const mr_stage *stage, const mr_instances *instances)
{
    size_t n = 0;
    MR_CLEANUP(mr_names_deinit) mr_names names;
    mr_instance_names(b->cli, stage, &names);
    for (size_t i = 0; i < names.n; i++) {
        mr_error err;
        if (is_among(instances, names.items[i])) {
            continue;
        }
        const mr_status status = back_up_stopped(b, stage, names.items[i], &err);
        if (status < 0) {
            note_failure(b, stage, &err);
        }
        n += status != MR_NOT_FOUND;
    }
    return n;
}

static mr_status back_up_stage(backing_up *b, const mr_stage *stage, mr_error *err)
{
    MR_CLEANUP(mr_instances_deinit) mr_instances instances = {0};
    MR_TRY(mr_instances_find(b->cli, b->admin, stage, &instances, err));
    back_up_found(b, stage, &instances);
    if (back_up_others(b, stage, &instances) + instances.n == 0) {
        mr_cli_note("stage '%s': no processor is found, and no state on this host", stage->name);
        b->has_failed = true;
    }
    return MR_OK;
}

/* ---- The verb ---- */

static mr_status choose_stage(const mr_cli *cli, const char *name, const mr_stage **ret_stage,
                              mr_error *err)
{
    if (name == NULL) {
        return MR_OK;
    }
    MR_TRY(mr_definition_stage(cli->app, name, ret_stage, err));
    return (*ret_stage)->n_stores > 0
               ? MR_OK
               : mr_error_set(err, MR_ERR_USAGE, "stage '%s' is of kind %s, which keeps no state",
                              name, (*ret_stage)->kind);
}

/* "20200420T203000000Z" */
static void name_of_now(char ret_name[MR_TIME_TEXT_SIZE])
{
    mr_clock *clock = mr_clock_system();
    char when[MR_TIME_TEXT_SIZE];
    size_t n = 0;
    mr_time_format(clock->wall_ms(clock), when);
    for (const char *c = when; *c != '\0'; c++) {
        if (strchr("-:.", *c) == NULL) {
            ret_name[n++] = *c;
        }
    }
    ret_name[n] = '\0';
}

static mr_status back_up_stages(backing_up *b, const mr_stage *only, mr_error *err)
{
    const mr_app *app = b->cli->app;
    if (b->cli->is_connected) {
        MR_TRY(mr_cli_admin(b->cli, &b->admin, err));
    }
    MR_TRY(mr_http_client_new(BACKUP_TIMEOUT_MS, &b->http, err));
    for (size_t i = 0; i < app->n_stages; i++) {
        const mr_stage *stage = &app->stages[i];
        if (stage->n_stores > 0 && (only == NULL || only == stage)) {
            MR_TRY(back_up_stage(b, stage, err));
        }
    }
    return b->has_failed ? MR_TIMED_OUT : MR_OK;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    const mr_stage *only = NULL;
    char now[MR_TIME_TEXT_SIZE];
    name_of_now(now);
    backing_up b = {.cli = cli, .name = a->name == NULL ? now : a->name};
    MR_TRY(mr_backup_check_name(b.name, err));
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(choose_stage(cli, a->stage, &only, err));
    MR_TRY(mr_cli_reach(cli, err));
    b.report = MR_REPORT_NEW(cli, columns);
    const mr_status status = back_up_stages(&b, only, err);
    mr_report_free(b.report);
    mr_http_client_free(b.http);
    mr_admin_free(b.admin);
    return status;
}

static const mr_flag flags[] = {
    {.name = "stage",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, stage),
     .argument = "NAME",
     .text = "Only this stage's state; preset: every stage's that keeps one."},
    {.name = "name",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, name),
     .argument = "NAME",
     .text = "Of the backup; preset: the time, as 20200420T203000000Z."},
};

const mr_verb mr_verb_backup = {
    .name = "backup",
    .operands = "APP",
    .summary = "Backs the state of running processors up, each instance's where it runs.",
    .text =
        "Every instance makes <backup.dir>/<app>/<stage>/<instance>/<name>: a checkpoint of its "
        "state, with the offsets it stands for and a sum of each file. It goes on processing "
        "meanwhile. Of an instance on this host that does not run, the state directory is opened "
        "from here. A backup is whole or not there. `millrace restore --from` brings it back; "
        "nothing removes old ones but you.\n"
        "In the preset place the tables are links: that survives a state directory that is "
        "removed, not a disk that fails. A backup can be restored as long as what "
        "came after it is younger than delete.retention.ms of its changelogs, a day by preset: "
        "so long a compacted topic keeps deletions.",
    .operands_min = 1,
    .operands_max = 1,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
