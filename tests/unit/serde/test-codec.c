/*
 * Goal: bytes are Avro's, framings are right, and schemas of writer and reader resolve as the
 * specification says. Method: the specification's own examples; vectors by an independent
 * implementation (fastavro_vectors.h), decoded, compared as values and encoded again; tables of
 * what does not resolve.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema_fixture.h"

#include "fastavro_vectors.h"

typedef struct fixture {
    mr_schemas *schemas;
    mr_codec *codec;
    mr_buf framed;
    mr_buf body;
    mr_buf out;
    mr_error err;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->schemas = mr_schemas_new();
    f->codec = mr_codec_new(f->schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_codec_free(f->codec);
    mr_schemas_free(f->schemas);
    mr_buf_deinit(&f->framed);
    mr_buf_deinit(&f->body);
    mr_buf_deinit(&f->out);
    free(f);
    return 0;
}

static mr_status decode(fixture *f, const mr_schema *writer, const mr_schema *reader,
                        const char *hex, void *value)
{
    mr_buf_clear(&f->body);
    mr_buf_clear(&f->framed);
    append_hex(&f->body, hex);
    append_framed(&f->framed, writer, mr_buf_bytes(&f->body));
    return mr_codec_decode(f->codec, mr_buf_bytes(&f->framed), reader, value, &f->err);
}

static void must_decode(fixture *f, const mr_schema *writer, const mr_schema *reader,
                        const char *hex, void *value)
{
    if (decode(f, writer, reader, hex, value) != MR_OK) {
        fail_msg("%s: %s", hex, f->err.message);
    }
}

/* What follows the header of single-object encoding. */
static void assert_encodes(fixture *f, const mr_schema *schema, const void *value, const char *hex)
{
    mr_buf_clear(&f->out);
    mr_buf_clear(&f->body);
    append_hex(&f->body, hex);
    if (mr_codec_encode(f->codec, "t", schema, value, &f->out, &f->err) != MR_OK) {
        fail_msg("%s: %s", hex, f->err.message);
    }
    assert_int_equal(f->out.len, f->body.len + 10);
    if (f->body.len > 0) {
        assert_memory_equal(f->out.data + 10, f->body.data, f->body.len);
    }
}

/* Examples of "Binary Encoding" in the specification. */
static const struct {
    const char *schema;
    const char *json;
    const char *hex;
} specification[] = {
    {"'long'", "0", "00"},
    {"'long'", "-1", "01"},
    {"'long'", "1", "02"},
    {"'long'", "-2", "03"},
    {"'long'", "2", "04"},
    {"'long'", "-64", "7f"},
    {"'long'", "64", "8001"},
    {"'int'", "-65", "8101"},
    {"'long'", "9223372036854775807", "fe ff ff ff ff ff ff ff ff 01"},
    {"'long'", "-9223372036854775808", "ff ff ff ff ff ff ff ff ff 01"},
    {"'int'", "2147483647", "fe ff ff ff 0f"},
    {"'string'", "\"foo\"", "06 66 6f 6f"},
    {"{'type':'record','name':'test','fields':[{'name':'a','type':'long'},"
     "{'name':'b','type':'string'}]}",
     "{\"a\":27,\"b\":\"foo\"}", "36 06 66 6f 6f"},
    {"{'type':'array','items':'long'}", "[3,27]", "04 06 36 00"},
    {"['null','string']", "null", "00"},
    {"['null','string']", "\"a\"", "02 02 61"},
};

static void encodings_are_the_specifications(void **state)
{
    for (size_t i = 0; i < N_ROWS(specification); i++) {
        assert_int_equal(set_up(state), 0);
        fixture *f = *state;
        const mr_schema *schema = must_add(f->schemas, specification[i].schema);
        const mr_type *type = mr_schema_type(schema);
        void *expected = must_read_json(type, specification[i].json);
        void *value = mr_value_new(type);
        assert_encodes(f, schema, expected, specification[i].hex);
        must_decode(f, schema, schema, specification[i].hex, value);
        assert_true(mr_value_equal(type, value, expected));
        mr_value_free(type, value);
        mr_value_free(type, expected);
        assert_int_equal(tear_down(state), 0);
    }
}

