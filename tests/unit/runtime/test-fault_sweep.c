/*
 * Goal: whichever call to the store, send or allocation of a short run fails, that is reported, or
 * ends the process with its one line; the directory opens again, its rows are those before or after
 * a step, never between, and the run goes on from there. Method: rows of two stores go through
 * tables, flusher, sorted file and restore, once for each call that can fail.
 *
 * The process that runs out of memory is this program, started again; where it was it writes into
 * memory that both share. MR_SWEEP_EVERY=1 tries every allocation, preset is a part of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/file.h"
#include "core/text.h"
#include "faults.h"
#include "runtime/restore_job.h"
#include "runtime/table.h"

MR_DEFINE_CLEANUP(char, free)

enum { STORES = 2, KEYS = 6, STEPS = 5, RECORDS_A_STEP = 10, ABSENT = -1 };

/* Steps that were begun, and those that are on disk for certain. */
typedef struct ledger {
    int64_t begun;
    int64_t on_disk;
} ledger;

typedef struct scene {
    const char *directory;
    volatile ledger *kept;
    mr_schemas *schemas;
    const mr_schema *schema;
    mr_codec *codec;
    mr_store_spec stores[STORES];
    mr_stage stage;
    mr_database *database;
    mr_partition *partition;
    mr_flusher *flusher;
} scene;

/* ---- What is written: each step changes, deletes and keeps some rows of each store ---- */

/* False: the row stays as it is. */
static bool change_of(int64_t step, int store, int key, int64_t *ret_number)
{
    if ((step + store + key) % 3 == 0) {
        return false;
    }
    *ret_number = (step + key) % 4 == 0 ? ABSENT : 1000 * step + 10 * store + key;
    return true;
}

static int64_t expected_at(int64_t step, int store, int key)
{
    int64_t number = ABSENT;
    for (int64_t i = 1; i <= step; i++) {
        (void)change_of(i, store, key, &number);
    }
    return number;
}

static mr_bytes key_of(int key, char text[8])
{
    (void)snprintf(text, 8, "k%d", key);
    return mr_bytes_text(text);
}

static mr_progress progress_of(int64_t step)
{
    return (mr_progress){.input_offset = step,
                         .changelog_offset = {step * RECORDS_A_STEP, step * RECORDS_A_STEP},
                         .n_stores = STORES};
}

/* ---- The ways that rows go ---- */

static mr_status send(void *context, mr_bytes key, mr_bytes value, mr_error *err)
{
    (void)context;
    (void)value;
    return fault_send() ? mr_error_set(err, MR_ERR_KAFKA, "send %.*s: " FAULT_TEXT, (int)key.len,
                                       (const char *)key.data)
                        : MR_OK;
}

static mr_status see_key(void *context, mr_bytes key, mr_error *err)
{
    (void)key;
    (void)err;
    ++*(int *)context;
    return MR_OK;
}

static mr_status change_table(mr_table *table, int64_t step, int store, mr_error *err)
{
    int n_keys = 0;
    MR_TRY(mr_table_keys(table, MR_BYTES_NULL, MR_BYTES_NULL, see_key, &n_keys, err));
    for (int key = 0; key < KEYS; key++) {
        char text[8];
        int64_t number;
        mr_entry *entry;
        if (!change_of(step, store, key, &number)) {
            continue;
        }
        MR_TRY(mr_table_find(table, key_of(key, text), &entry, err));
        if (number != ABSENT) {
            *(int64_t *)mr_table_own(table, entry) = number;
        } else if (mr_entry_value(entry) != NULL) {
            mr_table_delete(table, entry);
        }
    }
    return mr_table_encode(table, send, NULL, err);
}

