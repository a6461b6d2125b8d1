/*
 * A small app whose logic is C, for tests and benchmarks of the runtime alone: stage "counts" reads
 * topic "counting.numbers" (schema Number {Value}) and keeps, for each key, count, sum and last of
 * what it saw, sending each new row to "counting.totals". A Value of -1 makes the handler fail
 * after it has changed its row.
 */
#pragma once

#include <mr/handler.h>

#include "runtime/driver.h"

mr_app *mr_counting_app(int32_t partitions);
mr_status mr_counting_handler(void *argument, const mr_stage *stage, mr_handler **ret_handler,
                              mr_error *err);