static void blocks_with_sizes_and_several_blocks_are_read(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = must_add(f->schemas, "{'type':'array','items':'long'}");
    const mr_type *type = mr_schema_type(schema);
    void *expected = must_read_json(type, "[3,27]");
    void *value = mr_value_new(type);
    static const char *const rows[] = {"04 06 36 00", "03 04 06 36 00", "02 06 02 36 00",
                                       "01 02 06 02 36 00"};
    for (size_t i = 0; i < N_ROWS(rows); i++) {
        must_decode(f, schema, schema, rows[i], value);
        assert_true(mr_value_equal(type, value, expected));
    }
    mr_value_free(type, value);
    mr_value_free(type, expected);
}

static void encodings_are_those_of_fastavro(void **state)
{
    for (size_t i = 0; i < N_ROWS(fastavro_encodings); i++) {
        assert_int_equal(set_up(state), 0);
        fixture *f = *state;
        const mr_schema *schema = must_add(f->schemas, fastavro_encodings[i].schema);
        const mr_type *type = mr_schema_type(schema);
        assert_true(mr_schema_fingerprint(schema) == fastavro_encodings[i].fingerprint);
        void *expected = must_read_json(type, fastavro_encodings[i].json);
        void *value = mr_value_new(type);
        /* Twice into the same value: nothing of the first remains. */
        must_decode(f, schema, schema, fastavro_encodings[i].hex, value);
        must_decode(f, schema, schema, fastavro_encodings[i].hex, value);
        if (!mr_value_equal(type, value, expected)) {
            fail_msg("%s as %s", fastavro_encodings[i].hex, fastavro_encodings[i].json);
        }
        assert_encodes(f, schema, value, fastavro_encodings[i].hex);
        mr_value_free(type, value);
        mr_value_free(type, expected);
        assert_int_equal(tear_down(state), 0);
    }
}

static void resolutions_are_those_of_fastavro(void **state)
{
    for (size_t i = 0; i < N_ROWS(fastavro_resolutions); i++) {
        assert_int_equal(set_up(state), 0);
        fixture *f = *state;
        const mr_schema *writer = must_add(f->schemas, fastavro_resolutions[i].writer);
        const mr_schema *reader = must_add(f->schemas, fastavro_resolutions[i].reader);
        const mr_type *type = mr_schema_type(reader);
        void *value = mr_value_new(type);
        must_decode(f, writer, reader, fastavro_resolutions[i].hex, value);
        must_decode(f, writer, reader, fastavro_resolutions[i].hex, value);
        mr_value_to_json(type, value, &f->out);
        assert_string_equal(mr_buf_text(&f->out), fastavro_resolutions[i].json);
        mr_value_free(type, value);
        assert_int_equal(tear_down(state), 0);
    }
}

#define R(fields) "{'type':'record','name':'R','fields':[" fields "]}"
#define F(name, type) "{'name':'" name "','type':" type "}"

