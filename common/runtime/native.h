/* Loading the shared objects of native stages (mr/native.h), and their handlers. */
#pragma once

#include <mr/native.h>

/*
 * Loads the object that a stage names: `file` is relative to the app's directory. Sets native,
 * native_file and the handled types of the stage, whose name, app and state are set. What it
 * exports is checked against the kind and the app's schemas. MR_ERR_USAGE, with a did-you-mean.
 */
mr_status mr_native_load(mr_stage *stage, const char *file, mr_error *err) MR_MUST_USE;

/* Makes and frees a handler of each native stage of a prepared app, so that what an object's `open`
 * refuses is known before anything runs. */
mr_status mr_native_check(const mr_app *app, mr_error *err) MR_MUST_USE;

/* A handler of a native stage of a prepared app, for one worker. */
mr_status mr_native_handler_new(const mr_stage *stage, mr_handler **ret_handler,
                                mr_error *err) MR_MUST_USE;