static mr_status flush_tables(scene *self, mr_table **tables, int64_t step, bool to_disk,
                              mr_error *err)
{
    const mr_progress progress = progress_of(step);
    mr_row *all = mr_alloc_zero((size_t)STORES * KEYS, sizeof(*all));
    size_t n_all = 0;
    for (int store = 0; store < STORES; store++) {
        const mr_row *rows = NULL;
        size_t n = 0;
        const mr_status begun = mr_table_flush_begin(tables[store], &rows, &n, err);
        if (begun != MR_OK) {
            free(all);
            return begun;
        }
        memcpy(all + n_all, rows, n * sizeof(*all));
        n_all += n;
    }
    mr_flush_job *job =
        mr_flusher_submit(self->flusher, self->partition, all, n_all, &progress, to_disk);
    MR_TRY(mr_flush_job_take(job, true, err));
    for (int store = 0; store < STORES; store++) {
        mr_table_flushed(tables[store]);
    }
    return MR_OK;
}

static mr_status step_by_tables(scene *self, int64_t step, bool to_disk, mr_error *err)
{
    mr_table *tables[STORES];
    mr_status status = MR_OK;
    for (int store = 0; store < STORES; store++) {
        tables[store] = mr_table_new(&self->stores[store], self->partition, self->codec);
    }
    for (int store = 0; status == MR_OK && store < STORES; store++) {
        status = change_table(tables[store], step, store, err);
    }
    status = status == MR_OK ? flush_tables(self, tables, step, to_disk, err) : status;
    for (int store = 0; store < STORES; store++) {
        mr_table_free(tables[store]);
    }
    return status;
}

static mr_status encode(scene *self, int64_t number, mr_buf *value, mr_error *err)
{
    return mr_codec_encode(self->codec, "rows", self->schema, &number, value, err);
}

static mr_status step_by_file(scene *self, int64_t step, mr_error *err)
{
    char keys[KEYS][8];
    mr_buf values[STORES][KEYS] = {0};
    mr_row rows[STORES * KEYS];
    size_t n = 0;
    mr_status status = MR_OK;
    for (int i = 0; i < STORES * KEYS && status == MR_OK; i++) {
        const int store = i / KEYS;
        const int key = i % KEYS;
        int64_t number;
        if (change_of(step, store, key, &number)) {
            mr_buf *value = &values[store][key];
            status = number == ABSENT ? MR_OK : encode(self, number, value, err);
            rows[n++] = (mr_row){.store = self->stores[store].number,
                                 .key = key_of(key, keys[key]),
                                 .value = number == ABSENT ? MR_BYTES_NULL : mr_buf_bytes(value)};
        }
    }
    const mr_progress progress = progress_of(step);
    status = status == MR_OK ? mr_partition_write_sorted(self->partition, rows, n, &progress, err)
                             : status;
    for (int i = 0; i < STORES * KEYS; i++) {
        mr_buf_deinit(&values[i / KEYS][i % KEYS]);
    }
    return status;
}

static mr_status feed(scene *self, mr_restore_job *job, int64_t step, mr_error *err)
{
    for (int i = 0; i < STORES * KEYS; i++) {
        MR_CLEANUP(mr_buf_deinit) mr_buf value = MR_BUF_NULL;
        const int store = i / KEYS;
        char text[8];
        int64_t number;
        if (!change_of(step, store, i % KEYS, &number)) {
            continue;
        }
        if (number != ABSENT) {
            MR_TRY(encode(self, number, &value, err));
        }
        const mr_record record = {.topic = self->stores[store].changelog,
                                  .offset = (step - 1) * RECORDS_A_STEP + i % KEYS,
                                  .key = key_of(i % KEYS, text),
                                  .value = number == ABSENT ? MR_BYTES_NULL : mr_buf_bytes(&value)};
        MR_TRY(mr_restore_job_add(job, &record, err));
    }
    return MR_OK;
}

static mr_status play_restore(scene *self, mr_restore_job *job, int64_t step, mr_error *err)
{
    for (int store = 0; store < STORES; store++) {
        job->ends[store] = step * RECORDS_A_STEP;
    }
    MR_TRY(mr_restore_job_begin(job, err));
    MR_TRY(feed(self, job, step, err));
    for (int store = 0; store < STORES; store++) {
        mr_restore_job_reached(job, self->stores[store].changelog, job->ends[store]);
    }
    MR_TRY(mr_restore_job_finish(job, self->flusher, err));
    return mr_restore_job_take(job, true, err);
}

