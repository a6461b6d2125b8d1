/*
 * SIGTERM and SIGINT ask for a clean end. The second one ends the process at once, and so does a
 * clean end that takes too long: what is committed is safe, because any kill is.
 *
 * The signals are blocked in every thread and taken by one that waits for nothing else, so there is
 * no handler and no global state.
 */
#pragma once

#include <signal.h>

#include <mr/log.h>

/* Main thread, before others are started: they inherit the mask. SIGPIPE is ignored from then on.
 */
mr_status mr_signals_block(mr_error *err) MR_MUST_USE;

/* Starts the thread that waits for the signals; `stop` (set to the signal's number) and `log` must
 * live until the process ends. */
mr_status mr_signals_watch(volatile sig_atomic_t *stop, int64_t shutdown_timeout_ms,
                           const mr_log *log, mr_error *err) MR_MUST_USE;
