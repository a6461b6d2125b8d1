#include "cli/dev_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "app/files.h"
#include "core/alloc.h"
#include "core/file.h"
#include "core/text.h"

static const char marker_name[] = "millrace-dev";

MR_DEFINE_CLEANUP(char, free)

mr_status mr_dev_directory(const mr_settings *settings, const char *app, char **ret_directory,
                           mr_error *err)
{
    const char *base = mr_properties_get(&settings->properties, "state.dir");
    if (base != NULL) {
        *ret_directory = mr_asprintf("%s/dev/%s", base, app);
        return MR_OK;
    }
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (state != NULL && state[0] == '/') {
        *ret_directory = mr_asprintf("%s/millrace/dev/%s", state, app);
    } else if (home != NULL && home[0] == '/') {
        *ret_directory = mr_asprintf("%s/.local/state/millrace/dev/%s", home, app);
    } else {
        return mr_error_set(err, MR_ERR_USAGE,
                            "there is no place for the state: set HOME or -X state.dir=DIR");
    }
    return MR_OK;
}

static bool is_empty(const char *directory)
{
    DIR *entries = opendir(directory);
    if (entries == NULL) {
        return false;
    }
    bool empty = true;
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        empty &= strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    }
    (void)closedir(entries);
    return empty;
}

/* Opens the marker; -1 when there is none and `flags` do not make it. */
static int open_marker(const char *directory, int flags)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, marker_name);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
}

static mr_status claim_marker(const char *directory, int *ret_lock, mr_error *err)
{
    const int fd = open_marker(directory, O_RDWR | O_CREAT);
    if (fd < 0) {
        return mr_error_set(err, MR_ERR_USAGE, "directory '%s': cannot write there: %s", directory,
                            strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        return mr_error_set(err, MR_ERR_USAGE,
                            "directory '%s' is in use: `millrace dev` runs this app already",
                            directory);
    }
    *ret_lock = fd;
    return MR_OK;
}

mr_status mr_dev_claim(const char *directory, int *ret_lock, mr_error *err)
{
    MR_TRY(mr_directory_make(directory, err));
    const int marker = open_marker(directory, O_RDONLY);
    if (marker < 0 && !is_empty(directory)) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "directory '%s' is not empty and not from `millrace dev`: it is left "
                            "alone; set another -X state.dir=DIR",
                            directory);
    }
    if (marker >= 0) {
        (void)close(marker);
    }
    /* Locked before it is emptied, so that a running one keeps what it has; the marker goes with
     * the rest and is made again. */
    int lock = -1;
    MR_TRY(claim_marker(directory, &lock, err));
    mr_status status = mr_directory_clear(directory, err);
    int again = -1;
    if (status == MR_OK) {
        status = claim_marker(directory, &again, err);
    }
    (void)close(lock);
    if (status == MR_OK) {
        *ret_lock = again;
    }
    return status;
}

/* A process holds the marker's lock. */
static bool is_running(const char *directory)
{
    const int fd = open_marker(directory, O_RDONLY);
    if (fd < 0) {
        return false;
    }
    const bool running = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    (void)close(fd);
    return running;
}

/* Names in dev.properties that are not settings. */
static bool is_note(const char *name)
{
    return strcmp(name, "dev.pid") == 0;
}

static mr_status take_over(mr_settings *settings, const char *path, int64_t *ret_pid, mr_error *err)
{
    MR_CLEANUP(mr_properties_deinit) mr_properties found = {0};
    MR_TRY(mr_properties_load(&found, path, err));
    const char *pid = mr_properties_get(&found, "dev.pid");
    if (pid == NULL || mr_parse_int64(pid, ret_pid) != MR_OK) {
        *ret_pid = 0;
    }
    for (size_t i = 0; i < found.n; i++) {
        const mr_property *property = &found.items[i];
        const bool is_said = mr_properties_get(&settings->properties, property->name) != NULL &&
                             strcmp(property->name, "state.dir") != 0;
        if (!is_said && !is_note(property->name)) {
            mr_settings_set(settings, property->name, property->value, property->origin);
        }
    }
    return mr_settings_apply(settings, err);
}

mr_status mr_dev_find(mr_settings *settings, const char *app, int64_t *ret_pid, mr_error *err)
{
    char *found = NULL;
    if (mr_dev_directory(settings, app, &found, err) != MR_OK) {
        return MR_NOT_FOUND; /* a service has no home, and no dev either */
    }
    MR_CLEANUP(freep) char *directory = found;
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, MR_DEV_PROPERTIES);
    if (!is_running(directory) || access(path, R_OK) != 0) {
        return MR_NOT_FOUND;
    }
    return take_over(settings, path, ret_pid, err);
}
