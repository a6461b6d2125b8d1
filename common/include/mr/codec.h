/*
 * Record values on the wire: a framing that names the writer's schema, then Avro binary.
 *
 * Framings: single-object encoding (C3 01, 8 bytes little-endian fingerprint: Avro specification)
 * against a schemas directory; Confluent's (00, 4 bytes big-endian registry ID) through a schema
 * registry. Both are always read; `framing` says which is written.
 * Writer and reader may differ: Avro schema resolution.
 */
#pragma once

#include <mr/schema.h>

typedef enum mr_framing {
    MR_FRAMING_SINGLE_OBJECT,
    MR_FRAMING_CONFLUENT,
} mr_framing;

typedef struct mr_registry mr_registry; /* mr/registry.h */
typedef struct mr_codec mr_codec;

/* `schemas` and `registry` (NULL without one) are borrowed and may be shared; the codec itself
 * belongs to one thread: it caches resolvers and buffers. */
mr_codec *mr_codec_new(const mr_schemas *schemas, mr_registry *registry, mr_framing framing);
void mr_codec_free(mr_codec *codec);
MR_DEFINE_CLEANUP(mr_codec, mr_codec_free)

/* Appends the framed value to `out`. `topic` matters with a registry only (subject
 * `<topic>-<record name>`, Confluent's TopicRecordNameStrategy). */
mr_status mr_codec_encode(mr_codec *codec, const char *topic, const mr_schema *schema,
                          const void *value, mr_buf *out, mr_error *err) MR_MUST_USE;

/* The writer's schema of a framed value. Error classes: "deserialize" (no known framing, cut
 * short), "unknown_schema" (fingerprint or ID that nobody knows). Registry unreachable: action
 * RETRY. */
mr_status mr_codec_writer(mr_codec *codec, mr_bytes framed, const mr_schema **ret_writer,
                          mr_error *err) MR_MUST_USE;

/* Decodes into an initialised value of the reader's type (reader = writer is the fast path). All
 * bytes must be used. Lengths in the input never cause more memory than a small multiple of the
 * input's size. After a failure the value may be half filled. Error class "deserialize", or
 * "validate" when writer and reader do not resolve. */
mr_status mr_codec_decode(mr_codec *codec, mr_bytes framed, const mr_schema *reader, void *value,
                          mr_error *err) MR_MUST_USE;