static const struct {
    const char *writer;
    const char *reader;
    const char *hex;
    const char *error_class; /* NULL: `says` is the value */
    const char *says;
} resolutions[] = {
    {"'string'", "'int'", "00", "validate", "string cannot be read as int"},
    {"'long'", "'int'", "00", "validate", "long cannot be read as int"},
    {"'double'", "'float'", "00", "validate", "double cannot be read as float"},
    {R(F("a", "'int'")), R(F("a", "'int'") "," F("b", "'int'")), "02", "validate",
     "R: the reader's schema 'R' does not take the writer's 'R': the value: the writer has no "
     "field "
     "'b', and the reader's has no default"},
    {R(F("a", "{'type':'array','items':{'type':'record','name':'I','fields':[" F(
                  "q", "'string'") "]}}")),
     R(F("a",
         "{'type':'array','items':{'type':'record','name':'I','fields':[" F("q", "'int'") "]}}")),
     "00", "validate", ": a[].q: string cannot be read as int"},
    {"{'type':'record','name':'A','fields':[]}", "{'type':'record','name':'B','fields':[]}", "",
     "validate", "A cannot be read as B"},
    {"{'type':'record','name':'x.A','fields':[]}", "{'type':'record','name':'y.A','fields':[]}", "",
     NULL, "{}"},
    {"{'type':'fixed','name':'X','size':2}", "{'type':'fixed','name':'X','size':3}", "0000",
     "validate", "X of 2 bytes cannot be read as one of 3"},
    {"{'type':'enum','name':'E','symbols':['A','B']}", "{'type':'enum','name':'E','symbols':['A']}",
     "02", "validate", "the reader's enum 'E' has no symbol 'B' and no default"},
    {"{'type':'enum','name':'E','symbols':['A','B']}", "{'type':'enum','name':'E','symbols':['A']}",
     "00", NULL, "\"A\""},
    {"['int','string']", "'long'", "02 02 61", "validate",
     "the reader does not take the writer's branch string"},
    {"['int','string']", "'long'", "00 0e", NULL, "7"},
    {"['int','string']", "['string','null']", "00 0e", "validate", "the writer's branch int"},
    {"'boolean'", "['string','null']", "01", "validate",
     "no branch of the reader's union takes boolean"},
    /* The same type goes before a promotion that stands first. */
    {"'int'", "['double','int']", "0e", NULL, "7"},
    /* An alias does not take what a field of its own name wants. */
    {R(F("a", "'int'")),
     R("{'name':'b','type':'int','aliases':['a'],'default':5}," F("a", "'int'")), "0e", NULL,
     "{\"b\":5,\"a\":7}"},
    {R(F("old", "'int'")),
     R("{'name':'a','type':'int','aliases':['old']},{'name':'b','type':'int','aliases':['old']}"),
     "0e", "validate", "two of the reader's fields mean the writer's 'old'"},
    /* What is skipped is looked at too. */
    {R(F("gone", "'string'") "," F("a", "'int'")), R(F("a", "'int'")), "02 ff 02", "deserialize",
     "gone, at byte 1 of 3: a string that is not UTF-8"},
    {R(F("gone", "{'type':'map','values':{'type':'array','items':['null',{'type':'enum','name':'E',"
                 "'symbols':['X']}]}}") "," F("a", "'int'")),
     R(F("a", "'int'")), "01 0a 02 6b 04 00 02 00 00 00 0e", "deserialize",
     "not as long as it says"},
    {R(F("gone", "{'type':'map','values':{'type':'array','items':['null',{'type':'enum','name':'E',"
                 "'symbols':['X']}]}}") "," F("a", "'int'")),
     R(F("a", "'int'")), "01 0e 02 6b 04 00 02 00 00 00 0e", NULL, "{\"a\":7}"},
    /* Bytes that are to be text must be. */
    {"'bytes'", "'string'", "02 ff", "deserialize", "a string that is not UTF-8"},
    /* One of the pairs fails deep inside; the other branch must not be taken along. */
    {"{'type':'array','items':" R(
         F("n", "'string'") "," F("k", "{'type':'array','items':'R'}")) "}",
     "['null'," R(F("n", "'int'") "," F("k", "{'type':'array','items':'R'}")) "]", "00", "validate",
     "no branch of the reader's union takes array"},
};

static void what_resolves_and_what_does_not(void **state)
{
    for (size_t i = 0; i < N_ROWS(resolutions); i++) {
        assert_int_equal(set_up(state), 0);
        fixture *f = *state;
        const mr_schema *writer = must_add(f->schemas, resolutions[i].writer);
        const mr_schema *reader = must_add(f->schemas, resolutions[i].reader);
        const mr_type *type = mr_schema_type(reader);
        void *value = mr_value_new(type);
        const mr_status status = decode(f, writer, reader, resolutions[i].hex, value);
        if (resolutions[i].error_class == NULL) {
            mr_buf json = MR_BUF_NULL;
            mr_value_to_json(type, value, &json);
            if (status != MR_OK || strcmp(mr_buf_text(&json), resolutions[i].says) != 0) {
                fail_msg("row %zu: %s %s", i, mr_buf_text(&json), f->err.message);
            }
            mr_buf_deinit(&json);
        } else {
            assert_int_equal(status, MR_ERR_DATA);
            assert_int_equal(f->err.action, MR_ACT_SKIP);
            if (strstr(f->err.message, resolutions[i].says) == NULL ||
                strcmp(f->err.error_class, resolutions[i].error_class) != 0) {
                fail_msg("row %zu: %s: %s", i, f->err.error_class, f->err.message);
            }
        }
        mr_value_free(type, value);
        assert_int_equal(tear_down(state), 0);
    }
}

