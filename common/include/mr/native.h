/*
 * Handlers in C: a shared object that a stage of app.lua names (`native = "match.so"`) and that is
 * loaded with dlopen.
 *
 * It exports one thing, `mr_native_handlers`, includes only <mr/...>, and links against nothing of
 * millrace: the program that loads it has the functions of these headers that common/native.list
 * names. processors/native.md has an example and how to compile it.
 *
 * A native handler is trusted code. A crash of it is a crash of the process (what is committed is
 * safe, because any kill is); the instruction and memory limits of Lua do not hold for it; and that
 * it is pure, no clock, no random numbers, no I/O, nothing kept from one call to the next, is its
 * author's promise: replay, restore and verify are right only as far as it is kept.
 *
 * The object stays loaded until the process ends: threads may be within it, and what it made may
 * still point into it.
 */
#pragma once

#include <mr/handler.h>

/* Raised whenever anything in a public header changes that a compiled object depends on. */
enum { MR_NATIVE_ABI = 1 };

/*
 * What to do with records of one type. `self` is what `open` returned. Fails with mr_error_record,
 * and a class such as "handler": a dead letter; nothing of what it staged takes effect. A failure
 * of a function that it calls is passed on as it is (MR_TRY). Of a MR_DECIDE or MR_EVOLVE the
 * context is for reading: it stages no rows and no records. Thread: the worker's.
 */
typedef struct mr_native_function {
    mr_handler_group group; /* MR_ON of transform and project; MR_DECIDE, MR_EVOLVE of aggregate */
    const char *type;       /* a record's name, full or short; of MR_ON "*": any other type */
    mr_status (*call)(void *self, mr_call *call, mr_error *err);
} mr_native_function;

enum { MR_NATIVE_SETTINGS_MAX = 64 };

/* A whole number that the stage must have in its `settings`. */
typedef struct mr_native_setting {
    const char *name;
    int64_t min;
    int64_t max;
} mr_native_setting;

typedef struct mr_native {
    uint32_t abi; /* MR_NATIVE_ABI */
    const mr_native_function *functions;
    size_t n_functions;
    const mr_native_setting *settings; /* their values: stage->settings, in this order */
    size_t n_settings;
    /* NULL, or makes what one worker needs beside the call, such as a table that follows from the
     * settings. Once when an app is loaded, as a check, and once for each worker; any thread. The
     * stage outlives it. Failures: MR_ERR_USAGE. */
    mr_status (*open)(const mr_stage *stage, void **ret_self, mr_error *err);
    void (*close)(void *self); /* NULL when there is nothing to free */
} mr_native;

extern __attribute__((visibility("default"))) const mr_native mr_native_handlers;
