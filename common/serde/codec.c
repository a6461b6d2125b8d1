#include <mr/codec.h>

#include <inttypes.h>
#include <stdlib.h>

#include <mr/registry.h>

#include "core/alloc.h"
#include "serde/avro_plan.h"

/*
 * Frames values and keeps, for its one thread, what coding needs again and again: the plans of
 * pairs of schemas and registry answers. In steady state nothing is allocated.
 */

enum {
    SINGLE_OBJECT_HEADER = 10,
    CONFLUENT_HEADER = 5,
    CONFLUENT_MAGIC = 0x00,
};
static const uint8_t single_object_magic[] = {0xc3, 0x01};

typedef struct pair {
    const mr_type *writer;
    const mr_type *reader;
    mr_plan_set *plans;
} pair;

/* A schema that the registry told by its ID. */
typedef struct told_schema {
    int32_t id;
    const mr_schema *schema;
} told_schema;

/* An ID that the registry gave for a schema written to a topic. */
typedef struct given_id {
    const mr_schema *schema;
    char *topic;
    int32_t id;
} given_id;

struct mr_codec {
    const mr_schemas *schemas;
    mr_registry *registry;
    mr_framing framing;
    pair *pairs; /* in the order of addresses, for a binary search */
    size_t n_pairs;
    size_t pairs_capacity;
    size_t last_pair;  /* a stream often has the same pair again */
    told_schema *told; /* in the order of IDs */
    size_t n_told;
    size_t told_capacity;
    given_id *given; /* few: one for each topic and type that is written */
    size_t n_given;
    size_t given_capacity;
};

mr_codec *mr_codec_new(const mr_schemas *schemas, mr_registry *registry, mr_framing framing)
{
    assert(framing != MR_FRAMING_CONFLUENT || registry != NULL);
    mr_codec *codec = mr_alloc_zero(1, sizeof(*codec));
    codec->schemas = schemas;
    codec->registry = registry;
    codec->framing = framing;
    return codec;
}

void mr_codec_free(mr_codec *codec)
{
    if (codec == NULL) {
        return;
    }
    for (size_t i = 0; i < codec->n_pairs; i++) {
        mr_plan_set_free(codec->pairs[i].plans);
    }
    for (size_t i = 0; i < codec->n_given; i++) {
        free(codec->given[i].topic);
    }
    free(codec->pairs);
    free(codec->told);
    free(codec->given);
    free(codec);
}

/* ---- Plans ---- */

static bool is_pair(const mr_codec *codec, size_t i, const mr_type *writer, const mr_type *reader)
{
    return i < codec->n_pairs && codec->pairs[i].writer == writer &&
           codec->pairs[i].reader == reader;
}