static mr_status step_by_restore(scene *self, int64_t step, mr_error *err)
{
    _Atomic int64_t restored = 0;
    _Atomic int64_t remaining = 0;
    mr_restore restore = {.partition = self->partition,
                          .restored = &restored,
                          .remaining = &remaining,
                          .committed = step};
    MR_TRY(mr_partition_progress(self->partition, &restore.progress, err));
    mr_restore_job *job = mr_restore_job_new(&self->stage, true, &restore);
    const mr_status status = play_restore(self, job, step, err);
    mr_restore_job_free(job);
    return status;
}

static mr_status take_step(scene *self, int64_t step, mr_error *err)
{
    self->kept->begun = step;
    switch (step) {
    case 2:
        MR_TRY(step_by_tables(self, step, true, err));
        self->kept->on_disk = step;
        return MR_OK;
    case 3:
        MR_TRY(step_by_file(self, step, err));
        self->kept->on_disk = step;
        return MR_OK;
    case 4:
        return step_by_restore(self, step, err);
    default:
        return step_by_tables(self, step, false, err);
    }
}

/* ---- A run: from where the directory is to the last step ---- */

static mr_status play(scene *self, mr_error *err)
{
    mr_progress progress;
    MR_TRY(mr_partition_open(self->database, 0, &self->partition, err));
    MR_TRY(mr_flusher_new(&self->flusher, err));
    MR_TRY(mr_partition_progress(self->partition, &progress, err));
    const int64_t first = progress.input_offset < 0 ? 1 : progress.input_offset + 1;
    for (int64_t step = first; step <= STEPS; step++) {
        MR_TRY(take_step(self, step, err));
    }
    MR_TRY(mr_partition_flush(self->partition, err));
    self->kept->on_disk = STEPS;
    MR_CLEANUP(freep) char *copy = mr_asprintf("%s-copy", self->directory);
    return mr_database_checkpoint(self->database, copy, err);
}

static mr_status run(scene *self, const char *directory, mr_error *err)
{
    self->directory = directory;
    self->database = NULL;
    self->partition = NULL;
    self->flusher = NULL;
    const mr_database_options options = {.directory = directory,
                                         .identity = "test/sweep",
                                         .stores = "rows",
                                         .cache_bytes = 1 << 20,
                                         .memtable_bytes = 1 << 20};
    MR_TRY(mr_database_open(&options, &MR_LOG_NULL, &self->database, err));
    const mr_status status = play(self, err);
    mr_flusher_free(self->flusher);
    mr_partition_close(self->partition);
    /* Also after a failure all that was written gets to disk, as RocksDB may bring it there any
     * time: what only a memtable had would hide that it is half a step. */
    mr_error closing;
    const mr_status closed = mr_database_close(self->database, status == MR_OK ? err : &closing);
    return status == MR_OK ? closed : status;
}

