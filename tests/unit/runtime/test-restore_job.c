/* Goal: what is read of the changelogs is in RocksDB in the end, with the progress that belongs to
 * it, also when the restore was interrupted. Method: a job is fed with records by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "runtime/restore_job.h"

enum { MANY = 10 * MR_ROWS_OF_A_TABLE, FEW = 10, COMMITTED = 77 };

/* Two stores with a changelog each. */
typedef struct fixture {
    mr_store_spec stores[2];
    mr_stage stage;
    mr_database *database;
    mr_partition *partition;
    mr_flusher *flusher;
    mr_restore restore;
    _Atomic int64_t restored;
    _Atomic int64_t remaining;
} fixture;

static int setup(void **state)
{
    mr_error err;
    fixture *f = mr_alloc_zero(1, sizeof(*f));
    f->stores[0] = (mr_store_spec){.number = 1, .changelog = mr_strdup("a-changelog")};
    f->stores[1] = (mr_store_spec){.number = 2, .changelog = mr_strdup("b-changelog")};
    f->stage = (mr_stage){.stores = f->stores, .n_stores = 2};
    const mr_database_options options = {.identity = "test/restore",
                                         .stores = "rows",
                                         .cache_bytes = 1 << 20,
                                         .memtable_bytes = 8 << 20,
                                         .in_memory = true};
    assert_int_equal(mr_database_open(&options, &MR_LOG_NULL, &f->database, &err), MR_OK);
    assert_int_equal(mr_partition_open(f->database, 0, &f->partition, &err), MR_OK);
    assert_int_equal(mr_flusher_new(&f->flusher, &err), MR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    mr_flusher_free(f->flusher);
    mr_partition_close(f->partition);
    mr_database_free(f->database);
    free(f->stores[0].changelog);
    free(f->stores[1].changelog);
    free(f);
    return 0;
}

/* A restore from what is on disk to these ends. */
static mr_restore_job *begin_as(fixture *f, bool exactly_once, int64_t end_of_a, int64_t end_of_b)
{
    mr_error err;
    f->restore = (mr_restore){.partition = f->partition,
                              .restored = &f->restored,
                              .remaining = &f->remaining,
                              .committed = COMMITTED};
    atomic_store(&f->restored, 0);
    assert_int_equal(mr_partition_progress(f->partition, &f->restore.progress, &err), MR_OK);
    mr_restore_job *job = mr_restore_job_new(&f->stage, exactly_once, &f->restore);
    job->ends[0] = end_of_a;
    job->ends[1] = end_of_b;
    assert_int_equal(mr_restore_job_begin(job, &err), MR_OK);
    return job;
}

static mr_restore_job *begin(fixture *f, int64_t end_of_a, int64_t end_of_b)
{
    return begin_as(f, true, end_of_a, end_of_b);
}

/* The record at an offset has its offset modulo MANY as its key, the offset as its value. */
static void feed(mr_restore_job *job, int store, int64_t from, int64_t to)
{
    for (int64_t offset = from; offset < to; offset++) {
        char key[24];
        char value[24];
        (void)snprintf(key, sizeof(key), "key-%05lld", (long long)(offset % MANY));
        (void)snprintf(value, sizeof(value), "%lld", (long long)offset);
        const mr_record record = {.topic = store == 0 ? "a-changelog" : "b-changelog",
                                  .offset = offset,
                                  .key = mr_bytes_text(key),
                                  .value = mr_bytes_text(value)};
        mr_error err;
        assert_int_equal(mr_restore_job_add(job, &record, &err), MR_OK);
    }
}

static void finish(fixture *f, mr_restore_job *job)
{
    mr_error err;
    mr_restore_job_reached(job, "a-changelog", job->ends[0]);
    mr_restore_job_reached(job, "b-changelog", job->ends[1]);
    assert_true(mr_restore_job_has_ended(job));
    assert_int_equal(mr_restore_job_finish(job, f->flusher, &err), MR_OK);
    assert_int_equal(mr_restore_job_take(job, true, &err), MR_OK);
    mr_restore_job_free(job);
}

static void assert_row(fixture *f, uint8_t store, int64_t key_number, int64_t expected)
{
    char key[24];
    char text[24];
    mr_error err;
    mr_buf value = MR_BUF_NULL;
    (void)snprintf(key, sizeof(key), "key-%05lld", (long long)key_number);
    (void)snprintf(text, sizeof(text), "%lld", (long long)expected);
    assert_int_equal(mr_partition_get(f->partition, store, mr_bytes_text(key), &value, &err),
                     MR_OK);
    assert_string_equal(mr_buf_text(&value), text);
    mr_buf_deinit(&value);
}

static void assert_progress(fixture *f, int64_t input_offset, int64_t of_a, int64_t of_b)
{
    mr_error err;
    mr_progress progress;
    assert_int_equal(mr_partition_progress(f->partition, &progress, &err), MR_OK);
    assert_int_equal(progress.input_offset, input_offset);
    assert_int_equal(progress.changelog_offset[0], of_a);
    assert_int_equal(progress.changelog_offset[1], of_b);
}

static void many_rows_of_all_stores_go_to_disk(void **state)
{
    fixture *f = *state;
    mr_restore_job *job = begin(f, 2 * MANY + 1, MANY + 1);
    assert_int_equal(mr_restore_job_left(job), 3 * MANY + 2);
    feed(job, 0, 0, 2 * MANY);
    feed(job, 1, 0, MANY);
    assert_int_equal(mr_restore_job_left(job), 2); /* the ends' marks */
    finish(f, job);
    assert_progress(f, COMMITTED, 2 * MANY + 1, MANY + 1);
    assert_int_equal(f->restore.tail, 0); /* a crash reads nothing again */
    for (int64_t i = 0; i < MANY; i++) {
        assert_row(f, 1, i, MANY + i);
        assert_row(f, 2, i, i);
    }
}

static void a_few_rows_are_a_tail(void **state)
{
    fixture *f = *state;
    mr_restore_job *job = begin(f, MANY + FEW, 0);
    feed(job, 0, 0, FEW);
    feed(job, 0, MANY, MANY + FEW); /* compacted in between; the same keys again */
    finish(f, job);
    assert_progress(f, COMMITTED, MANY + FEW, 0);
    assert_int_equal(f->restore.tail, 2 * FEW);
    for (int64_t i = 0; i < FEW; i++) {
        assert_row(f, 1, i, MANY + i);
    }
}

static void remove_rows(mr_restore_job *job, int64_t from, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        char key[24];
        (void)snprintf(key, sizeof(key), "key-%05lld", (long long)i);
        const mr_record record = {
            .topic = "a-changelog", .offset = from + i, .key = mr_bytes_text(key)};
        mr_error err;
        assert_int_equal(mr_restore_job_add(job, &record, &err), MR_OK);
    }
}

