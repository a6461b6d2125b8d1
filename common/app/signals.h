/* SIGTERM and SIGINT ask for a clean end; the second one ends the process at once. */
#pragma once

#include <signal.h>

#include <mr/error.h>

/* Number of the signal that asked for the end, 0 before. Written by the handler only. */
extern volatile sig_atomic_t mr_signal_flag;

/* Main thread, before others are started. SIGPIPE is ignored from then on. */
mr_status mr_signals_install(mr_error *err) MR_MUST_USE;