static void framing_is_single_object_encoding(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = must_add(f->schemas, "'int'");
    const int32_t value = -1;
    mr_buf_append_text(&f->out, "before");
    assert_int_equal(mr_codec_encode(f->codec, "t", schema, &value, &f->out, &f->err), MR_OK);
    /* The fingerprint of "int" is 7275d51a3f395c8f, its last byte first. */
    append_hex(&f->body, "c3 01 8f 5c 39 3f 1a d5 75 72 01");
    assert_int_equal(f->out.len, 6 + f->body.len);
    assert_memory_equal(f->out.data + 6, f->body.data, f->body.len);
    const mr_schema *writer = NULL;
    assert_int_equal(mr_codec_writer(f->codec, mr_buf_bytes(&f->body), &writer, &f->err), MR_OK);
    assert_ptr_equal(writer, schema);
}

static const struct {
    const char *hex;
    const char *error_class;
    const char *says;
} frames[] = {
    {"", "deserialize", "0 bytes that begin with neither"},
    {"c3", "deserialize", "1 bytes"},
    {"c3 01 8f 5c 39 3f 1a d5 75", "deserialize", "9 bytes"},
    {"c3 02 8f 5c 39 3f 1a d5 75 72 01", "deserialize", "11 bytes"},
    {"7b 7d", "deserialize", "2 bytes"},
    {"c3 01 8f 5c 39 3f 1a d5 75 73 01", "unknown_schema", "the fingerprint 7375d51a3f395c8f"},
    {"00 00 00 00", "deserialize", "4 bytes"},
    {"00 00 00 01 02 01", "unknown_schema", "schema 258 of a schema registry, and there is none"},
    {"c3 01 8f 5c 39 3f 1a d5 75 72", "deserialize",
     "int: the value, at byte 0 of 0: the bytes end"},
    {"c3 01 8f 5c 39 3f 1a d5 75 72 02 03", "deserialize", "at byte 1 of 2: 1 bytes too many"},
};

static void frames_that_are_none_are_told_apart(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = must_add(f->schemas, "'int'");
    for (size_t i = 0; i < N_ROWS(frames); i++) {
        mr_buf_clear(&f->framed);
        append_hex(&f->framed, frames[i].hex);
        int32_t value = 0;
        assert_int_equal(
            mr_codec_decode(f->codec, mr_buf_bytes(&f->framed), schema, &value, &f->err),
            MR_ERR_DATA);
        assert_int_equal(f->err.action, MR_ACT_SKIP);
        assert_string_equal(f->err.error_class, frames[i].error_class);
        if (strstr(f->err.message, frames[i].says) == NULL) {
            fail_msg("%s: %s", frames[i].hex, f->err.message);
        }
    }
    int32_t value = 0;
    assert_int_equal(mr_codec_decode(f->codec, MR_BYTES_NULL, schema, &value, &f->err),
                     MR_ERR_DATA);
    assert_string_equal(f->err.message, "a null value");
}

