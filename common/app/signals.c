#include "app/signals.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

volatile sig_atomic_t mr_signal_flag = 0;

static void ask_for_the_end(int number)
{
    enum { KILLED = 128 };
    if (mr_signal_flag != 0) {
        _exit(KILLED + number);
    }
    mr_signal_flag = number;
}

static mr_status handle(int number, void (*handler)(int), mr_error *err)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    (void)sigemptyset(&action.sa_mask);
    if (sigaction(number, &action, NULL) != 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "signal %d: %s", number, strerror(errno));
    }
    return MR_OK;
}

mr_status mr_signals_install(mr_error *err)
{
    MR_TRY(handle(SIGTERM, ask_for_the_end, err));
    MR_TRY(handle(SIGINT, ask_for_the_end, err));
    return handle(SIGPIPE, SIG_IGN, err);
}
