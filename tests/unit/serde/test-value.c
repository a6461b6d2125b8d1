/*
 * Goal: typed values behave as values (initial, copied, swapped, compared, reset), and keep their
 * memory for reuse. Method: one schema with every kind of type; each operation looked at from
 * outside, under the address sanitizer for what is owned.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema_fixture.h"

typedef struct fixture {
    mr_schemas *schemas;
    const mr_type *type;
    void *value;
} fixture;

/* Fields of the fixture's record. */
enum { FLAG, COUNT, RATE, NAME, KEY, COLOR, ITEMS, TAGS, NOTE, EITHER, PLACE };

static const char schema_text[] =
    "{'type':'record','name':'All','fields':["
    "{'name':'flag','type':'boolean','default':true},"
    "{'name':'count','type':'int'},"
    "{'name':'rate','type':'double','default':0.5},"
    "{'name':'name','type':'string','default':'unnamed'},"
    "{'name':'key','type':{'type':'fixed','name':'Key','size':3},'default':'abc'},"
    "{'name':'color','type':{'type':'enum','name':'Color','symbols':['RED','GREEN']},"
    "'default':'GREEN'},"
    "{'name':'items','type':{'type':'array','items':{'type':'record','name':'Item','fields':["
    "{'name':'id','type':'string'},{'name':'n','type':'int','default':1}]}},"
    "'default':[{'id':'first'}]},"
    "{'name':'tags','type':{'type':'map','values':'string'},'default':{'b':'2','a':'1'}},"
    "{'name':'note','type':['null','string'],'default':null},"
    "{'name':'either','type':['string','int','Item'],'default':'either'},"
    "{'name':'place','type':['null',{'type':'record','name':'Place','fields':["
    "{'name':'x','type':'int','default':7},{'name':'y','type':'int'}]}]}]}";

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->schemas = mr_schemas_new();
    f->type = mr_schema_type(must_add(f->schemas, schema_text));
    f->value = mr_value_new(f->type);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_value_free(f->type, f->value);
    mr_schemas_free(f->schemas);
    free(f);
    return 0;
}

static void *at(const fixture *f, size_t field)
{
    return mr_field_at(f->type, f->value, field);
}

static const mr_type *type_of(const fixture *f, size_t field)
{
    return f->type->fields[field].type;
}

static void assert_text(const void *string, const char *text)
{
    assert_true(mr_bytes_equal_text(mr_string_bytes(string), text));
}

static void set_text(void *string, const char *text)
{
    mr_string_set(string, mr_bytes_text(text));
}

static void assert_initial(const fixture *f, const void *value)
{
    void *fresh = mr_value_new(f->type);
    assert_true(mr_value_equal(f->type, fresh, value));
    mr_value_free(f->type, fresh);
}

/* Something else in every field. */
static void change_all(const fixture *f, void *value)
{
    *(bool *)mr_field_at(f->type, value, FLAG) = false;
    *(int32_t *)mr_field_at(f->type, value, COUNT) = 42;
    *(double *)mr_field_at(f->type, value, RATE) = -0.0;
    set_text(mr_field_at(f->type, value, NAME), "a name of more than a few bytes");
    memcpy(mr_field_at(f->type, value, KEY), "xyz", 3);
    *(int32_t *)mr_field_at(f->type, value, COLOR) = 0;
    const mr_type *items = type_of(f, ITEMS);
    for (int i = 0; i < 20; i++) {
        void *item = mr_array_push(items, mr_field_at(f->type, value, ITEMS));
        set_text(mr_field_at(items->items, item, 0), "an item");
        *(int32_t *)mr_field_at(items->items, item, 1) = i;
    }
    const mr_type *tags = type_of(f, TAGS);
    set_text(mr_map_at(tags, mr_field_at(f->type, value, TAGS), mr_bytes_text("c")), "3");
    void *note = mr_field_at(f->type, value, NOTE);
    mr_union_select(type_of(f, NOTE), note, 1);
    set_text(mr_union_payload(type_of(f, NOTE), note), "noted");
    void *either = mr_field_at(f->type, value, EITHER);
    mr_union_select(type_of(f, EITHER), either, 2);
    set_text(mr_field_at(type_of(f, EITHER)->branches[2],
                         mr_union_payload(type_of(f, EITHER), either), 0),
             "an item in a union");
    void *place = mr_field_at(f->type, value, PLACE);
    mr_union_select(type_of(f, PLACE), place, 1);
    *(int32_t *)mr_field_at(type_of(f, PLACE)->branches[1],
                            mr_union_payload(type_of(f, PLACE), place), 1) = 9;
}