static void scene_init(scene *self, volatile ledger *kept)
{
    mr_error err;
    *self = (scene){.kept = kept, .schemas = mr_schemas_new()};
    assert_int_equal(mr_schemas_add(self->schemas,
                                    "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":"
                                    "\"n\",\"type\":\"long\"}]}",
                                    "test", &self->schema, &err),
                     MR_OK);
    self->codec = mr_codec_new(self->schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    for (int store = 0; store < STORES; store++) {
        char *name = mr_asprintf("rows-%d", store);
        self->stores[store] = (mr_store_spec){.name = name,
                                              .number = (uint8_t)(store + 1),
                                              .value = self->schema,
                                              .key = {.raw = true},
                                              .changelog = name};
    }
    self->stage = (mr_stage){.stores = self->stores, .n_stores = STORES};
}

static void scene_deinit(scene *self)
{
    for (int store = 0; store < STORES; store++) {
        free(self->stores[store].name);
    }
    mr_codec_free(self->codec);
    mr_schemas_free(self->schemas);
}

/* ---- What is there afterwards ---- */

static void assert_row(scene *self, mr_partition *partition, int64_t moment, int store, int key)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf found = MR_BUF_NULL;
    MR_CLEANUP(mr_buf_deinit) mr_buf wanted = MR_BUF_NULL;
    mr_error err;
    char text[8];
    const int64_t number = expected_at(moment, store, key);
    const mr_status status =
        mr_partition_get(partition, self->stores[store].number, key_of(key, text), &found, &err);
    if (number == ABSENT) {
        assert_int_equal(status, MR_NOT_FOUND);
        return;
    }
    assert_int_equal(status, MR_OK);
    assert_int_equal(encode(self, number, &wanted, &err), MR_OK);
    assert_true(mr_bytes_equal(mr_buf_bytes(&found), mr_buf_bytes(&wanted)));
}

/* All rows and the progress are of one step. */
static int64_t moment_of(scene *self, const char *directory)
{
    const mr_database_options options = {.directory = directory,
                                         .identity = "test/sweep",
                                         .stores = "rows",
                                         .cache_bytes = 1 << 20,
                                         .memtable_bytes = 1 << 20};
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    mr_progress progress;
    if (mr_database_open(&options, &MR_LOG_NULL, &database, &err) != MR_OK) {
        fail_msg("it does not open again: %s", err.message);
    }
    assert_int_equal(mr_partition_open(database, 0, &partition, &err), MR_OK);
    assert_int_equal(mr_partition_progress(partition, &progress, &err), MR_OK);
    const int64_t moment = progress.input_offset < 0 ? 0 : progress.input_offset;
    for (int i = 0; i < STORES * KEYS; i++) {
        assert_row(self, partition, moment, i / KEYS, i % KEYS);
    }
    for (int store = 0; moment > 0 && store < STORES; store++) {
        assert_int_equal(progress.changelog_offset[store], moment * RECORDS_A_STEP);
    }
    mr_partition_close(partition);
    mr_database_free(database);
    return moment;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

static void remove_tree(const char *path)
{
    enum { DESCRIPTORS = 16 };
    (void)nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

/* Before or after the step that was begun last; and from there the run comes to its end. */
static void assert_whole(scene *self, const char *directory)
{
    mr_error err;
    MR_CLEANUP(freep) char *copy = mr_asprintf("%s-copy", directory);
    const int64_t moment = moment_of(self, directory);
    assert_in_range(moment, self->kept->on_disk, self->kept->begun);
    remove_tree(copy);
    if (run(self, directory, &err) != MR_OK) {
        fail_msg("it does not go on: %s", err.message);
    }
    assert_int_equal(moment_of(self, directory), STEPS);
    assert_int_equal(moment_of(self, copy), STEPS);
    remove_tree(copy);
    remove_tree(directory);
}

/* ---- Calls to the store, and sends ---- */

static int directory_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = mr_asprintf("%s/mr-faults-XXXXXX", base == NULL ? "/tmp" : base);
    *state = path;
    return mkdtemp(path) == NULL ? -1 : 0;
}

static int directory_teardown(void **state)
{
    remove_tree(*state);
    free(*state);
    return 0;
}

static void assert_told(const mr_error *err, mr_status status, const char *directory)
{
    const bool store = status == MR_ERR_STORE && strstr(err->message, directory) != NULL;
    if ((!store && status != MR_ERR_KAFKA) || strstr(err->message, FAULT_TEXT) == NULL) {
        fail_msg("status %d: %s", status, err->message);
    }
}

static void sweep_calls(const char *base, fault_kind kind)
{
    enum { CALLS_MIN = 60, CALLS_MAX = 1000 };
    ledger kept;
    scene self;
    scene_init(&self, &kept);
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/state", base);
    long n = 1;
    for (; n < CALLS_MAX; n++) {
        mr_error err = {0};
        kept = (ledger){0};
        fault_set(kind, n);
        const mr_status status = run(&self, directory, &err);
        const bool reached = fault_count() >= n;
        fault_set(FAULT_NONE, 0);
        if (!reached) {
            assert_int_equal(status, MR_OK);
            break;
        }
        assert_told(&err, status, directory);
        assert_whole(&self, directory);
    }
    print_message("%ld calls failed, each was told\n", n - 1);
    assert_in_range(n, CALLS_MIN, CALLS_MAX - 1);
    scene_deinit(&self);
}

static void every_call_may_fail(void **state)
{
    sweep_calls(*state, FAULT_CALL);
}

static void every_call_may_fail_although_it_worked(void **state)
{
    sweep_calls(*state, FAULT_LATE_CALL);
}

/* ---- Allocations ---- */

enum { EXIT_NOT_REACHED = 10, EXIT_WRONG = 12 };

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

/* Arguments: directory, file of the ledger, number of the allocation. */
static int starved_main(char **argv)
{
    int64_t n = 0;
    scene self;
    mr_error err;
    if (mr_parse_int64(argv[3], &n) != MR_OK) {
        return EXIT_WRONG;
    }
    scene_init(&self, map_ledger(argv[2]));
    fault_set(FAULT_ALLOCATION, (long)n);
    const mr_status status = run(&self, argv[1], &err);
    scene_deinit(&self);
    return status == MR_OK && fault_count() < n ? EXIT_NOT_REACHED : EXIT_WRONG;
}

/* False: there is no such allocation. */
static bool starve(char *directory, char *file, char *said, long n)
{
    char number[24];
    (void)snprintf(number, sizeof(number), "%ld", n);
    char *const arguments[] = {(char *)(uintptr_t) "starved", directory, file, number, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 0;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, said,
                                                      O_WRONLY | O_CREAT | O_TRUNC, 0600),
                     0);
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), EXIT_NOT_REACHED);
        return false;
    }
    mr_buf text = MR_BUF_NULL;
    mr_error err;
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_int_equal(mr_file_read(said, 1 << 20, &text, &err), MR_OK);
    if (strncmp(mr_buf_text(&text), "millrace: out of memory; what is committed is safe", 50) !=
        0) {
        fail_msg("it ended with: %s", mr_buf_text(&text));
    }
    mr_buf_deinit(&text);
    return true;
}

