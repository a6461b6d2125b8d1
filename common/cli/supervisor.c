#include "cli/supervisor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/endpoint.h"
#include "app/http_get.h"
#include "cli/backoff.h"
#include "cli/child.h"
#include "core/alloc.h"

enum {
    READY_POLL_MS = 100,
    OVER_POLL_MS = 200,
    READY_TIMEOUT_MS = 1000,
    GRACE_MS = 5000, /* beyond the children's own shutdown.timeout.ms */
};

typedef struct child {
    const mr_stage *stage;
    char *name;      /* "cart/0" */
    char *directory; /* where its file `http` is */
    mr_command command;
    pid_t pid; /* 0: does not run */
    int64_t started_ms;
    int64_t pause_ms;    /* before its last start */
    int64_t start_at_ms; /* when it does not run */
} child;

struct mr_supervisor {
    const mr_cli *cli;
    mr_clock *clock;
    child *children;
    size_t n_children;
    mr_http_client *http;
    int signals; /* signalfd; -1: none */
    const sigset_t *mask;
    bool (*is_over)(void *context);
    bool is_ready;
    bool is_stopping;
    int64_t kill_at_ms;
    char failure[256]; /* what a child's usage error says; "": none */
};

MR_DEFINE_CLEANUP(char, free)

static int64_t now_ms(const mr_supervisor *s)
{
    return mr_clock_monotonic_ms(s->clock);
}

/* ---- Making ---- */

static mr_status add_child(mr_supervisor *s, const mr_supervisor_options *options,
                           const mr_stage *stage, const char *instance, mr_error *err)
{
    child *c = &s->children[s->n_children];
    MR_TRY(mr_instance_directory(&s->cli->settings, stage, instance, &c->directory, err));
    s->n_children++;
    c->stage = stage;
    c->name = mr_asprintf("%s/%s", stage->name, instance);
    const mr_command_options command = {.kind = stage->kind,
                                        .app = options->app,
                                        .stage = stage->name,
                                        .version = mr_stage_version(stage),
                                        .instance = instance,
                                        .config = s->cli->config,
                                        .log_level = s->cli->log_level,
                                        .assignments = options->assignments,
                                        .death_signal = options->death_signal};
    return mr_command_init(&c->command, &command, err);
}

static bool is_wanted(const mr_texts *stages, const char *name)
{
    for (size_t i = 0; i < stages->n; i++) {
        if (strcmp(stages->items[i], name) == 0) {
            return true;
        }
    }
    return stages->n == 0;
}

static mr_status check_stages(const mr_app *app, const mr_texts *stages, mr_error *err)
{
    for (size_t i = 0; i < stages->n; i++) {
        const mr_stage *stage;
        MR_TRY(mr_definition_stage(app, stages->items[i], &stage, err));
    }
    return MR_OK;
}

/* One process a stage keeps the instance id that is configured; several are numbered. */
static mr_status add_children(mr_supervisor *s, const mr_supervisor_options *options, mr_error *err)
{
    const mr_app *app = s->cli->app;
    MR_TRY(check_stages(app, options->stages, err));
    s->children = mr_alloc_zero(app->n_stages * (size_t)options->instances + 1, sizeof(child));
    for (size_t i = 0; i < app->n_stages; i++) {
        if (!is_wanted(options->stages, app->stages[i].name)) {
            continue;
        }
        for (int64_t n = 0; n < options->instances; n++) {
            MR_CLEANUP(freep) char *number = mr_asprintf("%" PRId64, n);
            const char *instance =
                options->instances == 1 ? s->cli->settings.runtime.instance_id : number;
            MR_TRY(add_child(s, options, &app->stages[i], instance, err));
        }
    }
    return MR_OK;
}

static void list_signals(sigset_t *set)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGPIPE};
    (void)sigemptyset(set);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)sigaddset(set, numbers[i]);
    }
}