static int64_t count_rows(fixture *f)
{
    mr_error err;
    mr_bytes key;
    mr_bytes value;
    mr_cursor *cursor = NULL;
    int64_t n = 0;
    assert_int_equal(mr_cursor_open(f->partition, 1, MR_BYTES_NULL, MR_BYTES_NULL, &cursor, &err),
                     MR_OK);
    while (mr_cursor_next(cursor, &key, &value, &err) == MR_OK) {
        n++;
    }
    mr_cursor_close(cursor);
    return n;
}

/* What `millrace replay` leaves in a changelog for a directory that is warm. */
static void remove_from_warm(fixture *f, int64_t n)
{
    enum { BACK = 70 };
    mr_error err;
    mr_restore_job *job = begin(f, MANY, 0);
    feed(job, 0, 0, MANY);
    finish(f, job);
    assert_progress(f, COMMITTED, MANY, 0);
    f->restore.committed = COMMITTED - BACK;
    job = mr_restore_job_new(&f->stage, true, &f->restore);
    job->ends[0] = MANY + n;
    /* Without its mark, somebody has reset the offsets alone. */
    assert_int_equal(mr_restore_job_begin(job, &err), MR_ERR_STORE);
    f->restore.replay_below = COMMITTED - 1;
    assert_int_equal(mr_restore_job_begin(job, &err), MR_ERR_STORE);
    f->restore.replay_below = COMMITTED;
    assert_int_equal(mr_restore_job_begin(job, &err), MR_OK);
    remove_rows(job, MANY, n);
    finish(f, job);
    assert_progress(f, COMMITTED - BACK, MANY + n, 0);
    assert_int_equal(count_rows(f), MANY - n);
}

