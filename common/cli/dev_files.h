/*
 * Where a `millrace dev` keeps what it has, and how other verbs find it: one directory an app,
 * <base>/dev/<app>, with a marker file that its process holds a lock on, and dev.properties.
 * <base> is state.dir when that is set, else $XDG_STATE_HOME/millrace or ~/.local/state/millrace.
 */
#pragma once

#include "app/settings.h"

#define MR_DEV_PROPERTIES "dev.properties"

/* A heap text. MR_ERR_USAGE when there is neither state.dir nor a home. */
mr_status mr_dev_directory(const mr_settings *settings, const char *app, char **ret_directory,
                           mr_error *err) MR_MUST_USE;

/* Makes or empties the directory and locks it for the life of the descriptor. One that has no
 * marker and is not empty is refused: it may be anything. */
mr_status mr_dev_claim(const char *directory, int *ret_lock, mr_error *err) MR_MUST_USE;

/* Takes over the settings of the app's running dev where the person said nothing else.
 * MR_NOT_FOUND: none runs. */
mr_status mr_dev_find(mr_settings *settings, const char *app, int64_t *ret_pid,
                      mr_error *err) MR_MUST_USE;
