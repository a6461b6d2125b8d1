/* Goal: no directory is taken for that of another stage, of other stores, or of another format.
 * Method: one that holds a row is opened as such; then as its own, and the row is still there. */
#include "support.h"

#include <string.h>

#include "core/alloc.h"
#include "store/rocks.h"

MR_DEFINE_CLEANUP(char, free)

static void the_state_of_another_stage_is_refused(void **state)
{
    static const char *const others[] = {"tickets/carts", "tickets/car", "", "Tickets/cart"};
    make_state(*state);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        mr_error err;
        mr_database *database = NULL;
        mr_database_options options = options_of(*state);
        options.identity = others[i];
        for (int read_only = 0; read_only < 2; read_only++) {
            options.read_only = read_only == 1;
            assert_int_equal(mr_database_open(&options, &MR_LOG_NULL, &database, &err),
                             MR_ERR_USAGE);
            MR_CLEANUP(freep)
            char *sentence = mr_asprintf("'%s' belongs to '" IDENTITY "', not to '%s'; set another",
                                         (char *)*state, others[i]);
            assert_message(err, sentence);
        }
    }
    assert_state_is_whole(*state);
}

static mr_status open_for_stores(const char *path, const char *stores, bool read_only,
                                 mr_database **ret_database, mr_error *err)
{
    mr_database_options options = options_of(path);
    options.stores = stores;
    options.read_only = read_only;
    return mr_database_open(&options, &MR_LOG_NULL, ret_database, err);
}

static void assert_other_stores(const char *path, const char *has, const char *wanted)
{
    for (int read_only = 0; read_only < 2; read_only++) {
        mr_error err;
        mr_database *database = NULL;
        assert_int_equal(open_for_stores(path, wanted, read_only == 1, &database, &err),
                         MR_ERR_USAGE);
        assert_null(database);
        MR_CLEANUP(freep)
        char *sentence =
            mr_asprintf("'%s' has other stores than the app; `millrace restore`", path);
        MR_CLEANUP(freep) char *lists = mr_asprintf("(it has %s, the app %s)", has, wanted);
        assert_message(err, sentence);
        assert_message(err, lists);
    }
}

static void the_state_of_other_stores_is_refused(void **state)
{
    static const char *const others[] = {
        "state,answers,parked", "answers,state,parked", "parked,state", "state,park", "state",
        "state,parke",          "state,parked2",        "stat,parked",  "parked",     ""};
    make_state(*state);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_other_stores(*state, STORE_NAMES, others[i]);
    }
    assert_state_is_whole(*state);
}

/* It changes no number; what only reads does not write it down. */
static void a_store_more_at_the_end_is_noted(void **state)
{
    static const char more[] = STORE_NAMES ",timers";
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    mr_progress progress;
    make_state(*state);
    assert_ok(open_for_stores(*state, more, true, &database, &err));
    mr_database_free(database);
    assert_state_is_whole(*state);
    assert_ok(open_for_stores(*state, more, false, &database, &err));
    assert_row(database);
    assert_ok(mr_partition_open(database, 3, &partition, &err));
    assert_ok(mr_partition_progress(partition, &progress, &err));
    assert_int_equal(progress.changelog_offset[0], 1);
    assert_int_equal(progress.changelog_offset[2], -1);
    mr_partition_close(partition);
    mr_database_free(database);
    assert_other_stores(*state, more, STORE_NAMES);
    assert_other_stores(*state, more, STORE_NAMES ",others");
    assert_ok(open_for_stores(*state, more, true, &database, &err));
    assert_row(database);
    mr_database_free(database);
}

static void overwrite_identity(const char *path, const char *record)
{
    mr_error err;
    mr_database *database = NULL;
    char *failure = NULL;
    assert_ok(open_at(path, &database, &err));
    rocksdb_put_cf(database->rocks, database->tuning.write, database->families[0]->handle, "\0f", 2,
                   record, strlen(record), &failure);
    assert_null(failure);
    assert_ok(mr_family_flush(database, database->families[0], &err));
    mr_database_free(database);
}

static void another_format_is_refused(void **state)
{
    static const struct {
        const char *record;
        mr_status status;
        const char *message;
    } rows[] = {
        {"millrace-state 3 " IDENTITY, MR_ERR_USAGE, "has format 3, this millrace reads up to 2"},
        {"millrace-state 1 " IDENTITY, MR_ERR_USAGE, "has format 1, which this millrace no longer"},
        {"millrace-state 0 " IDENTITY, MR_ERR_USAGE, "has format 0, which this millrace no longer"},
        {"millrace-state x " IDENTITY, MR_ERR_STORE, "'x' is no format number"},
        {"millrace-state -1 " IDENTITY, MR_ERR_STORE, "'-1' is no format number"},
        {"millrace-state 99999999999999999999 " IDENTITY, MR_ERR_STORE, "is no format number"},
        {"millrace-state 2", MR_ERR_STORE, "record of its owner is garbage"},
        {"millrace-state 2 " IDENTITY, MR_ERR_STORE, "record of its owner is garbage"},
        {"millrace-state 2 " IDENTITY " ", MR_ERR_STORE, "record of its owner is garbage"},
        {"millrace-state ", MR_ERR_STORE, "record of its owner is garbage"},
        {"millrace", MR_ERR_STORE, "record of its owner is garbage"},
        {"", MR_ERR_STORE, "record of its owner is garbage"},
        {"something 2 " IDENTITY " " STORE_NAMES, MR_ERR_STORE, "record of its owner is garbage"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        MR_CLEANUP(freep) char *path = mr_asprintf("%s/%zu", (char *)*state, i);
        make_state(path);
        overwrite_identity(path, rows[i].record);
        assert_not_opened(path, false, rows[i].status, rows[i].message);
        assert_not_opened(path, true, rows[i].status, rows[i].message);
    }
}

#define in_directory(test)                                                                         \
    cmocka_unit_test_setup_teardown(test, directory_setup, directory_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(the_state_of_another_stage_is_refused),
        in_directory(the_state_of_other_stores_is_refused),
        in_directory(a_store_more_at_the_end_is_noted),
        in_directory(another_format_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
