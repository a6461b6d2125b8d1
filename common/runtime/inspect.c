#include "runtime/inspect.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "runtime/offline.h"

static mr_status count_rows(mr_partition *partition, uint8_t store, int64_t *n_rows, mr_error *err)
{
    MR_CLEANUP(mr_cursor_closep) mr_cursor *cursor = NULL;
    MR_TRY(mr_cursor_open(partition, store, MR_BYTES_NULL, MR_BYTES_NULL, &cursor, err));
    for (;; (*n_rows)++) {
        mr_bytes key;
        mr_bytes value;
        const mr_status status = mr_cursor_next(cursor, &key, &value, err);
        if (status != MR_OK) {
            return status == MR_END ? MR_OK : status;
        }
    }
}

static mr_status read_task(mr_database *database, const mr_stage *stage, mr_inspected_task *task,
                           mr_error *err)
{
    mr_partition *partition;
    MR_TRY(mr_partition_open(database, task->number, &partition, err));
    mr_progress progress;
    int64_t n_rows = 0;
    mr_status status = mr_partition_progress(partition, &progress, err);
    for (size_t i = 0; status == MR_OK && i < stage->n_stores; i++) {
        status = count_rows(partition, stage->stores[i].number, &n_rows, err);
    }
    task->rows = status == MR_OK ? n_rows : -1;
    mr_partition_close(partition);
    return status;
}

static mr_status read_all(mr_database *database, const mr_stage *stage, mr_inspection *inspection,
                          mr_error *err)
{
    int32_t *numbers = NULL;
    MR_TRY(mr_database_partitions(database, &numbers, &inspection->n_tasks, err));
    inspection->tasks = mr_alloc_zero(inspection->n_tasks + 1, sizeof(*inspection->tasks));
    mr_status status = MR_OK;
    for (size_t i = 0; i < inspection->n_tasks; i++) {
        inspection->tasks[i] = (mr_inspected_task){.number = numbers[i], .rows = -1};
    }
    free(numbers);
    for (size_t i = 0; status == MR_OK && i < inspection->n_tasks; i++) {
        status = read_task(database, stage, &inspection->tasks[i], err);
    }
    return status;
}

mr_status mr_inspect(const char *state_directory, const mr_stage *stage, const mr_log *log,
                     mr_inspection *ret_inspection, mr_error *err)
{
    *ret_inspection = (mr_inspection){0};
    mr_database *database;
    MR_TRY(mr_offline_open(state_directory, stage, log, &database, err));
    const mr_status status = read_all(database, stage, ret_inspection, err);
    mr_database_free(database);
    return status;
}

void mr_inspection_deinit(mr_inspection *inspection)
{
    free(inspection->tasks);
    *inspection = (mr_inspection){0};
}