static void what_is_read_replaces_what_was_there_and_the_defaults(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = must_add(
        f->schemas,
        R("{'name':'a','type':{'type':'array','items':{'type':'record','name':'I','fields':["
          "{'name':'l','type':{'type':'array','items':'int'},'default':[1]}]}},'default':[{},{}]},"
          "{'name':'m','type':{'type':'map','values':'int'},'default':{'k':1}},"
          "{'name':'u','type':[{'type':'array','items':'int'},'null'],'default':[1,2]},"
          "{'name':'s','type':'string','default':'text'},"
          "{'name':'n','type':{'type':'map','values':{'type':'array','items':'int'}}}"));
    const mr_type *type = mr_schema_type(schema);
    void *value = mr_value_new(type);
    static const struct {
        const char *hex;
        const char *json;
    } rows[] = {
        {"00 00 02 00 00", "{\"a\":[],\"m\":{},\"u\":null,\"s\":\"\",\"n\":{}}"},
        {"02 02 0e 00 00 02 02 6c 04 00 00 02 0a 00 02 78 02 02 71 02 06 00 00",
         "{\"a\":[{\"l\":[7]}],\"m\":{\"l\":2},\"u\":[5],\"s\":\"x\",\"n\":{\"q\":[3]}}"},
        {"04 00 00 00 00 00 00 00 02 02 71 00 00",
         "{\"a\":[{\"l\":[]},{\"l\":[]}],\"m\":{},\"u\":[],\"s\":\"\",\"n\":{\"q\":[]}}"},
    };
    for (size_t i = 0; i < 2 * N_ROWS(rows); i++) {
        must_decode(f, schema, schema, rows[i % N_ROWS(rows)].hex, value);
        mr_buf_clear(&f->out);
        mr_value_to_json(type, value, &f->out);
        assert_string_equal(mr_buf_text(&f->out), rows[i % N_ROWS(rows)].json);
    }
    mr_value_free(type, value);
}

static void maps_come_out_in_order_and_the_last_of_a_key_stays(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = must_add(f->schemas, "{'type':'map','values':'string'}");
    const mr_type *type = mr_schema_type(schema);
    void *value = mr_value_new(type);
    must_decode(f, schema, schema, "04 02 62 02 31 02 61 02 32 04 02 62 02 33 02 61 02 34 00",
                value);
    mr_value_to_json(type, value, &f->out);
    assert_string_equal(mr_buf_text(&f->out), "{\"a\":\"4\",\"b\":\"3\"}");
    assert_encodes(f, schema, value, "04 02 61 02 34 02 62 02 33 00");
    must_decode(f, schema, schema, "04 02 61 02 31 02 61 02 32 00", value);
    assert_encodes(f, schema, value, "02 02 61 02 32 00");
    mr_value_free(type, value);
    /* Maps within maps, where only the inner is out of order. */
    const mr_schema *outer =
        must_add(f->schemas, "{'type':'map','values':['null',{'type':'map','values':'int'}]}");
    type = mr_schema_type(outer);
    value = mr_value_new(type);
    must_decode(f, outer, outer, "04 02 61 00 02 62 02 04 02 7a 02 02 79 04 00 00", value);
    mr_buf_clear(&f->out);
    mr_value_to_json(type, value, &f->out);
    assert_string_equal(mr_buf_text(&f->out), "{\"a\":null,\"b\":{\"y\":2,\"z\":1}}");
    mr_value_free(type, value);
}

static void a_large_map_out_of_order_is_sorted_in_time(void **state)
{
    fixture *f = *state;
    enum { N_KEYS = 100000 };
    const mr_schema *schema = must_add(f->schemas, "{'type':'map','values':'null'}");
    const mr_type *type = mr_schema_type(schema);
    mr_buf_append(&f->body, "\xc0\x9a\x0c", 3); /* 100000 */
    for (int i = N_KEYS; i > 0; i--) {
        mr_buf_printf(&f->body, "\x0c%06d", i % N_KEYS);
    }
    mr_buf_append_byte(&f->body, 0);
    append_framed(&f->framed, schema, mr_buf_bytes(&f->body));
    void *value = mr_value_new(type);
    if (mr_codec_decode(f->codec, mr_buf_bytes(&f->framed), schema, value, &f->err) != MR_OK) {
        fail_msg("%s", f->err.message);
    }
    const mr_array *map = value;
    assert_int_equal(map->len, N_KEYS);
    for (uint32_t i = 1; i < map->len; i++) {
        assert_true(mr_bytes_compare(mr_string_bytes(mr_array_at(type, map, i - 1)),
                                     mr_string_bytes(mr_array_at(type, map, i))) < 0);
    }
    mr_value_free(type, value);
}