static void initial_values_are_the_defaults(void **state)
{
    const fixture *f = *state;
    assert_true(*(bool *)at(f, FLAG));
    assert_int_equal(*(int32_t *)at(f, COUNT), 0);
    assert_true(*(double *)at(f, RATE) == 0.5);
    assert_text(at(f, NAME), "unnamed");
    assert_memory_equal(at(f, KEY), "abc", 3);
    assert_int_equal(*(int32_t *)at(f, COLOR), 1);
    const mr_array *items = at(f, ITEMS);
    assert_int_equal(items->len, 1);
    void *item = mr_array_at(type_of(f, ITEMS), items, 0);
    assert_text(mr_field_at(type_of(f, ITEMS)->items, item, 0), "first");
    assert_int_equal(*(int32_t *)mr_field_at(type_of(f, ITEMS)->items, item, 1), 1);
    assert_text(mr_map_find(type_of(f, TAGS), at(f, TAGS), mr_bytes_text("b")), "2");
    assert_int_equal(((mr_union *)at(f, NOTE))->branch, 0);
    assert_text(mr_union_payload(type_of(f, EITHER), at(f, EITHER)), "either");
}

static void a_reset_value_is_initial_again(void **state)
{
    const fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        change_all(f, f->value);
        mr_value_reset(f->type, f->value);
        assert_initial(f, f->value);
    }
    /* A branch that was there before begins anew. */
    mr_union_select(type_of(f, PLACE), at(f, PLACE), 1);
    const mr_type *place = type_of(f, PLACE)->branches[1];
    void *payload = mr_union_payload(type_of(f, PLACE), at(f, PLACE));
    assert_int_equal(*(int32_t *)mr_field_at(place, payload, 0), 7);
    assert_int_equal(*(int32_t *)mr_field_at(place, payload, 1), 0);
}

static void reuse_needs_no_new_memory(void **state)
{
    const fixture *f = *state;
    change_all(f, f->value);
    mr_value_reset(f->type, f->value);
    change_all(f, f->value);
    const size_t bytes = mr_value_bytes(f->type, f->value);
    const char *name = ((mr_string *)at(f, NAME))->data;
    const uint8_t *items = ((mr_array *)at(f, ITEMS))->items;
    const char *note = ((mr_string *)mr_union_payload(type_of(f, NOTE), at(f, NOTE)))->data;
    for (int i = 0; i < 3; i++) {
        mr_value_reset(f->type, f->value);
        change_all(f, f->value);
        assert_ptr_equal(((mr_string *)at(f, NAME))->data, name);
        assert_ptr_equal(((mr_array *)at(f, ITEMS))->items, items);
        assert_ptr_equal(((mr_string *)mr_union_payload(type_of(f, NOTE), at(f, NOTE)))->data,
                         note);
        assert_int_equal(mr_value_bytes(f->type, f->value), bytes);
    }
}

static void a_reset_value_does_not_hold_a_huge_one_for_ever(void **state)
{
    const fixture *f = *state;
    enum { HUGE_LEN = 1000000 };
    char *text = calloc(1, HUGE_LEN);
    mr_string_set(at(f, NAME), mr_bytes_of(text, HUGE_LEN));
    for (int i = 0; i < 100000; i++) {
        (void)mr_array_push(type_of(f, ITEMS), at(f, ITEMS));
    }
    assert_true(mr_value_bytes(f->type, f->value) > HUGE_LEN + 100000 * sizeof(mr_string));
    mr_value_reset(f->type, f->value);
    assert_true(mr_value_bytes(f->type, f->value) < 10000);
    free(text);
}

