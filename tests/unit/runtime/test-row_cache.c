/*
 * Goal: the row cache finds what was added and not dropped, whatever was pushed on by collisions,
 * and evicts unchanged rows that nobody used of late. Method: random operations (fixed seed)
 * against a plain array.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runtime/row_cache.h"

enum { KEYS = 3000, STEPS = 60000 };

typedef struct mr_fixture {
    mr_schemas *schemas;
    const mr_type *type;
    mr_row_cache *cache;
} mr_fixture;

static int set_up(void **state)
{
    static mr_fixture fixture;
    mr_error err;
    const mr_schema *schema;
    fixture.schemas = mr_schemas_new();
    assert_int_equal(mr_schemas_add(fixture.schemas,
                                    "{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":"
                                    "\"n\",\"type\":\"long\"},{\"name\":\"s\",\"type\":\"string\"}]"
                                    "}",
                                    "test", &schema, &err),
                     MR_OK);
    fixture.type = mr_schema_type(schema);
    fixture.cache = mr_row_cache_new(fixture.type);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    mr_fixture *fixture = *state;
    mr_row_cache_free(fixture->cache);
    mr_schemas_free(fixture->schemas);
    return 0;
}

static mr_bytes key_of(int i, char text[16])
{
    return mr_bytes_of(text, (size_t)snprintf(text, 16, "key-%d", i));
}

static mr_entry *add(mr_fixture *fixture, int i)
{
    char text[16];
    mr_entry *entry = mr_row_cache_add(fixture->cache, key_of(i, text));
    *(int64_t *)mr_field_at(fixture->type, mr_entry_memory(entry), 0) = i;
    mr_string_set(mr_field_at(fixture->type, mr_entry_memory(entry), 1), key_of(i, text));
    mr_row_cache_account(fixture->cache, entry);
    return entry;
}

static void expect(mr_fixture *fixture, int i)
{
    char text[16];
    mr_row_cache_expect_hash(fixture->cache,
                             mr_row_cache_expect_key(fixture->cache, key_of(i, text)));
}

static mr_entry *find(mr_fixture *fixture, int i)
{
    char text[16];
    return mr_row_cache_find(fixture->cache, key_of(i, text));
}

static void what_was_added_is_found_until_it_is_dropped(void **state)
{
    mr_fixture *fixture = *state;
    static mr_entry *expected[KEYS];
    uint64_t random = 20261121;
    size_t n = 0;
    for (int step = 0; step < STEPS; step++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        const int i = (int)((random >> 33) % KEYS);
        expect(fixture, i);
        mr_entry *entry = find(fixture, i);
        assert_ptr_equal(entry, expected[i]);
        if (entry == NULL) {
            expected[i] = add(fixture, i);
            n++;
        } else if ((random >> 20) % 3 == 0) {
            assert_int_equal(*(int64_t *)mr_entry_memory(entry), i);
            mr_row_cache_drop(fixture->cache, entry);
            expected[i] = NULL;
            n--;
        }
    }
    assert_in_range(n, KEYS / 4, KEYS);
    for (int i = 0; i < KEYS; i++) {
        assert_ptr_equal(find(fixture, i), expected[i]);
        if (expected[i] != NULL) {
            mr_row_cache_drop(fixture->cache, expected[i]);
        }
    }
    assert_int_equal(mr_row_cache_bytes(fixture->cache), 0);
}

static void eviction_takes_what_nobody_used(void **state)
{
    mr_fixture *fixture = *state;
    for (int i = 0; i < KEYS; i++) {
        add(fixture, i)->changed = i % 10 == 0;
    }
    /* One round of the clock's hand: one row goes, and no other counts as used any more. */
    const size_t all = mr_row_cache_bytes(fixture->cache);
    (void)mr_row_cache_evict(fixture->cache, all - 1);
    bool used[KEYS] = {false};
    for (int i = 0; i < KEYS; i += 3) {
        used[i] = find(fixture, i) != NULL;
    }
    for (int i = 0; i < KEYS; i++) {
        expect(fixture, i); /* is no use */
    }
    (void)mr_row_cache_evict(fixture->cache, all / 2);
    assert_in_range(mr_row_cache_bytes(fixture->cache), all / 3, all / 2);
    int kept = 0;
    for (int i = 0; i < KEYS; i++) {
        if (used[i] || i % 10 == 0) {
            assert_non_null(find(fixture, i));
        } else {
            kept += find(fixture, i) != NULL;
        }
    }
    assert_in_range(kept, 1, KEYS / 3);
}

static void eviction_ends_when_everything_is_changed(void **state)
{
    mr_fixture *fixture = *state;
    for (int i = 0; i < 100; i++) {
        add(fixture, i)->changed = true;
    }
    assert_false(mr_row_cache_evict(fixture->cache, 0));
    for (int i = 0; i < 100; i++) {
        assert_non_null(find(fixture, i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_added_is_found_until_it_is_dropped, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(eviction_takes_what_nobody_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eviction_ends_when_everything_is_changed, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
