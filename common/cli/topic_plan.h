/* What a topic of an app is configured with on the broker. Pure. */
#pragma once

#include <mr/app.h>

#include "kafka/admin.h"

enum { MR_TOPIC_CONFIGS_MAX = 6 };

typedef struct mr_topic_plan {
    mr_topic_config configs[MR_TOPIC_CONFIGS_MAX]; /* values point into `texts` or are static */
    size_t n;
    char texts[MR_TOPIC_CONFIGS_MAX][24];
} mr_topic_plan;

/* Points into itself: do not copy. `record_bytes_max` is max.record.bytes. */
void mr_topic_plan_init(mr_topic_plan *plan, const mr_topic *topic, int64_t record_bytes_max);

const char *mr_topic_role_name(mr_topic_role role);
/* "for ever", "7d", "90m". */
void mr_retention_describe(int64_t ms, mr_buf *out);