static void copies_are_deep_and_equal(void **state)
{
    const fixture *f = *state;
    void *copy = mr_value_new(f->type);
    change_all(f, f->value);
    mr_value_copy(f->type, copy, f->value);
    assert_true(mr_value_equal(f->type, copy, f->value));
    assert_ptr_not_equal(((mr_string *)mr_field_at(f->type, copy, NAME))->data,
                         ((mr_string *)at(f, NAME))->data);
    set_text(at(f, NAME), "b name of more than a few bytes");
    assert_text(mr_field_at(f->type, copy, NAME), "a name of more than a few bytes");
    assert_false(mr_value_equal(f->type, copy, f->value));
    mr_value_copy(f->type, f->value, f->value);
    /* A copy takes what it needs. */
    void *exact = mr_value_new(f->type);
    mr_value_copy(f->type, exact, f->value);
    assert_true(mr_value_bytes(f->type, exact) <= mr_value_bytes(f->type, f->value));
    assert_int_equal(((mr_array *)mr_field_at(f->type, exact, ITEMS))->capacity, 21);
    mr_value_free(f->type, exact);
    /* To a value with less, and with another branch. */
    mr_value_reset(f->type, f->value);
    mr_value_copy(f->type, copy, f->value);
    assert_initial(f, copy);
    mr_value_free(f->type, copy);
}

static void every_field_counts_for_equality(void **state)
{
    const fixture *f = *state;
    for (size_t i = 0; i < f->type->n_fields; i++) {
        void *other = mr_value_new(f->type);
        change_all(f, other);
        void *mixed = mr_value_new(f->type);
        assert_true(mr_value_equal(f->type, mixed, f->value));
        mr_value_copy(type_of(f, i), mr_field_at(f->type, mixed, i),
                      mr_field_at(f->type, other, i));
        assert_false(mr_value_equal(f->type, mixed, f->value));
        mr_value_free(f->type, other);
        mr_value_free(f->type, mixed);
    }
}

static void swapping_moves_everything(void **state)
{
    const fixture *f = *state;
    void *other = mr_value_new(f->type);
    change_all(f, other);
    const char *name = ((mr_string *)mr_field_at(f->type, other, NAME))->data;
    mr_value_swap(f->type, f->value, other);
    assert_ptr_equal(((mr_string *)at(f, NAME))->data, name);
    assert_initial(f, other);
    mr_value_swap(f->type, other, other);
    assert_initial(f, other);
    mr_value_free(f->type, other);
}

/* Fields have all sizes, of which words are only the most. */
static void swapping_field_by_field_is_the_same(void **state)
{
    const fixture *f = *state;
    void *other = mr_value_new(f->type);
    void *wanted = mr_value_new(f->type);
    change_all(f, other);
    change_all(f, wanted);
    for (size_t i = 0; i < f->type->n_fields; i++) {
        mr_value_swap(type_of(f, i), at(f, i), mr_field_at(f->type, other, i));
    }
    assert_true(mr_value_equal(f->type, f->value, wanted));
    assert_initial(f, other);
    mr_value_free(f->type, wanted);
    mr_value_free(f->type, other);
}

static void maps_are_in_key_order(void **state)
{
    const fixture *f = *state;
    const mr_type *type = type_of(f, TAGS);
    mr_array *map = at(f, TAGS);
    static const char *const keys[] = {"m", "", "zz", "b", "z", "\xc3\xa9", "aa", "ab", "a", "zzz"};
    for (size_t i = 0; i < N_ROWS(keys); i++) {
        set_text(mr_map_at(type, map, mr_bytes_text(keys[i])), keys[i]);
    }
    assert_int_equal(map->len, N_ROWS(keys));
    for (size_t i = 0; i < map->len; i++) {
        const mr_bytes key = mr_string_bytes(mr_array_at(type, map, i));
        assert_true(mr_bytes_equal(key, mr_string_bytes(mr_map_find(type, map, key))));
        if (i > 0) {
            assert_true(mr_bytes_compare(mr_string_bytes(mr_array_at(type, map, i - 1)), key) < 0);
        }
    }
    assert_null(mr_map_find(type, map, mr_bytes_text("aaa")));
    mr_map_remove(type, map, mr_bytes_text("aaa"));
    mr_map_remove(type, map, mr_bytes_text("b"));
    mr_map_remove(type, map, mr_bytes_text(""));
    assert_int_equal(map->len, N_ROWS(keys) - 2);
    assert_null(mr_map_find(type, map, mr_bytes_text("b")));
    /* What comes again begins anew, whatever its memory held. */
    mr_map_remove(type, map, mr_bytes_text("zz"));
    assert_text(mr_map_at(type, map, mr_bytes_text("zzzz")), "");
    assert_text(mr_map_at(type, map, mr_bytes_text("b")), "");
    assert_text(mr_map_at(type, map, mr_bytes_text("a")), "a");
}

