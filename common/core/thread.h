/* Threads that have a name, by which ps, top and perf tell them apart. */
#pragma once

#include <pthread.h>

#include <mr/error.h>

/* A thread named `name`, of at most 15 characters, that runs `run(argument)`; to be joined or
 * detached. MR_ERR_SYSTEM when the system has none left: nothing was started. Any thread. */
mr_status mr_thread_start(const char *name, void *(*run)(void *), void *argument,
                          pthread_t *ret_thread, mr_error *err) MR_MUST_USE;
