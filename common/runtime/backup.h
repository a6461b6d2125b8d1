/*
 * A backup of the state of one instance of a stage: a directory with a checkpoint of its database,
 * the file `backup.json` (whose it is, when it was made, how far each task is) and the sums of all
 * files. What came later is in the changelogs: the backup and their tails are the state.
 *
 * Thread: any; one at a time is made in one place.
 */
#pragma once

#include <mr/app.h>
#include <mr/json.h>
#include <mr/log.h>

#include "store/database.h"

typedef struct mr_backup_task {
    int32_t number;
    mr_progress progress;
} mr_backup_task;

typedef struct mr_backup {
    char *directory;
    int64_t made_ms; /* epoch, by the clock of who made it */
    int64_t bytes;   /* of all files; only when it was just made */
    mr_backup_task *tasks;
    size_t n_tasks;
} mr_backup;

typedef struct mr_backup_options {
    const mr_stage *stage;
    const char *above; /* exists; the backup is made in it */
    const char *name;
    int64_t now_ms;
    const mr_log *log;
} mr_backup_options;

/* MR_ERR_USAGE: it is no name of a backup: [A-Za-z0-9._-]+, not beginning with a dot. */
mr_status mr_backup_check_name(const char *name, mr_error *err) MR_MUST_USE;

/* Makes "<above>/<name>", which is whole or not there. MR_ERR_USAGE: the name is wrong or taken. */
mr_status mr_backup_make(mr_database *database, const mr_backup_options *options,
                         mr_backup *ret_backup, mr_error *err) MR_MUST_USE;
/* The same of a state directory that no process has; nothing else may begin to use it meanwhile. */
mr_status mr_backup_make_offline(const char *state_directory, const mr_backup_options *options,
                                 mr_backup *ret_backup, mr_error *err) MR_MUST_USE;
/* Reads every byte of it. Refused with what is wrong: what is damaged or not whole, of another
 * stage, with other partitions or stores. */
mr_status mr_backup_open(const char *directory, const mr_stage *stage, mr_backup *ret_backup,
                         mr_error *err) MR_MUST_USE;
/* Makes `directory`, which must not exist, a state directory as it was then. */
mr_status mr_backup_copy(const mr_backup *backup, const char *directory, mr_error *err) MR_MUST_USE;
void mr_backup_deinit(mr_backup *backup);

/* The members "made" and "tasks" of an object that is open. */
void mr_backup_put(const mr_backup *backup, const mr_stage *stage, mr_json_writer *json);