static void assert_does_not_encode(fixture *f, const mr_schema *schema, const void *value,
                                   const char *says)
{
    mr_buf_clear(&f->out);
    mr_buf_append_text(&f->out, "kept");
    assert_int_equal(mr_codec_encode(f->codec, "t", schema, value, &f->out, &f->err), MR_ERR_DATA);
    assert_string_equal(f->err.error_class, "validate");
    if (strstr(f->err.message, says) == NULL) {
        fail_msg("%s", f->err.message);
    }
    assert_string_equal(mr_buf_text(&f->out), "kept");
    assert_int_equal(f->out.len, 4);
}

static void values_that_could_not_be_read_again_are_not_written(void **state)
{
    fixture *f = *state;
    const mr_schema *schema = must_add(
        f->schemas,
        R(F("s", "'string'") "," F("e", "{'type':'enum','name':'E','symbols':['A']}") "," F(
            "m", "{'type':'map','values':'int'}") "," F("u", "['null','int']")));
    const mr_type *type = mr_schema_type(schema);
    void *value = mr_value_new(type);
    mr_string_set(mr_field_at(type, value, 0), mr_bytes_text("a\xff"));
    assert_does_not_encode(f, schema, value, "R: s: a string that is not UTF-8");
    mr_string_set(mr_field_at(type, value, 0), mr_bytes_text("a"));
    *(int32_t *)mr_field_at(type, value, 1) = 1;
    assert_does_not_encode(f, schema, value, "e: the enum has no such symbol");
    *(int32_t *)mr_field_at(type, value, 1) = 0;
    (void)mr_map_at(type->fields[2].type, mr_field_at(type, value, 2), mr_bytes_of("a\0b", 3));
    assert_does_not_encode(f, schema, value, "m[]: a map key with a zero byte");
    mr_array_clear(type->fields[2].type, mr_field_at(type, value, 2));
    ((mr_union *)mr_field_at(type, value, 3))->branch = 2;
    assert_does_not_encode(f, schema, value, "u: the union has no such branch");
    ((mr_union *)mr_field_at(type, value, 3))->branch = 0;
    assert_encodes(f, schema, value, "02 61 00 00 00");
    mr_value_free(type, value);
}

static void what_is_as_deep_as_can_be_read_is_written_and_no_deeper(void **state)
{
    fixture *f = *state;
    const mr_schema *schema =
        must_add(f->schemas, "{'type':'record','name':'N','fields':["
                             "{'name':'k','type':{'type':'array','items':'N'}}]}");
    const mr_type *type = mr_schema_type(schema);
    const mr_type *kids = type->fields[0].type;
    void *value = mr_value_new(type);
    void *at = value;
    for (int depth = 2; depth < 128; depth += 2) {
        at = mr_array_push(kids, mr_field_at(type, at, 0));
    }
    mr_buf_clear(&f->out);
    if (mr_codec_encode(f->codec, "t", schema, value, &f->out, &f->err) != MR_OK) {
        fail_msg("%s", f->err.message);
    }
    void *again = mr_value_new(type);
    assert_int_equal(mr_codec_decode(f->codec, mr_buf_bytes(&f->out), schema, again, &f->err),
                     MR_OK);
    assert_true(mr_value_equal(type, value, again));
    mr_value_free(type, again);
    (void)mr_array_push(kids, mr_field_at(type, at, 0));
    assert_does_not_encode(f, schema, value, "too many values within each other");
    mr_value_free(type, value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodings_are_the_specifications),
        cmocka_unit_test_setup_teardown(blocks_with_sizes_and_several_blocks_are_read, set_up,
                                        tear_down),
        cmocka_unit_test(encodings_are_those_of_fastavro),
        cmocka_unit_test(resolutions_are_those_of_fastavro),
        cmocka_unit_test(what_resolves_and_what_does_not),
        cmocka_unit_test_setup_teardown(framing_is_single_object_encoding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_that_are_none_are_told_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_read_replaces_what_was_there_and_the_defaults,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(maps_come_out_in_order_and_the_last_of_a_key_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_large_map_out_of_order_is_sorted_in_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(values_that_could_not_be_read_again_are_not_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_as_deep_as_can_be_read_is_written_and_no_deeper,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
