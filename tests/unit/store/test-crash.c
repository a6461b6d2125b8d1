/*
 * Goal: whatever moment the owner is killed at, rows and progress of a task are of one moment, no
 * older than the last flush that was reported; and a reader sees such a moment too, also while the
 * owner writes. Method: this program starts itself as the owner, which writes the same number into
 * rows of three stores and into the progress, and reports each step through a pipe; it is killed
 * (SIGKILL) after a random number of reports. Same directory all the time.
 */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "moment.h"

enum {
    TASKS = 2,
    MEMTABLE_BYTES = 128 * 1024, /* filled by a dozen batches: RocksDB flushes on its own as well */
    KILLS = 50,
    REPORTS_MAX = 300,
    READS = 50,
};

static mr_database_options crash_options(const char *directory)
{
    mr_database_options options = options_of(directory);
    options.memtable_bytes = MEMTABLE_BYTES;
    return options;
}

/* ---- The owner ---- */

/* "<task> <step> <number>", one line each; the last two steps are around a flush. */
static void report(int task, char step, int64_t number)
{
    char line[64];
    const int len = snprintf(line, sizeof(line), "%d %c %lld\n", task, step, (long long)number);
    if (write(STDOUT_FILENO, line, (size_t)len) != len) {
        _exit(0); /* The test is gone. */
    }
}

static mr_status owner_step(mr_partition *partition, int task, uint64_t *seed, int64_t *number,
                            mr_error *err)
{
    ++*number;
    report(task, 'b', *number);
    MR_TRY(moment_write(partition, *number, err));
    report(task, 'w', *number);
    if (random_below(seed, 8) == 0) {
        report(task, 'f', *number);
        MR_TRY(mr_partition_flush(partition, err));
        report(task, 'F', *number);
    }
    return MR_OK;
}

static mr_status own(const char *directory, uint64_t seed, mr_error *err)
{
    const mr_database_options options = crash_options(directory);
    mr_database *database = NULL;
    mr_partition *partitions[TASKS];
    int64_t numbers[TASKS];
    MR_TRY(mr_database_open(&options, &MR_LOG_NULL, &database, err));
    for (int task = 0; task < TASKS; task++) {
        mr_progress progress;
        MR_TRY(mr_partition_open(database, task, &partitions[task], err));
        MR_TRY(mr_partition_progress(partitions[task], &progress, err));
        numbers[task] = progress.input_offset < 0 ? 0 : progress.input_offset;
    }
    for (;;) {
        const int task = (int)random_below(&seed, TASKS);
        MR_TRY(owner_step(partitions[task], task, &seed, &numbers[task], err));
    }
}

static int owner_main(const char *directory, const char *seed)
{
    mr_error err;
    if (own(directory, strtoull(seed, NULL, 10), &err) < 0) {
        (void)fprintf(stderr, "owner: %s\n", err.message);
    }
    _exit(
        1); /* What it holds is still open: not a leak, and a report of one would hide the error. */
}

/* ---- The test's side of it ---- */

struct owner {
    pid_t pid;
    FILE *reports;
    int64_t begun[TASKS];   /* a batch that may be there */
    int64_t flushed[TASKS]; /* a batch that must be there */
};

static void owner_start(struct owner *self, const char *directory, uint64_t seed)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
    char *const arguments[] = {(char *)(uintptr_t) "owner", (char *)(uintptr_t)directory, text,
                               NULL};
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn(&self->pid, "/proc/self/exe", &actions, NULL, arguments, environ),
                     0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    self->reports = fdopen(ends[0], "r");
    assert_non_null(self->reports);
}

