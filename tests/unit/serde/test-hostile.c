/*
 * Goal: no bytes crash the decoder, make it loop or take much memory; what it takes it can write
 * and read again. Method: the attacks that avro-c alone falls for, one a row; and mutations of
 * valid encodings from a fixed seed. Run under the address sanitizer this finds wild reads too,
 * and a huge allocation fails.
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

static const struct {
    const char *schema;
    const char *hex;
    const char *says;
} attacks[] = {
    {"'string'", "01", "a length of -1"},
    {"'string'", "03", "a length of -2"},
    {"'string'", "ff ff ff ff ff ff ff ff ff 01", "a length of -9223372036854775808"},
    {"'string'", "fe ff ff ff ff ff ff ff ff 01", "a length of 9223372036854775807"},
    {"'string'", "80 80 80 80 80 80 10 61", "but 1 bytes are left"},
    {"'string'", "04 61", "a length of 2, but 1 bytes are left"},
    {"'string'", "02 ff", "a string that is not UTF-8"},
    {"'string'", "06 ed a0 80", "a string that is not UTF-8"},
    {"'bytes'", "01", "a length of -1"},
    {"'bytes'", "fe ff ff ff ff ff ff ff ff 01", "a length of 9223372036854775807"},
    {"'long'", "ff ff ff ff ff ff ff ff ff ff 01", "a number of more than 64 bits"},
    {"'long'", "ff ff ff ff ff ff ff ff ff 02", "a number of more than 64 bits"},
    {"'long'", "80 80", "the bytes end too early"},
    {"'long'", "", "the bytes end too early"},
    {"'int'", "80 80 80 80 10", "2147483648 is no int"},
    {"'float'", "00 00 00", "the bytes end too early"},
    {"'double'", "00 00 00 00 00 00 00", "the bytes end too early"},
    {"'boolean'", "02", "2 is no boolean"},
    {"'boolean'", "", "the bytes end too early"},
    {"{'type':'fixed','name':'F','size':4}", "00 00 00", "the bytes end too early"},
    {"{'type':'enum','name':'E','symbols':['A','B']}", "04", "enum 'E' has no symbol 2"},
    {"{'type':'enum','name':'E','symbols':['A','B']}", "01", "enum 'E' has no symbol -1"},
    {"['null','int']", "04", "the union has no branch 2"},
    {"['null','int']", "01", "the union has no branch -1"},
    {"['null','int']", "80 80 80 80 80 80 80 80 80 01", "the union has no branch"},
    /* A count of 2^60, of elements that take bytes and of such that do not. */
    {"{'type':'array','items':'int'}", "80 80 80 80 80 80 80 80 20",
     "a block of 1152921504606846976"},
    {"{'type':'array','items':'null'}", "80 80 80 80 80 80 80 80 20 00", "a block of 11529215046"},
    {"{'type':'array','items':'null'}", "ff ff ff ff ff ff ff ff 3f 00 00",
     "a block of 2305843009213"},
    {"{'type':'array','items':{'type':'record','name':'R','fields':[{'name':'n','type':'null'},"
     "{'name':'f','type':{'type':'fixed','name':'F','size':0}}]}}",
     "80 80 80 80 80 80 80 80 20 00", "a block of 1152921504606846976"},
    /* Many blocks of elements that take no byte. */
    {"{'type':'array','items':'null'}",
     "80 20 80 20 80 20 80 20 80 20 80 20 80 20 80 20 80 20 80 20 80 20 80 20 00",
     "a block of 2048"},
    {"{'type':'array','items':'int'}", "ff ff ff ff ff ff ff ff ff 01 00", "a block of"},
    {"{'type':'array','items':'int'}", "01 01 02 00", "a block of -1 bytes"},
    {"{'type':'array','items':'int'}", "01 fe ff ff ff ff ff ff ff ff 01 02 00",
     "a block of 92233720"},
    {"{'type':'array','items':'int'}", "01 04 02 00",
     "[], at byte 3 of 4: a block that is not as long"},
    {"{'type':'array','items':'int'}", "02 02", "the bytes end too early"},
    {"{'type':'array','items':'int'}", "", "the bytes end too early"},
    {"{'type':'map','values':'null'}", "80 80 80 80 80 80 80 80 20 00", "a block of"},
    {"{'type':'map','values':'int'}", "02 01 02 00", "a length of -1"},
    {"{'type':'map','values':'int'}", "02 02 ff 02 00", "a string that is not UTF-8"},
    {"{'type':'map','values':'int'}", "02 06 61 00 62 02 00", "a map key with a zero byte"},
    {"'null'", "00", "1 bytes too many"},
    {"'int'", "02 02", "1 bytes too many"},
    {"{'type':'record','name':'R','fields':[{'name':'a','type':{'type':'array','items':{"
     "'type':'record','name':'S','fields':[{'name':'b','type':['null','string']}]}}}]}",
     "04 00 02 08 61 00", "a[].b, at byte 4 of 6: a length of 4, but 2 bytes are left"},
};