/* Few rows take another way to the disk than many. */
static void a_few_removed_rows_are_gone(void **state)
{
    remove_from_warm(*state, FEW);
}

static void many_removed_rows_are_gone(void **state)
{
    remove_from_warm(*state, MANY);
}

/* The rows that were there are gone, and so is the progress, of every store. */
static void stale_rows_are_read_again(void **state)
{
    fixture *f = *state;
    mr_error err;
    mr_restore_job *job = begin(f, MANY, FEW);
    feed(job, 0, 0, MANY);
    feed(job, 1, 0, FEW);
    finish(f, job);
    assert_int_equal(mr_partition_progress(f->partition, &f->restore.progress, &err), MR_OK);
    atomic_store(&f->restored, 0);
    job = mr_restore_job_new(&f->stage, true, &f->restore);
    job->is_stale = true;
    /* A topic made anew is not hidden by it. */
    job->ends[0] = MANY - 1;
    assert_int_equal(mr_restore_job_begin(job, &err), MR_ERR_STORE);
    assert_int_equal(count_rows(f), MANY);
    job->ends[0] = MANY + FEW;
    job->ends[1] = FEW;
    f->restore.tail = 5;
    assert_int_equal(mr_restore_job_begin(job, &err), MR_OK);
    assert_true(f->restore.is_dropped);
    assert_int_equal(mr_restore_job_left(job), MANY + 2 * FEW);
    feed(job, 0, MANY, MANY + FEW); /* what compaction has left */
    feed(job, 1, 0, FEW);
    finish(f, job);
    assert_progress(f, COMMITTED, MANY + FEW, FEW);
    assert_int_equal(count_rows(f), FEW);
    assert_int_equal(f->restore.tail, 2 * FEW);
}

static void an_interrupted_restore_goes_on(void **state)
{
    fixture *f = *state;
    mr_error err;
    mr_restore_job *job = begin(f, 2 * MANY, MANY);
    feed(job, 0, 0, MANY);
    feed(job, 1, 0, FEW);
    const size_t bytes = mr_restore_job_bytes(job);
    assert_int_equal(mr_restore_job_write(job, f->flusher, &err), MR_OK);
    assert_true(mr_restore_job_bytes(job) >= bytes); /* until it is written */
    feed(job, 0, MANY, MANY + FEW);                  /* will not be written */
    assert_int_equal(mr_restore_job_take(job, true, &err), MR_OK);
    assert_true(mr_restore_job_bytes(job) < bytes / 2);
    mr_restore_job_free(job);
    /* Not complete: no input offset. */
    assert_progress(f, -1, MANY, FEW);
    job = begin(f, 2 * MANY, MANY);
    assert_int_equal(mr_restore_job_left(job), 2 * MANY - FEW);
    feed(job, 0, MANY, 2 * MANY);
    feed(job, 1, FEW, MANY);
    finish(f, job);
    assert_progress(f, COMMITTED, 2 * MANY, MANY);
    for (int64_t i = 0; i < MANY; i++) {
        assert_row(f, 1, i, MANY + i);
        assert_row(f, 2, i, i);
    }
}

/* At least once: a row of a commit, or its marker with the input offset. */
static void feed_part(mr_restore_job *job, int store, int64_t offset, const char *commit, int input,
                      bool is_marker)
{
    char text[24];
    mr_error err;
    (void)snprintf(text, sizeof(text), "%d", input);
    const mr_header headers[] = {{MR_COMMIT_HEADER, mr_bytes_text(commit)},
                                 {MR_INPUT_HEADER, mr_bytes_text(text)}};
    const mr_record record = {.topic = store == 0 ? "a-changelog" : "b-changelog",
                              .offset = offset,
                              .key = mr_bytes_text("key-00000"),
                              .value = mr_bytes_text(text),
                              .headers = headers,
                              .n_headers = is_marker ? 2 : 1};
    assert_int_equal(mr_restore_job_add(job, &record, &err), MR_OK);
}

static void feed_row(mr_restore_job *job, int store, int64_t offset, const char *commit, int input)
{
    feed_part(job, store, offset, commit, input, false);
}

static void feed_marker(mr_restore_job *job, int store, int64_t offset, const char *commit,
                        int input)
{
    feed_part(job, store, offset, commit, input, true);
}

