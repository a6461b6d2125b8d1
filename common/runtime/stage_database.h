/* The state directory of a stage, opened as that stage's and no other's. */
#pragma once

#include <mr/app.h>

#include "store/database.h"

/* mr_database_open; what the directory must be known by is filled in from `stage`. */
mr_status mr_stage_database_open(const mr_stage *stage, const mr_database_options *options,
                                 const mr_log *log, mr_database **ret_database,
                                 mr_error *err) MR_MUST_USE;
