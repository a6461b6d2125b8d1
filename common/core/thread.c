#include "core/thread.h"

#include <string.h>

mr_status mr_thread_start(const char *name, void *(*run)(void *), void *argument,
                          pthread_t *ret_thread, mr_error *err)
{
    const int code = pthread_create(ret_thread, NULL, run, argument);
    if (code != 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "cannot start the %s thread: %s", name,
                            strerror(code));
    }
    (void)pthread_setname_np(*ret_thread, name);
    return MR_OK;
}