static void feed_commit(mr_restore_job *job, int store, int64_t offset, const char *commit,
                        int input)
{
    feed_row(job, store, offset, commit, input);
    feed_marker(job, store, offset + 1, commit, input);
}

/* Commit 3 has its marker in one changelog only, and the restore that goes on reads nothing else of
 * that. */
static void a_commit_is_whole_with_one_marker(void **state)
{
    fixture *f = *state;
    mr_error err;
    mr_restore_job *job = begin_as(f, false, 6, 5);
    feed_commit(job, 0, 0, "0/1", 10);
    feed_commit(job, 0, 2, "0/2", 20);
    feed_commit(job, 0, 4, "0/3", 30);
    feed_commit(job, 1, 0, "0/1", 10);
    feed_commit(job, 1, 2, "0/2", 20);
    assert_int_equal(mr_restore_job_write(job, f->flusher, &err), MR_OK);
    mr_restore_job_free(job);
    assert_progress(f, -1, 5, 3);
    job = begin_as(f, false, 6, 5);
    feed_marker(job, 0, 5, "0/3", 30);
    feed_marker(job, 1, 3, "0/2", 20);
    feed_row(job, 1, 4, "0/3", 30);
    finish(f, job);
    assert_progress(f, 30, 6, 5);
    assert_false(mr_restore_is_unsure(&f->restore));
    assert_row(f, 1, 0, 30);
    assert_row(f, 2, 0, 30);
}

/* Of the markers only the newest are left, and nobody waits for the others. */
static void compacted_markers_are_not_missed(void **state)
{
    fixture *f = *state;
    mr_restore_job *job = begin_as(f, false, 8, 9);
    feed_row(job, 0, 0, "0/1", 10);
    feed_marker(job, 0, 7, "5/4", 40);
    feed_row(job, 1, 2, "0/2", 20);
    feed_marker(job, 1, 6, "5/3", 30);
    feed(job, 1, 7, 8); /* a rewrite's */
    feed_marker(job, 1, 8, "5/4", 40);
    finish(f, job);
    assert_progress(f, 40, 8, 9);
    assert_row(f, 1, 0, 10);
    assert_row(f, 2, 0, 20);
    assert_row(f, 2, 7, 7);
}

static void assert_unsure(fixture *f, size_t of_a, size_t of_b)
{
    const size_t expected[] = {of_a, of_b};
    for (size_t i = 0; i < 2; i++) {
        mr_row_pile *pile = f->restore.unsure[i];
        assert_int_equal(pile == NULL ? 0 : mr_row_pile_count(pile), expected[i]);
    }
    mr_restore_forget_unsure(&f->restore);
}

/* A crash in the middle of commit 3, one before anything was committed after it, one in the middle
 * of its second attempt, and none. */
static void what_was_cut_off_is_known_until_it_is_made_good(void **state)
{
    fixture *f = *state;
    mr_restore_job *job = begin_as(f, false, 3, 3);
    feed_commit(job, 0, 0, "0/2", 20);
    feed_marker(job, 1, 1, "0/2", 20);
    feed_row(job, 1, 2, "0/3", 30);
    finish(f, job);
    assert_progress(f, 20, 3, 2);
    assert_unsure(f, 0, 1);
    job = begin_as(f, false, 3, 3);
    assert_int_equal(mr_restore_job_left(job), 1);
    feed_row(job, 1, 2, "0/3", 30);
    finish(f, job);
    assert_progress(f, 20, 3, 2);
    assert_unsure(f, 0, 1);
    job = begin_as(f, false, 4, 4);
    feed_row(job, 0, 3, "6/3", 31);
    feed_row(job, 1, 2, "0/3", 30);
    feed_row(job, 1, 3, "6/3", 20);
    finish(f, job);
    assert_progress(f, 20, 3, 2);
    assert_unsure(f, 1, 1);
    assert_row(f, 1, 0, 20);
    job = begin_as(f, false, 6, 6);
    feed_row(job, 0, 3, "6/3", 31);
    feed_commit(job, 0, 4, "8/3", 32);
    feed_row(job, 1, 2, "0/3", 30);
    feed_row(job, 1, 3, "6/3", 20);
    feed_commit(job, 1, 4, "8/3", 32);
    finish(f, job);
    assert_progress(f, 32, 6, 6);
    assert_unsure(f, 0, 0);
    assert_row(f, 1, 0, 32);
    assert_row(f, 2, 0, 32);
}

