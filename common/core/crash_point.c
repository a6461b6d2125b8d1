#include "core/crash_point.h"

#ifdef MR_FAULT_BUILD
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

void mr_crash_point(const char *name)
{
    static atomic_int passed_count; /* the fault build's only mutable global */
    const char *wanted = getenv("MILLRACE_CRASH_POINT");
    const size_t len = strlen(name);
    if (wanted == NULL || strncmp(wanted, name, len) != 0) {
        return;
    }
    int64_t at = 1;
    if (wanted[len] == ':') {
        if (mr_parse_int64(wanted + len + 1, &at) != MR_OK) {
            return;
        }
    } else if (wanted[len] != '\0') {
        return;
    }
    if (atomic_fetch_add(&passed_count, 1) + 1 == at) {
        (void)raise(SIGKILL);
    }
}
#else
/* An empty translation unit is no ISO C. */
typedef int mr_no_crash_points;
#endif
