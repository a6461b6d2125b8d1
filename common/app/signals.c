#include "app/signals.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/thread.h"

enum { EXIT_TOO_SLOW = 1, EXIT_KILLED = 128 };

typedef struct mr_watch {
    volatile sig_atomic_t *stop;
    int64_t timeout_ms;
    const mr_log *log;
} mr_watch;

static sigset_t ending_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    return set;
}

mr_status mr_signals_block(mr_error *err)
{
    const sigset_t set = ending_signals();
    const int code = pthread_sigmask(SIG_BLOCK, &set, NULL);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (code != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "cannot set up signals: %s",
                            strerror(code != 0 ? code : errno));
    }
    return MR_OK;
}

static void *watch(void *argument)
{
    const mr_watch given = *(const mr_watch *)argument;
    free(argument);
    const sigset_t set = ending_signals();
    int number = 0;
    while (sigwait(&set, &number) != 0) {
    }
    *given.stop = number;
    const struct timespec deadline = {.tv_sec = (time_t)(given.timeout_ms / 1000),
                                      .tv_nsec = (long)(given.timeout_ms % 1000 * 1000000)};
    int second = -1;
    do {
        second = sigtimedwait(&set, NULL, &deadline);
    } while (second < 0 && errno == EINTR);
    if (second > 0) {
        _exit(EXIT_KILLED + second);
    }
    mr_log_error(given.log,
                 "not ended within shutdown.timeout.ms=%lld of the signal: ending now; what is "
                 "committed is safe",
                 (long long)given.timeout_ms);
    _exit(EXIT_TOO_SLOW);
}

mr_status mr_signals_watch(volatile sig_atomic_t *stop, int64_t shutdown_timeout_ms,
                           const mr_log *log, mr_error *err)
{
    mr_watch *given = mr_alloc(sizeof(*given));
    *given = (mr_watch){.stop = stop, .timeout_ms = shutdown_timeout_ms, .log = log};
    pthread_t thread;
    const mr_status status = mr_thread_start("signals", watch, given, &thread, err);
    if (status != MR_OK) {
        free(given);
        return status;
    }
    (void)pthread_detach(thread);
    return MR_OK;
}
