#include "runtime/backup.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/crash_point.h"
#include "core/file.h"
#include "core/text.h"
#include "runtime/offline.h"
#include "runtime/stage_database.h"
#include "store/archive.h"

MR_DEFINE_CLEANUP(char, free)

static const char about_file[] = "backup.json";

enum { FORMAT = 2, ABOUT_BYTES_MAX = 16 << 20 };

void mr_backup_deinit(mr_backup *backup)
{
    free(backup->directory);
    free(backup->tasks);
    *backup = (mr_backup){0};
}

static int32_t partitions_of(const mr_stage *stage)
{
    return mr_app_topic(stage->app, stage->stores[0].changelog)->partitions;
}

/* ---- Making ---- */

mr_status mr_backup_check_name(const char *name, mr_error *err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    enum { NAME_MAX_BYTES = 200 };
    const size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_BYTES || name[0] == '.' || strspn(name, allowed) != len) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "'%.80s' cannot name a backup: letters, digits, '.', '_' and '-', not "
                            "beginning with a dot, at most %d",
                            name, NAME_MAX_BYTES);
    }
    return MR_OK;
}

static mr_status read_progress(mr_database *database, mr_backup_task *task, mr_error *err)
{
    mr_partition *partition;
    MR_TRY(mr_partition_open(database, task->number, &partition, err));
    const mr_status status = mr_partition_progress(partition, &task->progress, err);
    mr_partition_close(partition);
    return status;
}

static mr_status read_all_progress(mr_database *database, mr_backup *backup, mr_error *err)
{
    int32_t *numbers = NULL;
    MR_TRY(mr_database_partitions(database, &numbers, &backup->n_tasks, err));
    backup->tasks = mr_alloc_zero(backup->n_tasks + 1, sizeof(*backup->tasks));
    mr_status status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < backup->n_tasks; i++) {
        backup->tasks[i].number = numbers[i];
        status = read_progress(database, &backup->tasks[i], err);
    }
    free(numbers);
    return status;
}

/* Of the checkpoint itself: the database has gone on meanwhile. Shows that it can be opened, too.
 */
static mr_status read_tasks(const char *checkpoint, const mr_backup_options *options,
                            mr_backup *backup, mr_error *err)
{
    mr_database *database;
    MR_TRY(mr_offline_open(checkpoint, options->stage, options->log, &database, err));
    const mr_status status = read_all_progress(database, backup, err);
    mr_database_free(database);
    return status;
}

static void put_task(const mr_backup_task *task, const mr_stage *stage, mr_json_writer *json)
{
    mr_json_open_object(json);
    mr_json_put_name(json, "task");
    mr_json_put_integer(json, task->number);
    mr_json_put_name(json, "input_offset");
    mr_json_put_integer(json, task->progress.input_offset);
    mr_json_put_name(json, "changelog_offsets");
    mr_json_open_object(json);
    for (size_t i = 0; i < stage->n_stores; i++) {
        mr_json_put_name(json, stage->stores[i].changelog);
        mr_json_put_integer(json, task->progress.changelog_offset[i]);
    }
    mr_json_close_object(json);
    mr_json_close_object(json);
}

void mr_backup_put(const mr_backup *backup, const mr_stage *stage, mr_json_writer *json)
{
    char made[MR_TIME_TEXT_SIZE];
    mr_time_format(backup->made_ms, made);
    mr_json_put_name(json, "made");
    mr_json_put_text(json, made);
    mr_json_put_name(json, "tasks");
    mr_json_open_array(json);
    for (size_t i = 0; i < backup->n_tasks; i++) {
        put_task(&backup->tasks[i], stage, json);
    }
    mr_json_close_array(json);
}

static mr_status write_about(const char *directory, const mr_backup *backup, const mr_stage *stage,
                             mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    MR_CLEANUP(freep) char *identity = mr_stage_place(stage);
    mr_json_writer json = mr_json_writer_on(&text);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "format");
    mr_json_put_integer(&json, FORMAT);
    mr_json_put_name(&json, "stage");
    mr_json_put_text(&json, identity);
    mr_json_put_name(&json, "partitions");
    mr_json_put_integer(&json, partitions_of(stage));
    mr_json_put_name(&json, "changelogs");
    mr_json_open_array(&json);
    for (size_t i = 0; i < stage->n_stores; i++) {
        mr_json_put_text(&json, stage->stores[i].changelog);
    }
    mr_json_close_array(&json);
    mr_backup_put(backup, stage, &json);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    mr_buf_append_byte(&text, '\n');
    return mr_archive_add(directory, about_file, mr_buf_bytes(&text), err);
}