static void attacks_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS(attacks); i++) {
        mr_schemas *schemas = mr_schemas_new();
        mr_codec *codec = mr_codec_new(schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
        const mr_schema *schema = must_add(schemas, attacks[i].schema);
        mr_buf body = MR_BUF_NULL;
        mr_buf framed = MR_BUF_NULL;
        append_hex(&body, attacks[i].hex);
        append_framed(&framed, schema, mr_buf_bytes(&body));
        void *value = mr_value_new(mr_schema_type(schema));
        mr_error err = {0};
        const mr_status status = mr_codec_decode(codec, mr_buf_bytes(&framed), schema, value, &err);
        if (status != MR_ERR_DATA || strstr(err.message, attacks[i].says) == NULL) {
            fail_msg("%s: %d %s", attacks[i].hex, status, err.message);
        }
        assert_string_equal(err.error_class, "deserialize");
        assert_int_equal(err.action, MR_ACT_SKIP);
        mr_value_free(mr_schema_type(schema), value);
        mr_buf_deinit(&body);
        mr_buf_deinit(&framed);
        mr_codec_free(codec);
        mr_schemas_free(schemas);
    }
}

static void depth_has_an_end(void **state)
{
    (void)state;
    enum { DEEP = 1000000 };
    mr_schemas *schemas = mr_schemas_new();
    mr_codec *codec = mr_codec_new(schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    const mr_schema *schema =
        must_add(schemas, "{'type':'record','name':'N','fields':[{'name':'k','type':"
                          "{'type':'array','items':'N'}}]}");
    const mr_schema *reader = must_add(schemas, "{'type':'record','name':'N','fields':[]}");
    mr_buf body = MR_BUF_NULL;
    for (int i = 0; i < DEEP; i++) {
        mr_buf_append_byte(&body, 2);
    }
    for (int i = 0; i <= DEEP; i++) {
        mr_buf_append_byte(&body, 0);
    }
    mr_buf framed = MR_BUF_NULL;
    append_framed(&framed, schema, mr_buf_bytes(&body));
    const mr_type *type = mr_schema_type(schema);
    void *value = mr_value_new(type);
    mr_error err = {0};
    assert_int_equal(mr_codec_decode(codec, mr_buf_bytes(&framed), schema, value, &err),
                     MR_ERR_DATA);
    assert_non_null(strstr(err.message, "more than 128 values within each other"));
    /* And where all of it is skipped. */
    void *empty = mr_value_new(mr_schema_type(reader));
    assert_int_equal(mr_codec_decode(codec, mr_buf_bytes(&framed), reader, empty, &err),
                     MR_ERR_DATA);
    mr_value_free(mr_schema_type(reader), empty);
    mr_value_free(type, value);
    mr_buf_deinit(&body);
    mr_buf_deinit(&framed);
    mr_codec_free(codec);
    mr_schemas_free(schemas);
}

static void elements_without_bytes_are_read_in_moderation(void **state)
{
    (void)state;
    mr_schemas *schemas = mr_schemas_new();
    mr_codec *codec = mr_codec_new(schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    const mr_schema *schema = must_add(schemas, "{'type':'array','items':'null'}");
    mr_buf framed = MR_BUF_NULL;
    mr_buf body = MR_BUF_NULL;
    append_hex(&body, "d0 0f 00"); /* 1000 */
    append_framed(&framed, schema, mr_buf_bytes(&body));
    mr_array value = {0};
    mr_error err = {0};
    assert_int_equal(mr_codec_decode(codec, mr_buf_bytes(&framed), schema, &value, &err), MR_OK);
    assert_int_equal(value.len, 1000);
    mr_value_deinit(mr_schema_type(schema), &value);
    mr_buf_deinit(&body);
    mr_buf_deinit(&framed);
    mr_codec_free(codec);
    mr_schemas_free(schemas);
}

/* ---- Mutations ---- */

typedef struct dice {
    uint64_t state;
} dice;

static uint64_t roll(dice *d)
{
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return d->state;
}

static size_t roll_below(dice *d, size_t n)
{
    return n == 0 ? 0 : (size_t)(roll(d) % n);
}

static void mutate_once(dice *d, mr_buf *bytes)
{
    static const uint8_t interesting[] = {0x00, 0x01, 0x02, 0x7f, 0x80,
                                          0xff, 0xfe, 0x03, 0x10, 0x20};
    const size_t at = roll_below(d, bytes->len);
    switch (roll_below(d, 6)) {
    case 0:
        if (bytes->len > 0) {
            bytes->data[at] ^= (uint8_t)(1u << roll_below(d, 8));
        }
        break;
    case 1:
        if (bytes->len > 0) {
            bytes->data[at] = interesting[roll_below(d, sizeof(interesting))];
        }
        break;
    case 2:
        bytes->len = at;
        break;
    case 3: /* a byte more */
        mr_buf_append_byte(bytes, 0);
        memmove(bytes->data + at + 1, bytes->data + at, bytes->len - at - 1);
        bytes->data[at] = interesting[roll_below(d, sizeof(interesting))];
        break;
    case 4: /* a byte less */
        if (bytes->len > 0) {
            memmove(bytes->data + at, bytes->data + at + 1, bytes->len - at - 1);
            bytes->len--;
        }
        break;
    default: /* a piece twice */
        if (bytes->len > 0) {
            const size_t n = roll_below(d, bytes->len - at) % 16;
            uint8_t piece[16];
            memcpy(piece, bytes->data + at, n);
            mr_buf_append(bytes, piece, n);
        }
        break;
    }
}

typedef struct fuzz {
    mr_codec *codec;
    const mr_schema *writer;
    const mr_schema *reader;
    void *value;
    void *again;
    mr_buf framed;
    mr_buf out;
} fuzz;

/* Memory stays in proportion, and what was read is written and read back as the same. */
static bool feed(fuzz *f, mr_bytes body)
{
    enum { PER_BYTE_MAX = 2000, IN_ANY_CASE = 64 * 1024 };
    const mr_type *type = mr_schema_type(f->reader);
    mr_error err = {0};
    mr_buf_clear(&f->framed);
    append_framed(&f->framed, f->writer, body);
    const mr_status status =
        mr_codec_decode(f->codec, mr_buf_bytes(&f->framed), f->reader, f->value, &err);
    assert_true(mr_value_bytes(type, f->value) < IN_ANY_CASE + PER_BYTE_MAX * body.len);
    if (status != MR_OK) {
        assert_int_equal(status, MR_ERR_DATA);
        assert_null(strstr(err.message, "avro-c refuses it"));
        return false;
    }
    mr_buf_clear(&f->out);
    if (mr_codec_encode(f->codec, "t", f->reader, f->value, &f->out, &err) != MR_OK ||
        mr_codec_decode(f->codec, mr_buf_bytes(&f->out), f->reader, f->again, &err) != MR_OK) {
        fail_msg("%s", err.message);
    }
    assert_true(mr_value_equal(type, f->value, f->again));
    return true;
}

static void fuzz_pair(const char *writer, const char *reader, const char *hex, uint64_t seed)
{
    enum { ROUNDS = 10000, MUTATIONS_MAX = 6 };
    mr_schemas *schemas = mr_schemas_new();
    fuzz f = {.codec = mr_codec_new(schemas, NULL, MR_FRAMING_SINGLE_OBJECT)};
    f.writer = must_add(schemas, writer);
    f.reader = reader == NULL ? f.writer : must_add(schemas, reader);
    const mr_type *type = mr_schema_type(f.reader);
    f.value = mr_value_new(type);
    f.again = mr_value_new(type);
    mr_buf valid = MR_BUF_NULL;
    append_hex(&valid, hex);
    assert_true(feed(&f, mr_buf_bytes(&valid)));
    mr_buf bytes = MR_BUF_NULL;
    dice d = {seed};
    for (int round = 0; round < ROUNDS; round++) {
        mr_buf_clear(&bytes);
        mr_buf_append(&bytes, valid.data, valid.len);
        for (size_t i = 1 + roll_below(&d, MUTATIONS_MAX); i > 0; i--) {
            mutate_once(&d, &bytes);
        }
        /* Memory of exactly that size, so that the sanitizer sees a read behind it. */
        uint8_t *exact = malloc(bytes.len == 0 ? 1 : bytes.len);
        if (bytes.len > 0) {
            memcpy(exact, bytes.data, bytes.len);
        }
        (void)feed(&f, mr_bytes_of(exact, bytes.len));
        free(exact);
    }
    mr_value_free(type, f.value);
    mr_value_free(type, f.again);
    mr_buf_deinit(&f.framed);
    mr_buf_deinit(&f.out);
    mr_buf_deinit(&valid);
    mr_buf_deinit(&bytes);
    mr_codec_free(f.codec);
    mr_schemas_free(schemas);
}

static void mutated_encodings_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS(fastavro_encodings); i++) {
        fuzz_pair(fastavro_encodings[i].schema, NULL, fastavro_encodings[i].hex,
                  0x9e3779b97f4a7c15 + i);
    }
}

