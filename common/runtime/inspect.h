/*
 * What a state directory holds, read to the last row while no process has it: so damage of any kind
 * is met, and what can be read once can be read for a digest.
 */
#pragma once

#include <mr/app.h>
#include <mr/log.h>

typedef struct mr_inspected_task {
    int32_t number;
    int64_t rows; /* of all stores; -1: not read to the end */
} mr_inspected_task;

typedef struct mr_inspection {
    mr_inspected_task *tasks; /* ascending */
    size_t n_tasks;
} mr_inspection;

/* The failure is the first damage. The tasks are filled also then, as far as they can be listed. */
mr_status mr_inspect(const char *state_directory, const mr_stage *stage, const mr_log *log,
                     mr_inspection *ret_inspection, mr_error *err) MR_MUST_USE;
void mr_inspection_deinit(mr_inspection *inspection);
