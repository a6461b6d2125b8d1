/*
 * One line per event to a stream (stderr): `time level component message key=value ...` (logfmt).
 * ERROR: a person must act. WARN: degraded; the sentence ends ", retrying" or ", skipping".
 * INFO: lifecycle, never per record. DEBUG: may be per batch. Payloads are never logged.
 *
 * A log is a value: copy it and give the copy a component ("task 3") with mr_log_for. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include <mr/clock.h>
#include <mr/error.h>

typedef enum mr_log_level {
    MR_LOG_ERROR = 0,
    MR_LOG_WARN,
    MR_LOG_INFO,
    MR_LOG_DEBUG,
} mr_log_level;

typedef struct mr_log {
    FILE *stream; /* NULL: silent */
    mr_clock *clock;
    mr_log_level level;
    bool json; /* one JSON object a line instead of logfmt */
    char component[64];
} mr_log;

/* A silent log, for tests. */
#define MR_LOG_NULL ((mr_log){0})

/* A copy of `log` whose component is the formatted text (cut at 63 bytes). */
mr_log mr_log_for(const mr_log *log, const char *format, ...) MR_PRINTF(2, 3);

/* "error", "warn", "info", "debug"; MR_NOT_FOUND for anything else. */
mr_status mr_log_level_parse(const char *text, mr_log_level *ret_level) MR_MUST_USE;

/* The message is one line of text; append key=value pairs with the format, values quoted by hand.
 */
void mr_log_line(const mr_log *log, mr_log_level level, const char *format, ...) MR_PRINTF(3, 4);

#define mr_log_error(log, ...) mr_log_line((log), MR_LOG_ERROR, __VA_ARGS__)
#define mr_log_warn(log, ...) mr_log_line((log), MR_LOG_WARN, __VA_ARGS__)
#define mr_log_info(log, ...) mr_log_line((log), MR_LOG_INFO, __VA_ARGS__)
#define mr_log_debug(log, ...) mr_log_line((log), MR_LOG_DEBUG, __VA_ARGS__)
