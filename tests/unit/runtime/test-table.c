/*
 * Goal: a table answers the same whatever layer a row lies in (cache, being flushed, RocksDB),
 * committed reads never see uncommitted rows, and scans are in key order.
 * Method: random operations (fixed seed) against a plain array; RocksDB in memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runtime/table.h"

enum { KEYS = 40, STEPS = 20000, ABSENT = -1 };

typedef struct mr_fixture {
    mr_schemas *schemas;
    mr_codec *codec;
    mr_database *database;
    mr_partition *partition;
    mr_table *table;
    const mr_row *flushing; /* NULL: no flush under way */
    size_t n_flushing;
    mr_store_spec spec;
    int64_t current[KEYS];
    int64_t committed[KEYS];
    int64_t random;
} mr_fixture;

static uint32_t next_random(mr_fixture *fixture)
{
    fixture->random = fixture->random * INT64_C(1103515245) % INT64_C(2147483647) + 12345;
    return (uint32_t)(fixture->random & 0x7fffffff);
}

static mr_bytes key_of(int i, char text[8])
{
    (void)snprintf(text, 8, "k%02d", i);
    return mr_bytes_text(text);
}

static void open_fixture(mr_fixture *fixture)
{
    mr_error err;
    *fixture = (mr_fixture){.random = 20260101};
    fixture->schemas = mr_schemas_new();
    const mr_schema *schema;
    assert_int_equal(mr_schemas_add(fixture->schemas,
                                    "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":"
                                    "\"n\",\"type\":\"long\"}]}",
                                    "test", &schema, &err),
                     MR_OK);
    fixture->codec = mr_codec_new(fixture->schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    const mr_database_options options = {.directory = "table-test",
                                         .identity = "test/table",
                                         .stores = "rows",
                                         .cache_bytes = 1 << 20,
                                         .memtable_bytes = 1 << 20,
                                         .in_memory = true};
    const mr_log log = MR_LOG_NULL;
    assert_int_equal(mr_database_open(&options, &log, &fixture->database, &err), MR_OK);
    assert_int_equal(mr_partition_open(fixture->database, 3, &fixture->partition, &err), MR_OK);
    static char name[] = "rows";
    fixture->spec = (mr_store_spec){
        .name = name, .number = 1, .value = schema, .key = {.raw = true}, .changelog = name};
    fixture->table = mr_table_new(&fixture->spec, fixture->partition, fixture->codec);
    for (int i = 0; i < KEYS; i++) {
        fixture->current[i] = ABSENT;
        fixture->committed[i] = ABSENT;
    }
}

static void close_fixture(mr_fixture *fixture)
{
    mr_table_free(fixture->table);
    mr_partition_close(fixture->partition);
    mr_database_free(fixture->database);
    mr_codec_free(fixture->codec);
    mr_schemas_free(fixture->schemas);
}

static int64_t *number_in(const mr_fixture *fixture, void *value)
{
    return mr_field_at(mr_schema_type(fixture->spec.value), value, 0);
}

static void change_row(mr_fixture *fixture, int i, int64_t n)
{
    char text[8];
    mr_error err;
    mr_entry *entry;
    const int64_t before = fixture->current[i];
    fixture->current[i] = n;
    if (n % 3 == 0) {
        *number_in(fixture, mr_table_replace(fixture->table, key_of(i, text))) = n;
        return;
    }
    mr_table_expect_hash(fixture->table, mr_table_expect_key(fixture->table, key_of(i, text)));
    assert_int_equal(mr_table_find(fixture->table, key_of(i, text), &entry, &err), MR_OK);
    if (n == ABSENT) {
        if (mr_entry_value(entry) != NULL) {
            mr_table_delete(fixture->table, entry);
        }
    } else {
        int64_t *number = number_in(fixture, mr_table_own(fixture->table, entry));
        assert_int_equal(*number, before == ABSENT ? 0 : before);
        *number = n;
    }
}

static void check_row(mr_fixture *fixture, int i)
{
    char text[8];
    mr_error err;
    mr_entry *entry;
    assert_int_equal(mr_table_find(fixture->table, key_of(i, text), &entry, &err), MR_OK);
    void *value = (void *)(uintptr_t)mr_entry_value(entry);
    assert_int_equal(value == NULL ? ABSENT : *number_in(fixture, value), fixture->current[i]);
    mr_buf encoded = MR_BUF_NULL;
    const mr_status status = mr_table_committed(fixture->table, key_of(i, text), &encoded, &err);
    assert_int_equal(status, fixture->committed[i] == ABSENT ? MR_NOT_FOUND : MR_OK);
    if (status == MR_OK) {
        int64_t number = ABSENT; /* the whole of a row's value */
        assert_int_equal(mr_codec_decode(fixture->codec, mr_buf_bytes(&encoded),
                                         fixture->spec.value, &number, &err),
                         MR_OK);
        assert_int_equal(number, fixture->committed[i]);
    }
    mr_buf_deinit(&encoded);
}

static mr_status count_written(void *argument, mr_bytes key, mr_bytes value, mr_error *err)
{
    (void)key;
    (void)value;
    (void)err;
    ++*(size_t *)argument;
    return MR_OK;
}

static void commit(mr_fixture *fixture)
{
    mr_error err;
    size_t n_written = 0;
    const size_t n_changed = mr_table_changed(fixture->table);
    assert_int_equal(mr_table_encode(fixture->table, count_written, &n_written, &err), MR_OK);
    assert_int_equal(n_written, n_changed);
    memcpy(fixture->committed, fixture->current, sizeof(fixture->current));
}

/* The first call begins a flush, the second writes its rows and ends it: between them the rows are
 * nowhere but in the table. With nothing behind the first does nothing. */
static void flush(mr_fixture *fixture)
{
    mr_error err;
    if (fixture->flushing == NULL) {
        assert_int_equal(
            mr_table_flush_begin(fixture->table, &fixture->flushing, &fixture->n_flushing, &err),
            MR_OK);
        return;
    }
    const mr_progress progress = {.n_stores = 1};
    assert_int_equal(mr_partition_write(fixture->partition, fixture->flushing, fixture->n_flushing,
                                        &progress, &err),
                     MR_OK);
    mr_table_flushed(fixture->table);
    fixture->flushing = NULL;
}

typedef struct mr_expected {
    mr_fixture *fixture;
    const int64_t *rows;
    int next;
    int to;
} mr_expected;

static void expect_key(mr_expected *expected, mr_bytes key)
{
    char text[8];
    while (expected->next < expected->to && expected->rows[expected->next] == ABSENT) {
        expected->next++;
    }
    assert_true(expected->next < expected->to);
    assert_true(mr_bytes_equal(key, key_of(expected->next, text)));
    expected->next++;
}

static mr_status visit_current(void *argument, mr_bytes key, mr_error *err)
{
    mr_expected *expected = argument;
    mr_entry *entry;
    assert_int_equal(mr_table_find(expected->fixture->table, key, &entry, err), MR_OK);
    if (mr_entry_value(entry) != NULL) {
        expect_key(expected, key);
    }
    return MR_OK;
}

static mr_status visit_committed(void *argument, mr_bytes key, mr_bytes value, mr_error *err)
{
    (void)err;
    assert_false(mr_bytes_is_null(value));
    expect_key(argument, key);
    return MR_OK;
}

static void check_rest(mr_expected *expected)
{
    while (expected->next < expected->to) {
        assert_int_equal(expected->rows[expected->next++], ABSENT);
    }
}

static void check_scans(mr_fixture *fixture, int from, int to)
{
    char from_text[8];
    char to_text[8];
    mr_error err;
    mr_expected expected = {fixture, fixture->current, from, to};
    const mr_bytes from_key = key_of(from, from_text);
    const mr_bytes to_key = to == KEYS ? MR_BYTES_NULL : key_of(to, to_text);
    assert_int_equal(
        mr_table_keys(fixture->table, from_key, to_key, visit_current, &expected, &err), MR_OK);
    check_rest(&expected);
    expected = (mr_expected){fixture, fixture->committed, from, to};
    assert_int_equal(
        mr_table_scan_committed(fixture->table, from_key, to_key, visit_committed, &expected, &err),
        MR_OK);
    check_rest(&expected);
}

static void every_layer_answers_the_same(void **state)
{
    (void)state;
    mr_fixture fixture;
    open_fixture(&fixture);
    for (int step = 0; step < STEPS; step++) {
        const int key = (int)(next_random(&fixture) % KEYS);
        switch (next_random(&fixture) % 12) {
        case 0:
        case 1:
        case 2:
            change_row(&fixture, key, step);
            break;
        case 3:
            change_row(&fixture, key, ABSENT);
            break;
        case 4:
            commit(&fixture);
            break;
        case 5:
            flush(&fixture);
            break;
        case 6:
            mr_table_evict(fixture.table, next_random(&fixture) % 4000);
            break;
        case 7:
            check_scans(&fixture, key,
                        key + (int)(next_random(&fixture) % (uint32_t)(KEYS - key)) + 1);
            break;
        default:
            check_row(&fixture, key);
            break;
        }
    }
    close_fixture(&fixture);
}

static void eviction_keeps_what_is_nowhere_else(void **state)
{
    (void)state;
    mr_fixture fixture;
    open_fixture(&fixture);
    for (int i = 0; i < KEYS; i++) {
        change_row(&fixture, i, i);
    }
    mr_table_evict(fixture.table, 0);
    assert_int_equal(mr_table_changed(fixture.table), KEYS);
    commit(&fixture);
    const size_t behind = mr_table_behind_bytes(fixture.table);
    mr_table_evict(fixture.table, 0);
    assert_int_equal(mr_table_cache_bytes(fixture.table), behind);
    flush(&fixture); /* begins */
    assert_int_equal(mr_table_behind_bytes(fixture.table), 0);
    mr_table_evict(fixture.table, 0);
    assert_int_equal(mr_table_cache_bytes(fixture.table), 0);
    for (int i = 0; i < KEYS; i++) {
        check_row(&fixture, i);
    }
    flush(&fixture); /* ends */
    mr_table_evict(fixture.table, 0);
    for (int i = 0; i < KEYS; i++) {
        check_row(&fixture, i);
    }
    close_fixture(&fixture);
}

static void what_was_only_written_goes_with_the_flush(void **state)
{
    (void)state;
    mr_fixture fixture;
    open_fixture(&fixture);
    check_row(&fixture, 2);     /* no such row: from now on the cache knows all that there are */
    change_row(&fixture, 1, 3); /* replaced, unread */
    commit(&fixture);
    assert_true(mr_table_cache_bytes(fixture.table) > 0);
    flush(&fixture);
    mr_table_evict(fixture.table, 0); /* the row that does not exist */
    assert_int_equal(mr_table_cache_bytes(fixture.table), 0);
    check_row(&fixture, 1);
    change_row(&fixture, 1, 6); /* replaced, but somebody reads it */
    commit(&fixture);
    flush(&fixture);
    assert_true(mr_table_cache_bytes(fixture.table) > 0);
    check_row(&fixture, 1);
    close_fixture(&fixture);
}

static void assert_has_rows(mr_fixture *fixture, bool expected)
{
    mr_error err;
    bool has_rows = !expected;
    assert_int_equal(mr_table_has_rows(fixture->table, &has_rows, &err), MR_OK);
    assert_int_equal(has_rows, expected);
}

static void a_row_is_noticed_in_every_layer(void **state)
{
    (void)state;
    mr_fixture fixture;
    open_fixture(&fixture);
    check_row(&fixture, 1); /* absent, but cached as that */
    assert_has_rows(&fixture, false);
    change_row(&fixture, 1, 2);
    assert_has_rows(&fixture, true);
    commit(&fixture);
    assert_has_rows(&fixture, true);
    flush(&fixture); /* begins */
    assert_has_rows(&fixture, true);
    flush(&fixture); /* ends */
    assert_has_rows(&fixture, true);
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_answers_the_same),
        cmocka_unit_test(eviction_keeps_what_is_nowhere_else),
        cmocka_unit_test(what_was_only_written_goes_with_the_flush),
        cmocka_unit_test(a_row_is_noticed_in_every_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