/* One report; false when the owner is gone and all its reports are read. */
static bool owner_read(struct owner *self)
{
    char line[64];
    int task = 0;
    char step = 0;
    long long number = 0;
    if (fgets(line, sizeof(line), self->reports) == NULL) {
        return false;
    }
    assert_int_equal(sscanf(line, "%d %c %lld", &task, &step, &number), 3);
    assert_in_range(task, 0, TASKS - 1);
    self->begun[task] = step == 'b' ? number : self->begun[task];
    self->flushed[task] = step == 'F' ? number : self->flushed[task];
    return true;
}

static void owner_kill(struct owner *self)
{
    int status = 0;
    assert_int_equal(kill(self->pid, SIGKILL), 0);
    while (owner_read(self)) {
    }
    assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    (void)fclose(self->reports);
}

static void open_moments(const char *directory, bool read_only, int64_t ret_moments[TASKS])
{
    mr_error err;
    mr_database *database = NULL;
    mr_database_options options = crash_options(directory);
    options.read_only = read_only;
    assert_ok(mr_database_open(&options, &MR_LOG_NULL, &database, &err));
    for (int task = 0; task < TASKS; task++) {
        mr_partition *partition = NULL;
        const mr_status status = mr_partition_open(database, task, &partition, &err);
        assert_true(status == MR_OK || (read_only && status == MR_NOT_FOUND));
        ret_moments[task] = status == MR_OK ? moment_read(partition) : 0;
        mr_partition_close(partition);
    }
    mr_database_free(database);
}

static void a_killed_owner_leaves_one_moment(void **state)
{
    uint64_t seed = random_seed("a_killed_owner_leaves_one_moment");
    struct owner owner = {0};
    int64_t last[TASKS] = {0};
    size_t kept = 0;
    for (int i = 0; i < KILLS; i++) {
        owner_start(&owner, *state, random_next(&seed));
        const uint64_t reports = 1 + random_below(&seed, REPORTS_MAX);
        for (uint64_t j = 0; j < reports; j++) {
            assert_true(owner_read(&owner));
        }
        owner_kill(&owner);
        int64_t read[TASKS];
        int64_t opened[TASKS];
        open_moments(*state, true, read);
        open_moments(*state, false, opened);
        for (int task = 0; task < TASKS; task++) {
            assert_true(read[task] == opened[task]);
            assert_true(opened[task] >= owner.flushed[task]);
            assert_true(opened[task] <= owner.begun[task]);
            kept += opened[task] > last[task];
            last[task] = opened[task];
        }
    }
    print_message("%d kills, batches that stayed: %lld and %lld\n", KILLS, (long long)last[0],
                  (long long)last[1]);
    assert_in_range(kept, KILLS, TASKS * KILLS);
}

static void a_reader_sees_one_moment_while_the_owner_writes(void **state)
{
    uint64_t seed = random_seed("a_reader_sees_one_moment_while_the_owner_writes");
    struct owner owner = {0};
    owner_start(&owner, *state, random_next(&seed));
    while (owner.flushed[0] == 0 || owner.flushed[1] == 0) {
        assert_true(owner_read(&owner));
    }
    int64_t last[TASKS] = {0};
    size_t changes = 0;
    for (int i = 0; i < READS; i++) {
        const int64_t flushed[TASKS] = {owner.flushed[0], owner.flushed[1]};
        int64_t read[TASKS];
        open_moments(*state, true, read);
        for (int task = 0; task < TASKS; task++) {
            assert_true(read[task] >= flushed[task] && read[task] >= last[task]);
            changes += read[task] > last[task];
            last[task] = read[task];
        }
        for (uint64_t j = random_below(&seed, REPORTS_MAX); j > 0; j--) {
            assert_true(owner_read(&owner));
        }
    }
    owner_kill(&owner);
    assert_in_range(changes, READS / 2, TASKS * READS);
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(int argc, char **argv)
{
    if (argc == 3) {
        return owner_main(argv[1], argv[2]);
    }
    const struct CMUnitTest tests[] = {
        in_directory(a_killed_owner_leaves_one_moment),
        in_directory(a_reader_sees_one_moment_while_the_owner_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
