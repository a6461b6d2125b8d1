/*
 * Goal: no call on a file is one that may not be the last, or may not fail. Method: a scenario that
 * makes, flushes, clears and closes a directory, run once for each of its file calls, which kills
 * the process or fails. Afterwards the directory opens, every task has one moment that is no older
 * than its last successful flush, and the scenario runs through.
 *
 * The process that is killed is this program, started again; what it flushed it writes into memory
 * that both share.
 */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/text.h"
#include "fault.h"
#include "moment.h"

MR_DEFINE_CLEANUP(char, free)

enum { TASKS = 2, CALLS_MAX = 2000 };

typedef struct {
    int64_t flushed[TASKS];
} ledger;

/* ---- The scenario ---- */

typedef struct {
    mr_database *database;
    mr_partition *partitions[TASKS];
    const volatile ledger *before; /* what must be there at the beginning; NULL: not looked at */
    volatile ledger *kept;
} scene;

static mr_status write_and_flush(scene *self, int task, int64_t number, mr_error *err)
{
    MR_TRY(moment_write(self->partitions[task], number, err));
    MR_TRY(mr_partition_flush(self->partitions[task], err));
    self->kept->flushed[task] = number;
    return MR_OK;
}

static mr_status play(scene *self, mr_error *err)
{
    for (int task = 0; task < TASKS; task++) {
        MR_TRY(mr_partition_open(self->database, task, &self->partitions[task], err));
        if (self->before != NULL) {
            assert_true(moment_read(self->partitions[task]) >= self->before->flushed[task]);
        }
    }
    MR_TRY(write_and_flush(self, 0, 1, err));
    MR_TRY(write_and_flush(self, 1, 2, err));
    MR_TRY(moment_write(self->partitions[0], 2, err));
    MR_TRY(write_and_flush(self, 0, 3, err));
    self->kept->flushed[1] = 0;
    MR_TRY(mr_partition_clear(self->partitions[1], err));
    MR_TRY(moment_write(self->partitions[1], 4, err));
    return moment_write(self->partitions[0], 4, err);
}

static mr_status run(const char *directory, const volatile ledger *before, volatile ledger *kept,
                     mr_error *err)
{
    scene self = {.before = before, .kept = kept};
    MR_TRY(open_at(directory, &self.database, err));
    const mr_status status = play(&self, err);
    for (int task = 0; task < TASKS; task++) {
        mr_partition_close(self.partitions[task]);
    }
    if (status < 0) {
        mr_database_free(self.database);
        return status;
    }
    MR_TRY(mr_database_close(self.database, err));
    kept->flushed[0] = 4;
    kept->flushed[1] = 4;
    return MR_OK;
}

static void assert_kept(const char *directory, const volatile ledger *before)
{
    mr_error err;
    ledger kept = {0};
    assert_ok(run(directory, before, &kept, &err));
    remove_tree(directory);
}

/* ---- The process that fails ---- */

static volatile ledger *map_ledger(const char *file)
{
    const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, sizeof(ledger)), 0);
    void *mapped = mmap(NULL, sizeof(ledger), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(mapped != MAP_FAILED);
    (void)close(fd);
    return mapped;
}

enum { EXIT_WHOLE = 0, EXIT_NOT_REACHED = 10, EXIT_ERROR = 11, EXIT_WRONG = 12 };

/* Arguments: directory, file of the ledger, "kill" or "fail", number of the call. */
static int faulty_main(char **argv)
{
    mr_error err;
    int64_t n = 0;
    if (mr_parse_int64(argv[4], &n) != MR_OK) {
        return EXIT_WRONG;
    }
    if (strcmp(argv[3], "kill") == 0) {
        fault_kill_at((long)n);
    } else {
        fault_fail_at((long)n, EIO);
    }
    const mr_status status = run(argv[1], NULL, map_ledger(argv[2]), &err);
    if (status == MR_OK) {
        return fault_count() < n ? EXIT_NOT_REACHED : EXIT_WHOLE;
    }
    const bool clear = status == MR_ERR_STORE && strstr(err.message, argv[1]) != NULL;
    return clear ? EXIT_ERROR : EXIT_WRONG;
}

typedef enum {
    WHOLE,       /* the call failed and nobody minded */
    NOT_REACHED, /* the scenario has fewer calls */
    REPORTED,    /* an error came back */
    KILLED,
    ABORTED, /* by one of the asserts that Debian's RocksDB is built with: as good as killed */
    OUTCOMES,
} outcome;

static outcome run_faulty(char *directory, char *file, const char *mode, long n)
{
    char number[24];
    (void)snprintf(number, sizeof(number), "%ld", n);
    char *const arguments[] = {(char *)(uintptr_t) "faulty", directory, file,
                               (char *)(uintptr_t)mode,      number,    NULL};
    pid_t pid = 0;
    int status = 0;
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status)) {
        assert_true(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGABRT);
        return WTERMSIG(status) == SIGKILL ? KILLED : ABORTED;
    }
    assert_true(WEXITSTATUS(status) == EXIT_WHOLE || WEXITSTATUS(status) == EXIT_NOT_REACHED ||
                WEXITSTATUS(status) == EXIT_ERROR);
    return WEXITSTATUS(status) == EXIT_WHOLE   ? WHOLE
           : WEXITSTATUS(status) == EXIT_ERROR ? REPORTED
                                               : NOT_REACHED;
}

/* Counts what the faults at call 1, 2, ... led to, until there is no such call. */
static void sweep(const char *base, const char *mode, int counts[OUTCOMES])
{
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/state", base);
    MR_CLEANUP(freep) char *file = mr_asprintf("%s/ledger", base);
    volatile ledger *kept = map_ledger(file);
    for (long n = 1; n < CALLS_MAX && counts[NOT_REACHED] == 0; n++) {
        *kept = (ledger){0};
        counts[run_faulty(directory, file, mode, n)]++;
        assert_kept(directory, kept);
    }
    (void)munmap((void *)(uintptr_t)kept, sizeof(ledger));
    print_message("%s: %d whole, %d errors, %d killed, %d aborted\n", mode, counts[WHOLE],
                  counts[REPORTED], counts[KILLED], counts[ABORTED]);
    assert_int_equal(counts[NOT_REACHED], 1);
}

static void every_file_call_may_be_the_last(void **state)
{
    int counts[OUTCOMES] = {0};
    sweep(*state, "kill", counts);
    assert_in_range(counts[KILLED], 50, CALLS_MAX);
    assert_int_equal(counts[WHOLE] + counts[REPORTED] + counts[ABORTED], 0);
}

static void every_file_call_may_fail(void **state)
{
    int counts[OUTCOMES] = {0};
    sweep(*state, "fail", counts);
    assert_in_range(counts[REPORTED], 20, CALLS_MAX);
    assert_in_range(counts[ABORTED], 0, counts[REPORTED]);
    assert_int_equal(counts[KILLED], 0);
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(int argc, char **argv)
{
    if (argc == 5) {
        return faulty_main(argv);
    }
    const struct CMUnitTest tests[] = {
        in_directory(every_file_call_may_be_the_last),
        in_directory(every_file_call_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
