#pragma once

#include "kafka/admin.h"

/* A broker answers that a topic is made before every broker knows of it; who starts a processor
 * next must find it. `deadline_ms` is of the monotonic clock. */
mr_status mr_topic_wait(mr_admin *admin, const char *topic, int64_t deadline_ms,
                        mr_error *err) MR_MUST_USE;
