/* The command line of a processor, and its start. */
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "app/flags.h"

typedef struct mr_command {
    char *path;
    char **argv; /* owned, NULL-terminated */
    size_t n;
    size_t capacity;
    int death_signal;
} mr_command;

typedef struct mr_command_options {
    const char *kind;
    const char *app;
    const char *stage;
    const char *version; /* NULL: the live one */
    const char *instance;
    const char *config;    /* NULL: none */
    const char *log_level; /* NULL: not said */
    const mr_texts *assignments;
    int death_signal; /* that the child gets when the parent dies */
} mr_command_options;

/* Finds millrace-<kind> beside this program, then in PATH. MR_ERR_USAGE: nowhere. */
mr_status mr_command_init(mr_command *command, const mr_command_options *options,
                          mr_error *err) MR_MUST_USE;
void mr_command_deinit(mr_command *command);

/* In a process group of its own, so that a terminal's Ctrl-C is told to the parent only; ended with
 * the death signal when the parent dies. -1 with errno when there can be no process. */
pid_t mr_command_start(const mr_command *command, const sigset_t *mask);
