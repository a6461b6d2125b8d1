#include "runtime/options.h"

#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const char *const guarantees[] = {"exactly_once", "at_least_once", NULL};

const mr_option mr_runtime_option_table[] = {
    {.name = "processing.guarantee",
     .kind = MR_OPTION_CHOICE,
     .offset = offsetof(mr_runtime_options, guarantee),
     .preset = "exactly_once",
     .choices = guarantees,
     .text = "exactly_once: state, outputs and offsets in one Kafka transaction. at_least_once: "
             "state is exact, outputs can repeat after a crash."},
    {.name = "num.workers",
     .kind = MR_OPTION_INT,
     .offset = offsetof(mr_runtime_options, workers),
     .preset = "1",
     .min = 1,
     .max = 64,
     .text = "Worker threads; each owns whole tasks."},
    {.name = "commit.interval.ms",
     .kind = MR_OPTION_DURATION,
     .offset = offsetof(mr_runtime_options, commit_interval_ms),
     .preset = "100ms",
     .min = 1,
     .max = 60000,
     .text = "How long results may wait for their commit."},
    {.name = "commit.records.max",
     .kind = MR_OPTION_INT,
     .offset = offsetof(mr_runtime_options, commit_records),
     .preset = "100000",
     .min = 1,
     .max = 10000000,
     .text = "A worker commits after this many records even when the interval has not passed."},
    {.name = "max.record.bytes",
     .kind = MR_OPTION_SIZE,
     .offset = offsetof(mr_runtime_options, record_bytes_max),
     .preset = "900k",
     .min = 1 * KIB,
     .max = 64 * MIB,
     .text = "Largest value that is read, written or kept as one row; keep it below the broker's "
             "message.max.bytes. Larger records are dead letters."},
    {.name = "max.outputs",
     .kind = MR_OPTION_INT,
     .offset = offsetof(mr_runtime_options, outputs_max),
     .preset = "10000",
     .min = 1,
     .max = 1000000,
     .text = "Records that one record may cause, and rows it may change."},
    {.name = "memory.budget",
     .kind = MR_OPTION_SIZE,
     .offset = offsetof(mr_runtime_options, memory_bytes),
     .preset = "128m",
     .min = 16 * MIB,
     .max = 1024 * GIB,
     .text = "For row cache, RocksDB and Kafka queues together; the program itself and Lua come on "
             "top."},
    {.name = "changelog.tail.records",
     .kind = MR_OPTION_INT,
     .offset = offsetof(mr_runtime_options, tail_records),
     .preset = "200000",
     .min = 1,
     .max = 100000000,
     .text = "Changed rows of a task that a crash may have to read again from its changelogs "
             "before its state is flushed to disk."},
    {.name = "transaction.timeout.ms",
     .kind = MR_OPTION_DURATION,
     .offset = offsetof(mr_runtime_options, transaction_timeout_ms),
     .preset = "60s",
     .min = 1000,
     .max = 900000,
     .text = "A transaction that takes longer is aborted by the broker. Keep it above the time a "
             "broker needs to restart."},
    {.name = "max.poll.interval.ms",
     .kind = MR_OPTION_DURATION,
     .offset = offsetof(mr_runtime_options, hang_timeout_ms),
     .preset = "5m",
     .min = 1000,
     .max = 86400000,
     .text = "A worker that makes no progress for so long ends the process, and its tasks go to "
             "other members."},
    {.name = "shutdown.timeout.ms",
     .kind = MR_OPTION_DURATION,
     .offset = offsetof(mr_runtime_options, shutdown_timeout_ms),
     .preset = "30s",
     .min = 100,
     .max = 600000,
     .text = "After SIGTERM: time to finish, commit and close before the process gives up."},
    {.name = "broker.timeout.ms",
     .kind = MR_OPTION_DURATION,
     .offset = offsetof(mr_runtime_options, broker_timeout_ms),
     .preset = "10s",
     .min = 100,
     .max = 600000,
     .text = "How long one question to the broker may take at start-up and in the CLI."},
    {.name = "state.dir",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_runtime_options, state_dir),
     .preset = "/var/lib/millrace",
     .text = "Directory of the state; below it one directory a stage and instance."},
    {.name = "backup.dir",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_runtime_options, backup_dir),
     .text =
         "Directory of backups; below it one directory an app, stage, instance and backup. When "
         "empty, .backups in state.dir, where tables are linked; on a file system of its own, "
         "which a failing disk calls for, they are copied."},
    {.name = "group.instance.id",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_runtime_options, instance_id),
     .preset = "0",
     .text = "Static membership: names this instance of the stage, stays the same over restarts, "
             "and differs between instances. Also names its state directory."},
};
const size_t mr_runtime_option_count =
    sizeof(mr_runtime_option_table) / sizeof(mr_runtime_option_table[0]);

mr_budget mr_budget_split(const mr_runtime_options *options)
{
    /* More would make a write, and so the wait for its end, long. */
    const size_t restore_max = 512 * MIB;
    const size_t sixteenth = (size_t)options->memory_bytes / 16;
    const size_t workers = (size_t)options->workers;
    const size_t rows = 19 * sixteenth / 2;
    const size_t memtables = 2 * sixteenth;
    const size_t restore = (rows + memtables) / 2;
    return (mr_budget){
        .rows = rows / workers,
        .memtables = memtables,
        .block_cache = sixteenth,
        .consumer_queue = 2 * sixteenth,
        .sender_queue = sixteenth / workers / 2,
        .producer_queue = sixteenth / workers,
        /* Half of the rows' share, which workers leave to it (mr_worker_rows_max), and half of the
         * memtables', which restored rows pass by. */
        .restore = restore < restore_max ? restore : restore_max,
    };
}