mr_status mr_supervisor_block_signals(sigset_t *ret_before, mr_error *err)
{
    sigset_t set;
    list_signals(&set);
    if (sigprocmask(SIG_BLOCK, &set, ret_before) != 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "block signals: %s", strerror(errno));
    }
    return MR_OK;
}

static mr_status take_signals(mr_supervisor *s, mr_error *err)
{
    sigset_t set;
    list_signals(&set);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signals < 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "signalfd: %s", strerror(errno));
    }
    return MR_OK;
}

mr_status mr_supervisor_new(const mr_supervisor_options *options, mr_supervisor **ret_supervisor,
                            mr_error *err)
{
    MR_CLEANUP(mr_supervisor_freep) mr_supervisor *s = mr_alloc_zero(1, sizeof(*s));
    s->cli = options->cli;
    s->mask = options->mask;
    s->is_over = options->is_over;
    s->clock = mr_clock_system();
    s->signals = -1;
    MR_TRY(add_children(s, options, err));
    MR_TRY(mr_http_client_new(READY_TIMEOUT_MS, &s->http, err));
    MR_TRY(take_signals(s, err));
    *ret_supervisor = MR_STEAL(&s);
    return MR_OK;
}

void mr_supervisor_free(mr_supervisor *s)
{
    if (s == NULL) {
        return;
    }
    if (s->signals >= 0) {
        (void)close(s->signals);
    }
    mr_http_client_free(s->http);
    for (size_t i = 0; i < s->n_children; i++) {
        mr_command_deinit(&s->children[i].command);
        free(s->children[i].name);
        free(s->children[i].directory);
    }
    free(s->children);
    free(s);
}

/* ---- Children ---- */

static void start(mr_supervisor *s, child *c)
{
    c->started_ms = now_ms(s);
    c->pid = mr_command_start(&c->command, s->mask);
    if (c->pid < 0) {
        mr_log_error(&s->cli->log, "%s: cannot start a process: %s, retrying", c->name,
                     strerror(errno));
        c->pid = 0;
        c->pause_ms = mr_backoff_next(c->pause_ms, 0);
        c->start_at_ms = c->started_ms + c->pause_ms;
    }
}

static void signal_all(const mr_supervisor *s, int number)
{
    for (size_t i = 0; i < s->n_children; i++) {
        if (s->children[i].pid > 0) {
            (void)kill(s->children[i].pid, number);
        }
    }
}

static void stop(mr_supervisor *s)
{
    if (!s->is_stopping) {
        s->is_stopping = true;
        s->kill_at_ms = now_ms(s) + s->cli->settings.runtime.shutdown_timeout_ms + GRACE_MS;
        signal_all(s, SIGTERM);
    }
}

static void describe_end(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status)) {
        (void)snprintf(text, size, "was killed by signal %d", WTERMSIG(status));
    } else {
        (void)snprintf(text, size, "ended with exit code %d", WEXITSTATUS(status));
    }
}

static void child_ended(mr_supervisor *s, child *c, int status)
{
    char text[64];
    c->pid = 0;
    describe_end(status, text, sizeof(text));
    if (s->is_stopping) {
        return;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == MR_EXIT_USAGE) {
        (void)snprintf(s->failure, sizeof(s->failure),
                       "stage %s cannot run: its last line above says why", c->name);
        stop(s);
        return;
    }
    const int64_t now = now_ms(s);
    c->pause_ms = mr_backoff_next(c->pause_ms, now - c->started_ms);
    c->start_at_ms = now + c->pause_ms;
    mr_log_warn(&s->cli->log,
                "%s %s after %" PRId64 " ms: starting it again in %" PRId64 " ms, retrying",
                c->name, text, now - c->started_ms, c->pause_ms);
}

static void reap(mr_supervisor *s)
{
    for (size_t i = 0; i < s->n_children; i++) {
        int status;
        if (s->children[i].pid > 0 && waitpid(s->children[i].pid, &status, WNOHANG) > 0) {
            child_ended(s, &s->children[i], status);
        }
    }
}

