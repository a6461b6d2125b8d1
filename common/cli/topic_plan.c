#include "cli/topic_plan.h"

#include <inttypes.h>
#include <stdio.h>

static void add(mr_topic_plan *plan, const char *name, const char *value)
{
    assert(plan->n < MR_TOPIC_CONFIGS_MAX);
    plan->configs[plan->n++] = (mr_topic_config){name, value};
}

static void add_number(mr_topic_plan *plan, const char *name, int64_t value)
{
    char *text = plan->texts[plan->n];
    (void)snprintf(text, sizeof(plan->texts[0]), "%" PRId64, value);
    add(plan, name, text);
}

void mr_topic_plan_init(mr_topic_plan *plan, const mr_topic *topic, int64_t record_bytes_max)
{
    /* What a broker takes when nothing else is said (max.message.bytes), and room for headers. */
    enum { BROKER_PRESET_BYTES = 1048588, HEADER_BYTES = 65536, SEGMENT_BYTES = 52428800 };
    plan->n = 0;
    if (topic->compact) {
        add(plan, "cleanup.policy", "compact");
        /* Small segments and early cleaning keep a restore short: it reads all there is. */
        add_number(plan, "segment.bytes", SEGMENT_BYTES);
        add(plan, "min.cleanable.dirty.ratio", "0.3");
    } else {
        add(plan, "cleanup.policy", "delete");
        add_number(plan, "retention.ms", topic->retention_ms);
        if (topic->role == MR_TOPIC_EVENTS) {
            add(plan, "retention.bytes", "-1"); /* the truth is never deleted for its size */
        }
    }
    if (record_bytes_max + HEADER_BYTES > BROKER_PRESET_BYTES) {
        add_number(plan, "max.message.bytes", record_bytes_max + HEADER_BYTES);
    }
}

const char *mr_topic_role_name(mr_topic_role role)
{
    switch (role) {
    case MR_TOPIC_INPUT:
        return "input";
    case MR_TOPIC_EVENTS:
        return "events";
    case MR_TOPIC_RESULTS:
        return "results";
    case MR_TOPIC_PROJECTION:
        return "projection";
    case MR_TOPIC_CHANGELOG:
        return "changelog";
    case MR_TOPIC_DEAD:
        return "dead letters";
    }
    return "";
}

void mr_retention_describe(int64_t ms, mr_buf *out)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    if (ms < 0) {
        mr_buf_append_text(out, "for ever");
        return;
    }
    size_t i = 0;
    while (ms % units[i].ms != 0) {
        i++;
    }
    mr_buf_printf(out, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}