/* The first pair that is not before this one. */
static size_t pair_bound(const mr_codec *codec, const mr_type *writer, const mr_type *reader)
{
    size_t from = 0;
    size_t to = codec->n_pairs;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const pair *it = &codec->pairs[middle];
        const bool before = it->writer == writer ? (uintptr_t)it->reader < (uintptr_t)reader
                                                 : (uintptr_t)it->writer < (uintptr_t)writer;
        if (before) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static mr_status find_plan(mr_codec *codec, const mr_type *writer, const mr_type *reader,
                           const mr_plan **ret_plan, mr_error *err)
{
    if (!is_pair(codec, codec->last_pair, writer, reader)) {
        const size_t i = pair_bound(codec, writer, reader);
        if (!is_pair(codec, i, writer, reader)) {
            mr_plan_set *plans;
            MR_TRY(mr_plan_set_new(writer, reader, &plans, err));
            MR_GROW(codec->pairs, codec->pairs_capacity, codec->n_pairs + 1);
            memmove(&codec->pairs[i + 1], &codec->pairs[i],
                    (codec->n_pairs - i) * sizeof(codec->pairs[0]));
            codec->pairs[i] = (pair){writer, reader, plans};
            codec->n_pairs++;
        }
        codec->last_pair = i;
    }
    *ret_plan = mr_plan_set_top(codec->pairs[codec->last_pair].plans);
    return MR_OK;
}

/* ---- Framing ---- */

static mr_status give_id(mr_codec *codec, const char *topic, const mr_schema *schema,
                         int32_t *ret_id, mr_error *err)
{
    for (size_t i = 0; i < codec->n_given; i++) {
        if (codec->given[i].schema == schema && strcmp(codec->given[i].topic, topic) == 0) {
            *ret_id = codec->given[i].id;
            return MR_OK;
        }
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf subject = MR_BUF_NULL;
    mr_buf_printf(&subject, "%s-%s", topic, mr_schema_name(schema));
    int32_t id;
    MR_TRY(mr_registry_register(codec->registry, mr_buf_text(&subject), schema, &id, err));
    MR_GROW(codec->given, codec->given_capacity, codec->n_given + 1);
    codec->given[codec->n_given++] = (given_id){schema, mr_strdup(topic), id};
    *ret_id = id;
    return MR_OK;
}

static mr_status write_header(mr_codec *codec, const char *topic, const mr_schema *schema,
                              mr_buf *out, mr_error *err)
{
    if (codec->framing == MR_FRAMING_CONFLUENT) {
        int32_t id;
        MR_TRY(give_id(codec, topic, schema, &id, err));
        const uint8_t header[CONFLUENT_HEADER] = {CONFLUENT_MAGIC, (uint8_t)((uint32_t)id >> 24),
                                                  (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                                                  (uint8_t)id};
        mr_buf_append(out, header, sizeof(header));
        return MR_OK;
    }
    uint8_t header[SINGLE_OBJECT_HEADER];
    memcpy(header, single_object_magic, sizeof(single_object_magic));
    const uint64_t fingerprint = mr_schema_fingerprint(schema);
    for (size_t i = 0; i < sizeof(fingerprint); i++) {
        header[sizeof(single_object_magic) + i] = (uint8_t)(fingerprint >> (8 * i));
    }
    mr_buf_append(out, header, sizeof(header));
    return MR_OK;
}

/* The first told schema whose ID is not less. */
static size_t told_bound(const mr_codec *codec, int32_t id)
{
    size_t from = 0;
    size_t to = codec->n_told;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (codec->told[middle].id < id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static mr_status find_told(mr_codec *codec, int32_t id, const mr_schema **ret_schema, mr_error *err)
{
    const size_t i = told_bound(codec, id);
    if (i == codec->n_told || codec->told[i].id != id) {
        if (codec->registry == NULL) {
            return mr_error_record(
                err, MR_ERR_DATA, "unknown_schema",
                "the value names schema %" PRId32 " of a schema registry, and there is none", id);
        }
        const mr_schema *schema;
        MR_TRY(mr_registry_schema(codec->registry, id, &schema, err));
        MR_GROW(codec->told, codec->told_capacity, codec->n_told + 1);
        memmove(&codec->told[i + 1], &codec->told[i], (codec->n_told - i) * sizeof(codec->told[0]));
        codec->told[i] = (told_schema){id, schema};
        codec->n_told++;
    }
    *ret_schema = codec->told[i].schema;
    return MR_OK;
}

static mr_status find_fingerprint(const mr_codec *codec, const uint8_t *bytes,
                                  const mr_schema **ret_schema, mr_error *err)
{
    uint64_t fingerprint = 0;
    for (size_t i = 0; i < sizeof(fingerprint); i++) {
        fingerprint |= (uint64_t)bytes[i] << (8 * i);
    }
    const mr_schema *schema = mr_schemas_find_fingerprint(codec->schemas, fingerprint);
    if (schema == NULL) {
        return mr_error_record(err, MR_ERR_DATA, "unknown_schema",
                               "no schema here has the fingerprint %016" PRIx64 " of the value",
                               fingerprint);
    }
    *ret_schema = schema;
    return MR_OK;
}

/* The writer's schema and what follows the header. */
static mr_status read_header(mr_codec *codec, mr_bytes framed, const mr_schema **ret_writer,
                             mr_bytes *ret_body, mr_error *err)
{
    size_t header;
    if (mr_bytes_is_null(framed)) {
        return mr_error_record(err, MR_ERR_DATA, "deserialize", "a null value");
    }
    if (framed.len >= SINGLE_OBJECT_HEADER &&
        memcmp(framed.data, single_object_magic, sizeof(single_object_magic)) == 0) {
        header = SINGLE_OBJECT_HEADER;
        MR_TRY(find_fingerprint(codec, framed.data + sizeof(single_object_magic), ret_writer, err));
    } else if (framed.len >= CONFLUENT_HEADER && framed.data[0] == CONFLUENT_MAGIC) {
        header = CONFLUENT_HEADER;
        const uint32_t id = (uint32_t)framed.data[1] << 24 | (uint32_t)framed.data[2] << 16 |
                            (uint32_t)framed.data[3] << 8 | framed.data[4];
        MR_TRY(find_told(codec, (int32_t)id, ret_writer, err));
    } else {
        return mr_error_record(err, MR_ERR_DATA, "deserialize",
                               "%zu bytes that begin with neither of the marks of Avro's "
                               "single-object encoding and of a schema registry",
                               framed.len);
    }
    *ret_body = mr_bytes_of(framed.data + header, framed.len - header);
    return MR_OK;
}

mr_status mr_codec_writer(mr_codec *codec, mr_bytes framed, const mr_schema **ret_writer,
                          mr_error *err)
{
    mr_bytes body;
    return read_header(codec, framed, ret_writer, &body, err);
}

/* ---- Coding ---- */

static mr_status of_schema(const mr_schema *schema, mr_status status, mr_error *err)
{
    return status == MR_OK ? MR_OK : mr_error_prefix(err, "%s", mr_schema_name(schema));
}

mr_status mr_codec_encode(mr_codec *codec, const char *topic, const mr_schema *schema,
                          const void *value, mr_buf *out, mr_error *err)
{
    const size_t before = out->len;
    mr_status status = write_header(codec, topic, schema, out, err);
    if (status == MR_OK) {
        status = mr_avro_write(mr_schema_type(schema), value, out, err);
    }
    if (status != MR_OK) {
        out->len = before;
        if (out->data != NULL) {
            out->data[before] = 0;
        }
    }
    return of_schema(schema, status, err);
}

static mr_status decode(mr_codec *codec, mr_bytes body, const mr_type *writer,
                        const mr_type *reader, void *value, mr_error *err)
{
    const mr_plan *plan;
    MR_TRY(find_plan(codec, writer, reader, &plan, err));
    return mr_avro_read(plan, body, value, err);
}

mr_status mr_codec_decode(mr_codec *codec, mr_bytes framed, const mr_schema *reader, void *value,
                          mr_error *err)
{
    const mr_schema *writer = NULL;
    mr_bytes body = MR_BYTES_NULL;
    MR_TRY(read_header(codec, framed, &writer, &body, err));
    return of_schema(
        writer, decode(codec, body, mr_schema_type(writer), mr_schema_type(reader), value, err),
        err);
}