static bool any_runs(const mr_supervisor *s)
{
    for (size_t i = 0; i < s->n_children; i++) {
        if (s->children[i].pid > 0) {
            return true;
        }
    }
    return false;
}

/* Starts what is due; returns ms until the next one is, -1: none. */
static int64_t start_due(mr_supervisor *s)
{
    int64_t next = -1;
    const int64_t now = now_ms(s);
    for (size_t i = 0; i < s->n_children; i++) {
        child *c = &s->children[i];
        if (c->pid == 0 && c->start_at_ms <= now) {
            start(s, c);
        }
        if (c->pid == 0) {
            const int64_t wait = c->start_at_ms > now ? c->start_at_ms - now : 1;
            next = next < 0 || wait < next ? wait : next;
        }
    }
    return next;
}

/* ---- Readiness ---- */

static bool answers_ready(mr_supervisor *s, const child *c)
{
    char address[MR_ADDRESS_SIZE];
    int64_t pid;
    int status = 0;
    mr_error err;
    MR_CLEANUP(mr_buf_deinit) mr_buf body = MR_BUF_NULL;
    return mr_endpoint_read(c->directory, address, &pid) == MR_OK && pid == c->pid &&
           mr_http_client_get(s->http, address, "/readyz", &status, &body, &err) == MR_OK &&
           status == 200;
}

/* At one time: while a group shares its tasks out, a member is ready with the few that it has. */
static bool all_ready(mr_supervisor *s)
{
    for (size_t i = 0; i < s->n_children; i++) {
        if (s->children[i].pid <= 0 || !answers_ready(s, &s->children[i])) {
            return false;
        }
    }
    return true;
}

/* ---- Loop ---- */

/* All signals that came; the second wish to end is for now. */
static void read_signals(mr_supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD || info.ssi_signo == SIGPIPE) {
            continue;
        }
        if (s->is_stopping) {
            signal_all(s, SIGKILL);
        }
        stop(s);
    }
    reap(s);
}

/* Waits for a signal, at most `timeout_ms`; -1: as long as it takes. */
static void wait_for_signals(mr_supervisor *s, int64_t timeout_ms)
{
    struct pollfd fd = {.fd = s->signals, .events = POLLIN};
    const int timeout = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    (void)poll(&fd, 1, timeout);
    read_signals(s);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : a < b ? a : b;
}

static mr_status end_children(mr_supervisor *s, mr_error *err)
{
    bool killed = false;
    while (any_runs(s)) {
        const int64_t left = s->kill_at_ms - now_ms(s);
        if (left <= 0 && !killed) {
            mr_log_error(&s->cli->log, "not all stages ended in time: killing them");
            signal_all(s, SIGKILL);
            killed = true;
        }
        wait_for_signals(s, left > 0 ? left : -1);
    }
    if (s->failure[0] != '\0') {
        return mr_error_set(err, MR_ERR_USAGE, "%s", s->failure);
    }
    return killed ? mr_error_set(err, MR_ERR_SYSTEM, "some stages had to be killed") : MR_OK;
}

mr_status mr_supervisor_run(mr_supervisor *s, void (*ready)(void *context), void *context,
                            mr_error *err)
{
    while (!s->is_stopping) {
        int64_t timeout = start_due(s);
        if (!s->is_ready && all_ready(s)) {
            s->is_ready = true;
            ready(context);
        }
        if (!s->is_ready) {
            timeout = sooner(timeout, READY_POLL_MS);
        }
        if (s->is_over != NULL) {
            timeout = sooner(timeout, OVER_POLL_MS);
        }
        wait_for_signals(s, timeout);
        if (s->is_over != NULL && !s->is_stopping && s->is_over(context)) {
            stop(s);
        }
    }
    return end_children(s, err);
}