/* A standby's copy: written now and then, and never complete. */
static mr_restore_job *follow(fixture *f, bool exactly_once)
{
    mr_error err;
    f->restore = (mr_restore){
        .partition = f->partition, .restored = &f->restored, .remaining = &f->remaining};
    atomic_store(&f->restored, 0);
    assert_int_equal(mr_partition_progress(f->partition, &f->restore.progress, &err), MR_OK);
    mr_restore_job *job = mr_restore_job_new(&f->stage, exactly_once, &f->restore);
    mr_restore_job_follow(job);
    return job;
}

static void a_followed_task_is_restored_from_where_it_is(void **state)
{
    fixture *f = *state;
    mr_error err;
    mr_restore_job *job = follow(f, true);
    for (int i = 0; i < FEW; i++) {
        feed(job, 0, i * FEW, (i + 1) * FEW);
        assert_int_equal(mr_restore_job_write(job, f->flusher, &err), MR_OK);
    }
    assert_int_equal(f->restore.tail, FEW * FEW);
    mr_restore_job_free(job);
    assert_progress(f, -1, FEW * FEW, -1);
    job = follow(f, true); /* as after a restart */
    feed(job, 1, 0, FEW);
    assert_int_equal(mr_restore_job_write(job, f->flusher, &err), MR_OK);
    mr_restore_job_free(job);
    job = begin(f, FEW * FEW + 1, FEW);
    assert_int_equal(mr_restore_job_left(job), 1);
    finish(f, job);
    assert_progress(f, COMMITTED, FEW * FEW + 1, FEW);
    assert_row(f, 1, FEW * FEW - 1, FEW * FEW - 1);
    assert_row(f, 2, FEW - 1, FEW - 1);
}

/* At least once: what is not proven yet is not written, and read again by who takes over. */
static void a_followed_commit_waits_for_its_proof(void **state)
{
    fixture *f = *state;
    mr_error err;
    mr_restore_job *job = follow(f, false);
    feed_commit(job, 0, 0, "0/1", 10);
    feed_commit(job, 1, 0, "0/1", 10);
    feed_row(job, 0, 2, "0/2", 20);
    feed_commit(job, 1, 2, "0/2", 20);
    assert_int_equal(mr_restore_job_write(job, f->flusher, &err), MR_OK);
    mr_restore_job_free(job);
    assert_progress(f, -1, 1, 3);
    assert_row(f, 1, 0, 10);
    assert_row(f, 2, 0, 20);
    job = begin_as(f, false, 3, 5);
    feed_marker(job, 0, 1, "0/1", 10);
    feed_row(job, 0, 2, "0/2", 20);
    feed_marker(job, 1, 3, "0/2", 20);
    feed_row(job, 1, 4, "0/3", 30);
    finish(f, job);
    assert_progress(f, 20, 3, 4);
    assert_unsure(f, 0, 1);
    assert_row(f, 1, 0, 20);
    assert_row(f, 2, 0, 20);
}

/* Cancelled while a table is being written: nothing borrows from the job afterwards. */
static void a_job_waits_for_its_write(void **state)
{
    fixture *f = *state;
    mr_error err;
    mr_restore_job *job = begin(f, 2 * MANY, 0);
    feed(job, 0, 0, MANY);
    assert_int_equal(mr_restore_job_write(job, f->flusher, &err), MR_OK);
    mr_restore_job_free(job);
    assert_progress(f, -1, MANY, -1);
    assert_row(f, 1, MANY - 1, MANY - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_rows_of_all_stores_go_to_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(a_few_rows_are_a_tail, setup, teardown),
        cmocka_unit_test_setup_teardown(a_few_removed_rows_are_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(many_removed_rows_are_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(stale_rows_are_read_again, setup, teardown),
        cmocka_unit_test_setup_teardown(an_interrupted_restore_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_is_whole_with_one_marker, setup, teardown),
        cmocka_unit_test_setup_teardown(compacted_markers_are_not_missed, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_cut_off_is_known_until_it_is_made_good, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_followed_task_is_restored_from_where_it_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_followed_commit_waits_for_its_proof, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_waits_for_its_write, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