static void mutated_encodings_of_other_schemas_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS(fastavro_resolutions); i++) {
        fuzz_pair(fastavro_resolutions[i].writer, fastavro_resolutions[i].reader,
                  fastavro_resolutions[i].hex, 0x2545f4914f6cdd1d + i);
    }
}

static void mutated_schemas_do_no_harm(void **state)
{
    (void)state;
    enum { ROUNDS = 150 };
    dice d = {0x123456789abcdef};
    for (size_t i = 0; i < N_ROWS(fastavro_resolutions); i++) {
        mr_schemas *schemas = mr_schemas_new();
        const mr_schema *writer = must_add(schemas, fastavro_resolutions[i].writer);
        mr_codec *codec = mr_codec_new(schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
        const char *text = fastavro_resolutions[i].reader;
        mr_buf body = MR_BUF_NULL;
        mr_buf framed = MR_BUF_NULL;
        append_hex(&body, fastavro_resolutions[i].hex);
        append_framed(&framed, writer, mr_buf_bytes(&body));
        for (int round = 0; round < ROUNDS; round++) {
            char *mutated = strdup(text);
            const size_t len = strlen(mutated);
            for (size_t n = 1 + roll_below(&d, 3); n > 0; n--) {
                static const char characters[] = "{}[]\",:0aeint null-_";
                mutated[roll_below(&d, len)] = characters[roll_below(&d, sizeof(characters) - 1)];
            }
            const mr_schema *reader = NULL;
            mr_error err = {0};
            if (mr_schemas_add(schemas, mutated, "mutated", &reader, &err) == MR_OK) {
                void *value = mr_value_new(mr_schema_type(reader));
                (void)!mr_codec_decode(codec, mr_buf_bytes(&framed), reader, value, &err);
                mr_value_free(mr_schema_type(reader), value);
            } else {
                assert_int_equal(err.status, MR_ERR_DATA);
            }
            free(mutated);
        }
        mr_buf_deinit(&body);
        mr_buf_deinit(&framed);
        mr_codec_free(codec);
        mr_schemas_free(schemas);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attacks_are_refused),
        cmocka_unit_test(depth_has_an_end),
        cmocka_unit_test(elements_without_bytes_are_read_in_moderation),
        cmocka_unit_test(mutated_encodings_do_no_harm),
        cmocka_unit_test(mutated_encodings_of_other_schemas_do_no_harm),
        cmocka_unit_test(mutated_schemas_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