static void every_allocation_may_fail(void **state)
{
    enum { EVERY = 7, ALLOCATIONS_MIN = 200, ALLOCATIONS_MAX = 20000 };
    const char *base = *state;
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/state", base);
    MR_CLEANUP(freep) char *file = mr_asprintf("%s/ledger", base);
    MR_CLEANUP(freep) char *said = mr_asprintf("%s/stderr", base);
    const char *given = getenv("MR_SWEEP_EVERY");
    int64_t every = EVERY;
    if (given != NULL && mr_parse_int64(given, &every) != MR_OK) {
        fail_msg("MR_SWEEP_EVERY is no number: %s", given);
    }
    volatile ledger *kept = map_ledger(file);
    scene self;
    scene_init(&self, kept);
    long n = 1;
    long n_tried = 0;
    for (; n < ALLOCATIONS_MAX; n += (long)every, n_tried++) {
        *kept = (ledger){0};
        if (!starve(directory, file, said, n)) {
            break;
        }
        assert_whole(&self, directory);
    }
    print_message("%ld of about %ld allocations failed\n", n_tried, n);
    assert_in_range(n, ALLOCATIONS_MIN, ALLOCATIONS_MAX - 1);
    (void)munmap((void *)(uintptr_t)kept, sizeof(ledger));
    scene_deinit(&self);
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(int argc, char **argv)
{
    if (argc == 4) {
        return starved_main(argv);
    }
    const struct CMUnitTest tests[] = {
        in_directory(every_call_may_fail),
        in_directory(every_call_may_fail_although_it_worked),
        in_directory(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