static void elements_are_removed_from_anywhere(void **state)
{
    const fixture *f = *state;
    const mr_type *type = type_of(f, ITEMS);
    mr_array *items = at(f, ITEMS);
    mr_array_clear(type, items);
    for (int i = 0; i < 5; i++) {
        *(int32_t *)mr_field_at(type->items, mr_array_push(type, items), 1) = i;
    }
    mr_array_remove(type, items, 4);
    mr_array_remove(type, items, 0);
    mr_array_remove(type, items, 1);
    assert_int_equal(items->len, 2);
    assert_int_equal(*(int32_t *)mr_field_at(type->items, mr_array_at(type, items, 0), 1), 1);
    assert_int_equal(*(int32_t *)mr_field_at(type->items, mr_array_at(type, items, 1), 1), 3);
    assert_int_equal(*(int32_t *)mr_field_at(type->items, mr_array_push(type, items), 1), 1);
}

static void elements_are_inserted_anywhere(void **state)
{
    static const size_t places[] = {0, 0, 2, 1};
    static const int32_t expected[] = {1, 3, 0, 2};
    const fixture *f = *state;
    const mr_type *type = type_of(f, ITEMS);
    mr_array *items = at(f, ITEMS);
    mr_array_clear(type, items);
    for (int i = 0; i < 4; i++) {
        void *item = mr_array_insert(type, items, places[i]);
        assert_int_equal(*(int32_t *)mr_field_at(type->items, item, 1), 1); /* the default */
        *(int32_t *)mr_field_at(type->items, item, 1) = i;
    }
    assert_int_equal(items->len, 4);
    for (size_t i = 0; i < 4; i++) {
        void *item = mr_array_at(type, items, i);
        assert_int_equal(*(int32_t *)mr_field_at(type->items, item, 1), expected[i]);
    }
}

static void large_elements_move_too(void **state)
{
    const fixture *f = *state;
    const mr_type *type = mr_schema_type(
        must_add(f->schemas, "{'type':'map','values':{'type':'fixed','name':'Big','size':1000}}"));
    void *map = mr_value_new(type);
    for (char key = 'z'; key >= 'a'; key--) {
        memset(mr_map_at(type, map, mr_bytes_of(&key, 1)), key, 1000);
    }
    for (char key = 'a'; key <= 'z'; key++) {
        const uint8_t *value = mr_map_find(type, map, mr_bytes_of(&key, 1));
        assert_int_equal(value[0], key);
        assert_int_equal(value[999], key);
    }
    mr_value_free(type, map);
}

static void elements_without_size_are_counted(void **state)
{
    const fixture *f = *state;
    const mr_type *type = mr_schema_type(must_add(f->schemas, "{'type':'array','items':'null'}"));
    void *array = mr_value_new(type);
    void *copy = mr_value_new(type);
    for (int i = 0; i < 100; i++) {
        assert_non_null(mr_array_push(type, array));
    }
    mr_value_copy(type, copy, array);
    assert_true(mr_value_equal(type, copy, array));
    mr_array_remove(type, copy, 3);
    assert_int_equal(((mr_array *)copy)->len, 99);
    mr_value_free(type, array);
    mr_value_free(type, copy);
}

static void strings_are_set_from_themselves(void **state)
{
    const fixture *f = *state;
    mr_string *name = at(f, NAME);
    set_text(name, "0123456789");
    const mr_bytes all = mr_string_bytes(name);
    mr_string_set(name, mr_bytes_of(all.data + 3, 4));
    assert_text(name, "3456");
    mr_string_set(name, mr_bytes_of("", 0));
    assert_int_equal(name->len, 0);
    mr_value_free(f->type, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(initial_values_are_the_defaults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_value_is_initial_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reuse_needs_no_new_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reset_value_does_not_hold_a_huge_one_for_ever, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(copies_are_deep_and_equal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_field_counts_for_equality, set_up, tear_down),
        cmocka_unit_test_setup_teardown(swapping_moves_everything, set_up, tear_down),
        cmocka_unit_test_setup_teardown(swapping_field_by_field_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(maps_are_in_key_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(elements_are_removed_from_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(elements_are_inserted_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_elements_move_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(elements_without_size_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strings_are_set_from_themselves, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
