/* Prometheus text exposition format 0.0.4 of a processor. Names follow Kafka Streams where it has
 * the same thing. */
#include "runtime/processor.h"

#include <inttypes.h>

typedef struct mr_task_series {
    const char *name;
    const char *type;
    const char *help;
    size_t offset;
    bool of_standby; /* only of tasks that another member owns; else only of this one's */
} mr_task_series;

static const mr_task_series task_series[] = {
    {"millrace_task_records_total", "counter", "Records processed.",
     offsetof(mr_task_status, records), false},
    {"millrace_task_dead_letters_total", "counter", "Records sent to the dead-letter topic.",
     offsetof(mr_task_status, dead_letters), false},
    {"millrace_task_duplicates_total", "counter",
     "Inputs skipped because the state includes them already.",
     offsetof(mr_task_status, duplicates), false},
    {"millrace_task_restored_records_total", "counter", "Changelog records restored.",
     offsetof(mr_task_status, restored), false},
    {"millrace_task_restore_remaining_records", "gauge",
     "Changelog records still to be restored, at most; -1 while that is not known.",
     offsetof(mr_task_status, restore_remaining), false},
    {"millrace_task_replay_remaining_offsets", "gauge",
     "Input offsets still to be replayed, at most; 0 when no replay is under way.",
     offsetof(mr_task_status, replay_remaining), false},
    {"millrace_task_position", "gauge", "Next input offset.", offsetof(mr_task_status, position),
     false},
    {"millrace_standby_lag_records", "gauge",
     "Changelog records that the warm copy of another member's task lacks, at most; -1 while that "
     "is not known.",
     offsetof(mr_task_status, restore_remaining), true},
};

static void head(mr_buf *out, const char *name, const char *type, const char *help)
{
    mr_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(mr_buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    head(out, name, type, help);
    mr_buf_printf(out, "%s %" PRId64 "\n", name, value);
}

static void write_task_series(const mr_task_series *series, const mr_processor_status *status,
                              mr_buf *out)
{
    head(out, series->name, series->type, series->help);
    for (size_t i = 0; i < status->n_tasks; i++) {
        const char *task = (const char *)&status->tasks[i];
        int64_t value;
        if (mr_task_status_is_standby(&status->tasks[i]) != series->of_standby) {
            continue;
        }
        memcpy(&value, task + series->offset, sizeof(value));
        mr_buf_printf(out, "%s{task=\"%d\"} %" PRId64 "\n", series->name, status->tasks[i].number,
                      value);
    }
}

void mr_processor_metrics(mr_processor *processor, mr_buf *out)
{
    mr_processor_status status;
    mr_processor_status_read(processor, &status);
    single(out, "millrace_commits_total", "counter", "Commits.", status.commits);
    single(out, "millrace_aborts_total", "counter", "Aborted transactions.", status.aborts);
    single(out, "millrace_rebalances_total", "counter", "Assignments taken.", status.rebalances);
    single(out, "millrace_rocksdb_memtable_bytes", "gauge", "Write buffers.",
           (int64_t)status.usage.memtable_bytes);
    single(out, "millrace_rocksdb_block_cache_bytes", "gauge", "Block cache in use.",
           (int64_t)status.usage.cache_bytes);
    single(out, "millrace_rocksdb_disk_bytes", "gauge", "Table files.",
           (int64_t)status.usage.disk_bytes);
    for (size_t i = 0; i < sizeof(task_series) / sizeof(task_series[0]); i++) {
        write_task_series(&task_series[i], &status, out);
    }
    mr_processor_status_deinit(&status);
}
