#include "cli/child.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/alloc.h"

MR_DEFINE_CLEANUP(char, free)

/* ---- Where the executable is ---- */

static char *beside_this_program(const char *name)
{
    char self[PATH_MAX];
    const ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len <= 0) {
        return NULL;
    }
    self[len] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL) {
        return NULL;
    }
    *slash = '\0';
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", self, name);
    return access(path, X_OK) == 0 ? MR_STEAL(&path) : NULL;
}

static char *in_path(const char *name)
{
    const char *directories = getenv("PATH");
    while (directories != NULL && *directories != '\0') {
        const size_t len = strcspn(directories, ":");
        MR_CLEANUP(freep)
        char *path = len == 0 ? mr_asprintf("./%s", name)
                              : mr_asprintf("%.*s/%s", (int)len, directories, name);
        if (access(path, X_OK) == 0) {
            return MR_STEAL(&path);
        }
        directories += len + (directories[len] == ':');
    }
    return NULL;
}

/* ---- The command line ---- */

static void add(mr_command *command, const char *text)
{
    MR_GROW(command->argv, command->capacity, command->n + 2);
    command->argv[command->n++] = mr_strdup(text);
    command->argv[command->n] = NULL;
}

static void add_option(mr_command *command, const char *name, const char *value)
{
    if (value != NULL) {
        add(command, name);
        add(command, value);
    }
}

mr_status mr_command_init(mr_command *command, const mr_command_options *options, mr_error *err)
{
    *command = (mr_command){.death_signal = options->death_signal};
    MR_CLEANUP(freep) char *name = mr_asprintf("millrace-%s", options->kind);
    command->path = beside_this_program(name);
    if (command->path == NULL) {
        command->path = in_path(name);
    }
    if (command->path == NULL) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "stage '%s' needs %s, which is neither beside this program nor in PATH",
                            options->stage, name);
    }
    add(command, name);
    add_option(command, "--app", options->app);
    add_option(command, "--stage", options->stage);
    add_option(command, "--as", options->version);
    add_option(command, "--config", options->config);
    add_option(command, "--log-level", options->log_level);
    for (size_t i = 0; i < options->assignments->n; i++) {
        add_option(command, "-X", options->assignments->items[i]);
    }
    MR_CLEANUP(freep) char *instance = mr_asprintf("group.instance.id=%s", options->instance);
    add_option(command, "-X", instance);
    return MR_OK;
}

void mr_command_deinit(mr_command *command)
{
    for (size_t i = 0; i < command->n; i++) {
        free(command->argv[i]);
    }
    free(command->argv);
    free(command->path);
    *command = (mr_command){0};
}

/* ---- Start ---- */

/* In the child, where other threads of the parent may have held any lock: system calls only. */
static void become(const mr_command *command, const sigset_t *mask, pid_t parent)
{
    enum { NOT_STARTED = 127 };
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, command->death_signal);
    if (getppid() == parent) { /* it may have died before prctl */
        (void)sigprocmask(SIG_SETMASK, mask, NULL);
        (void)execv(command->path, command->argv);
    }
    _exit(NOT_STARTED);
}

pid_t mr_command_start(const mr_command *command, const sigset_t *mask)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        become(command, mask, parent);
    }
    return pid;
}
