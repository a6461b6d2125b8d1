/*
 * Goal: our Avro bytes are the ones that avro-c writes, and we read what it writes. Method: random
 * values (fixed seed) of schemas with every type; avro-c reads our bytes into its own generic
 * value, writes that, and both must be the same, then we read avro-c's bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avro.h>
#include <cmocka.h>

#include "schema_fixture.h"

enum { ROUNDS = 400, FRAME = 10, ITEMS_MAX = 5 };

static const char *const schemas[] = {
    ("{'type':'record','name':'Numbers','fields':[{'name':'i','type':'int'},{'name':'l','type':'"
     "long'},"
     "{'name':'f','type':'float'},{'name':'d','type':'double'},{'name':'b','type':'boolean'},"
     "{'name':'n','type':'null'}]}"),
    ("{'type':'record','name':'Texts','fields':[{'name':'s','type':'string'},{'name':'b','type':'"
     "bytes'},"
     "{'name':'f','type':{'type':'fixed','name':'F','size':7}},"
     "{'name':'e','type':{'type':'enum','name':'E','symbols':['A','B','C']}}]}"),
    ("{'type':'record','name':'Unions','fields':[{'name':'o','type':['null','string']},"
     "{'name':'p','type':['long','null']},{'name':'u','type':['null','int','string','bytes',"
     "{'type':'array','items':'long'}]}]}"),
    ("{'type':'record','name':'Nested','fields':[{'name':'list','type':{'type':'array','items':"
     "{'type':'record','name':'Item','fields':[{'name':'id','type':'string'},{'name':'tags','type':"
     "{'type':'map','values':['null','double']}}]}}},{'name':'m','type':{'type':'map','values':"
     "{'type':'map','values':'int'}}},{'name':'longs','type':{'type':'array','items':'long'}}]}"),
    ("{'type':'record','name':'Tree','fields':[{'name':'n','type':'long'},{'name':'below','type':"
     "{'type':'array','items':'Tree'}}]}"),
};

static uint64_t next_random(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *seed >> 24;
}

/* Numbers of every length: so many low bits of a random one. */
static int64_t random_number(uint64_t *seed)
{
    const uint64_t bits = next_random(seed) << 32 ^ next_random(seed);
    return (int64_t)(bits >> (next_random(seed) % 64)) * (next_random(seed) % 2 == 0 ? 1 : -1);
}

static void fill(const mr_type *type, void *value, uint64_t *seed, int depth);

static mr_bytes random_text(uint64_t *seed, char text[80])
{
    const size_t len = next_random(seed) % 80;
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)('a' + next_random(seed) % 26);
    }
    return mr_bytes_of(text, len);
}

static void fill_elements(const mr_type *type, mr_array *array, uint64_t *seed, int depth)
{
    const size_t n = depth > 4 ? 0 : next_random(seed) % ITEMS_MAX;
    char text[80];
    for (size_t i = 0; i < n; i++) {
        void *element = type->kind == MR_TYPE_MAP ? mr_map_at(type, array, random_text(seed, text))
                                                  : mr_array_push(type, array);
        fill(type->items, element, seed, depth + 1);
    }
}

static void fill(const mr_type *type, void *value, uint64_t *seed, int depth)
{
    char text[80];
    switch (type->kind) {
    case MR_TYPE_BOOLEAN:
        *(bool *)value = next_random(seed) % 2 == 0;
        break;
    case MR_TYPE_INT:
        *(int32_t *)value = (int32_t)random_number(seed);
        break;
    case MR_TYPE_LONG:
        *(int64_t *)value = random_number(seed);
        break;
    case MR_TYPE_FLOAT:
        *(float *)value = (float)random_number(seed) / 3.0F;
        break;
    case MR_TYPE_DOUBLE:
        *(double *)value = (double)random_number(seed) / 7.0;
        break;
    case MR_TYPE_ENUM:
        *(int32_t *)value = (int32_t)(next_random(seed) % type->n_symbols);
        break;
    case MR_TYPE_FIXED:
        memcpy(value, "fixed-7", type->fixed_size);
        break;
    case MR_TYPE_BYTES:
    case MR_TYPE_STRING:
        mr_string_set(value, random_text(seed, text));
        break;
    case MR_TYPE_UNION:
        mr_union_select(type, value, (int)(next_random(seed) % type->n_branches));
        fill(type->branches[((const mr_union *)value)->branch], mr_union_payload(type, value), seed,
             depth + 1);
        break;
    case MR_TYPE_RECORD:
        for (size_t i = 0; i < type->n_fields; i++) {
            fill(type->fields[i].type, mr_field_at(type, value, i), seed, depth + 1);
        }
        break;
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        fill_elements(type, value, seed, depth);
        break;
    default:
        break;
    }
}

/* avro-c reads the bytes and writes what it has read. */
static size_t rewrite(avro_value_iface_t *iface, mr_bytes bytes, char *ret_bytes, size_t size)
{
    avro_value_t value;
    avro_reader_t reader = avro_reader_memory((const char *)bytes.data, (int64_t)bytes.len);
    avro_writer_t writer = avro_writer_memory(ret_bytes, (int64_t)size);
    assert_int_equal(avro_generic_value_new(iface, &value), 0);
    assert_int_equal(avro_value_read(reader, &value), 0);
    assert_int_equal(avro_value_write(writer, &value), 0);
    const int64_t len = avro_writer_tell(writer);
    avro_value_decref(&value);
    avro_reader_free(reader);
    avro_writer_free(writer);
    return (size_t)len;
}

static void compare(const char *json)
{
    mr_schemas *set = mr_schemas_new();
    const mr_schema *schema = must_add(set, json);
    const mr_type *type = mr_schema_type(schema);
    mr_codec *codec = mr_codec_new(set, NULL, MR_FRAMING_SINGLE_OBJECT);
    const char *canonical = mr_schema_canonical(schema);
    avro_schema_t theirs;
    assert_int_equal(avro_schema_from_json_length(canonical, strlen(canonical), &theirs), 0);
    avro_value_iface_t *iface = avro_generic_class_from_schema(theirs);
    void *value = mr_value_new(type);
    void *again = mr_value_new(type);
    mr_buf ours = MR_BUF_NULL;
    uint64_t seed = 20261121;
    for (int i = 0; i < ROUNDS; i++) {
        static char bytes[1 << 20];
        mr_error err;
        mr_value_reset(type, value);
        fill(type, value, &seed, 0);
        mr_buf_clear(&ours);
        assert_int_equal(mr_codec_encode(codec, "t", schema, value, &ours, &err), MR_OK);
        const mr_bytes body = mr_bytes_of(ours.data + FRAME, ours.len - FRAME);
        const size_t len = rewrite(iface, body, bytes, sizeof(bytes));
        assert_int_equal(len, body.len);
        assert_memory_equal(bytes, body.data, len);
        memcpy(ours.data + FRAME, bytes, len);
        assert_int_equal(mr_codec_decode(codec, mr_buf_bytes(&ours), schema, again, &err), MR_OK);
        assert_true(mr_value_equal(type, value, again));
    }
    mr_buf_deinit(&ours);
    mr_value_free(type, value);
    mr_value_free(type, again);
    avro_value_iface_decref(iface);
    avro_schema_decref(theirs);
    mr_codec_free(codec);
    mr_schemas_free(set);
}

static void the_bytes_are_avro_c_s(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS(schemas); i++) {
        compare(schemas[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_bytes_are_avro_c_s)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