static mr_status fill(mr_database *database, const mr_backup_options *options, const char *partial,
                      mr_backup *backup, mr_error *err)
{
    MR_TRY(mr_archive_remove(partial, err)); /* what a kill left */
    MR_TRY(mr_database_checkpoint(database, partial, err));
    MR_CRASH_POINT("backup-checkpointed");
    MR_TRY(read_tasks(partial, options, backup, err));
    MR_TRY(write_about(partial, backup, options->stage, err));
    MR_CRASH_POINT("backup-described");
    return mr_archive_seal(partial, backup->directory, &backup->bytes, err);
}

mr_status mr_backup_make(mr_database *database, const mr_backup_options *options,
                         mr_backup *ret_backup, mr_error *err)
{
    MR_TRY(mr_backup_check_name(options->name, err));
    mr_backup backup = {.directory = mr_asprintf("%s/%s", options->above, options->name),
                        .made_ms = options->now_ms};
    /* One name for all: what a kill left goes with the next one. */
    MR_CLEANUP(freep) char *partial = mr_asprintf("%s/.partial", options->above);
    mr_status status = MR_OK;
    if (access(backup.directory, F_OK) == 0) {
        status = mr_error_set(err, MR_ERR_USAGE, "backup '%s' exists already; take another name",
                              backup.directory);
    } else {
        status = fill(database, options, partial, &backup, err);
    }
    if (status != MR_OK) {
        mr_error ignored;
        (void)(mr_archive_remove(partial, &ignored) == MR_OK);
        mr_backup_deinit(&backup);
        return status;
    }
    *ret_backup = backup;
    return MR_OK;
}

mr_status mr_backup_make_offline(const char *state_directory, const mr_backup_options *options,
                                 mr_backup *ret_backup, mr_error *err)
{
    enum { CACHE_BYTES = 8 << 20 };
    const mr_database_options opening = {
        .directory = state_directory,
        .cache_bytes = CACHE_BYTES,
        .memtable_bytes = CACHE_BYTES,
    };
    mr_database *database;
    MR_TRY(mr_stage_database_open(options->stage, &opening, options->log, &database, err));
    const mr_status status = mr_backup_make(database, options, ret_backup, err);
    mr_database_free(database);
    return status;
}

/* ---- Opening ---- */

static mr_status refuse(const mr_backup *backup, mr_error *err, const char *format, ...)
    MR_PRINTF(3, 4);

static mr_status refuse(const mr_backup *backup, mr_error *err, const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return mr_error_set(err, MR_ERR_USAGE, "backup '%s' %s", backup->directory, text);
}

static int64_t integer_of(const mr_json *json, const char *name)
{
    int64_t number;
    return mr_json_integer(mr_json_get(json, name), &number) == MR_OK ? number : INT64_MIN;
}

static mr_status check_stage(const mr_backup *backup, const mr_json *about, const mr_stage *stage,
                             mr_error *err)
{
    MR_CLEANUP(freep) char *identity = mr_stage_place(stage);
    mr_bytes found = MR_BYTES_NULL;
    const int64_t format = integer_of(about, "format");
    if (format != FORMAT) {
        return refuse(backup, err,
                      "has format %lld, this millrace reads %d; `millrace restore` without --from "
                      "reads the changelogs",
                      (long long)format, FORMAT);
    }
    if (mr_json_string(mr_json_get(about, "stage"), &found) != MR_OK ||
        !mr_bytes_equal_text(found, identity)) {
        return refuse(backup, err, "is of '%.*s', not of '%s'", (int)found.len, found.data,
                      identity);
    }
    const int64_t partitions = integer_of(about, "partitions");
    if (partitions != partitions_of(stage)) {
        return refuse(backup, err, "is of %lld partitions, the app declares %d",
                      (long long)partitions, partitions_of(stage));
    }
    return MR_OK;
}

