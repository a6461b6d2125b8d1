#include "cli/topic_wait.h"

#include <mr/clock.h>

/* Each question waits for the broker's answer, so this does not spin. */
mr_status mr_topic_wait(mr_admin *admin, const char *topic, int64_t deadline_ms, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    mr_status status = MR_NOT_FOUND;
    while (status == MR_NOT_FOUND) {
        int32_t partitions;
        status = mr_admin_partitions(admin, topic, &partitions, err);
        if (status == MR_NOT_FOUND && mr_clock_monotonic_ms(clock) > deadline_ms) {
            return mr_error_set(err, MR_ERR_KAFKA,
                                "topic '%s' was created, but the broker does not list it yet; try "
                                "`millrace topics check`",
                                topic);
        }
    }
    return status;
}