/* Stores have their place by number: one that was added at the end is read from its beginning. */
static mr_status check_stores(const mr_backup *backup, const mr_json *about, const mr_stage *stage,
                              mr_error *err)
{
    size_t i = 0;
    const mr_json *names = mr_json_get(about, "changelogs");
    for (const mr_json *name = mr_json_first(names); name != NULL; name = mr_json_next(name), i++) {
        mr_bytes found = MR_BYTES_NULL;
        const char *ours = i < stage->n_stores ? stage->stores[i].changelog : "none";
        if (mr_json_string(name, &found) != MR_OK || !mr_bytes_equal_text(found, ours)) {
            return refuse(backup, err,
                          "has other stores than the app: of changelog '%.*s', where the app has "
                          "'%s'; `millrace restore` without --from reads the changelogs",
                          (int)found.len, found.data, ours);
        }
    }
    return MR_OK;
}

static mr_status take_task(const mr_backup *backup, const mr_json *json, const mr_stage *stage,
                           mr_backup_task *task, mr_error *err)
{
    const int64_t number = integer_of(json, "task");
    if (number < 0 || number >= partitions_of(stage)) {
        return refuse(backup, err, "has a task %lld, the stage has 0 to %d", (long long)number,
                      partitions_of(stage) - 1);
    }
    *task = (mr_backup_task){.number = (int32_t)number};
    task->progress.input_offset = integer_of(json, "input_offset");
    task->progress.n_stores = stage->n_stores;
    const mr_json *offsets = mr_json_get(json, "changelog_offsets");
    for (size_t i = 0; i < stage->n_stores; i++) {
        const int64_t offset = integer_of(offsets, stage->stores[i].changelog);
        task->progress.changelog_offset[i] = offset < 0 ? -1 : offset;
    }
    return MR_OK;
}

static mr_status take_about(mr_backup *backup, const mr_json *about, const mr_stage *stage,
                            mr_error *err)
{
    mr_bytes made = MR_BYTES_NULL;
    const mr_json *tasks = mr_json_get(about, "tasks");
    MR_TRY(check_stage(backup, about, stage, err));
    MR_TRY(check_stores(backup, about, stage, err));
    if (mr_json_string(mr_json_get(about, "made"), &made) != MR_OK ||
        mr_time_parse(made, &backup->made_ms) != MR_OK) {
        return refuse(backup, err, "does not say when it was made");
    }
    backup->tasks = mr_alloc_zero(mr_json_count(tasks) + 1, sizeof(*backup->tasks));
    for (const mr_json *task = mr_json_first(tasks); task != NULL; task = mr_json_next(task)) {
        MR_TRY(take_task(backup, task, stage, &backup->tasks[backup->n_tasks], err));
        backup->n_tasks++;
    }
    return backup->n_tasks > 0 ? MR_OK : refuse(backup, err, "has no task");
}

static mr_status read_about(mr_backup *backup, const mr_stage *stage, mr_error *err)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", backup->directory, about_file);
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    const mr_status found = mr_file_read(path, ABOUT_BYTES_MAX, &text, err);
    if (found == MR_NOT_FOUND) {
        return refuse(backup, err, "is none: it has no file %s", about_file);
    }
    MR_TRY(found);
    mr_json *parsed = NULL;
    if (mr_json_parse(mr_buf_bytes(&text), &parsed, err) != MR_OK) {
        return mr_error_prefix(err, "backup '%s': %s", backup->directory, about_file);
    }
    const mr_status status = take_about(backup, parsed, stage, err);
    mr_json_free(parsed);
    return status;
}

mr_status mr_backup_open(const char *directory, const mr_stage *stage, mr_backup *ret_backup,
                         mr_error *err)
{
    mr_backup backup = {.directory = mr_strdup(directory)};
    mr_status status = MR_OK;
    struct stat found;
    if (stat(directory, &found) != 0 || !S_ISDIR(found.st_mode)) {
        status = refuse(&backup, err, "does not exist, or is no directory");
    }
    status = status == MR_OK ? mr_archive_check(directory, err) : status;
    status = status == MR_OK ? read_about(&backup, stage, err) : status;
    if (status != MR_OK) {
        mr_backup_deinit(&backup);
        return status;
    }
    *ret_backup = backup;
    return MR_OK;
}

mr_status mr_backup_copy(const mr_backup *backup, const char *directory, mr_error *err)
{
    MR_TRY(mr_archive_copy(backup->directory, directory, err));
    MR_CLEANUP(freep) char *about = mr_asprintf("%s/%s", directory, about_file);
    (void)unlink(about); /* it says nothing of a state that goes on */
    return MR_OK;
}
