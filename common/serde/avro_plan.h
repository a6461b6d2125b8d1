/*
 * How bytes of one schema become a value of another, and values become bytes.
 *
 * A plan is Avro's schema resolution of a writer's against a reader's type, worked out once: a tree
 * (with cycles where types refer back) that has the writer's shape and knows for each part where in
 * the reader's memory it goes. Bytes are read and written by our own walk, and not by avro-c's
 * avro_value_read and _write: those trust lengths and counts, so that everything had to be walked
 * over twice; they allocate every string; and with a call through a table for each number they took
 * half of the time of a record that no Lua handler sees. Of avro-c's resolution see avro_plan.c.
 * test-avro_oracle compares both on random values.
 */
#pragma once

#include "serde/schema.h"

enum { MR_AVRO_DEPTH_MAX = 128 }; /* of values within values */

typedef struct mr_plan mr_plan;

/* A field of the writer's record. */
typedef struct mr_plan_field {
    const mr_plan *plan;
    size_t offset; /* in the reader's record */
    bool skip;     /* the reader has no such field: `plan` is the writer's own, for the check */
} mr_plan_field;

struct mr_plan {
    const mr_type *writer;
    const mr_type *reader;
    /* `reader`, or that branch of it which takes a writer that is no union. */
    const mr_type *target;
    int reader_branch;           /* -1: target is reader */
    bool failed;                 /* does not resolve; kept as a memory of that */
    const mr_plan_field *fields; /* record: by the writer's index */
    const mr_field **presets;    /* record: the reader's fields that the writer lacks */
    size_t n_presets;
    const mr_plan *const *branches; /* the writer's union: NULL where one does not resolve */
    const mr_plan *items;           /* array and map */
    const int32_t *symbols;         /* enum: the reader's index by the writer's, -1: none */
};

/* All plans that two types need. Thread: built by one; read by any. */
typedef struct mr_plan_set mr_plan_set;

/* Class "validate" when the types do not resolve; the message has the field's path. */
mr_status mr_plan_set_new(const mr_type *writer, const mr_type *reader, mr_plan_set **ret_set,
                          mr_error *err) MR_MUST_USE;
void mr_plan_set_free(mr_plan_set *set);
MR_DEFINE_CLEANUP(mr_plan_set, mr_plan_set_free)
const mr_plan *mr_plan_set_top(const mr_plan_set *set);

/* ---- avro_read.c ---- */

/*
 * Reads `bytes`, which must be one whole value of the plan's writer, into an initialised value of
 * its reader. Class "deserialize", or "validate" for a branch or symbol that the reader does not
 * have; the message has the field's path and the offset. After a failure the value may be half
 * filled; it is a valid one all the same.
 */
mr_status mr_avro_read(const mr_plan *plan, mr_bytes bytes, void *value, mr_error *err) MR_MUST_USE;

/* ---- avro_write.c ---- */

/* Appends the value's encoding. Class "validate" for what Avro cannot say or what could not be read
 * back: text that is no UTF-8, no such branch or symbol, a map key with a zero byte, values too
 * deeply within each other; then `out` holds a part of it. */
mr_status mr_avro_write(const mr_type *type, const void *value, mr_buf *out,
                        mr_error *err) MR_MUST_USE;

/* ---- avro_path.c ---- */

/* Where in a value one is, for messages: names of record fields, "[]" for elements and entries. */
typedef struct mr_avro_path {
    size_t depth; /* never more than MR_AVRO_DEPTH_MAX */
    const char *steps[MR_AVRO_DEPTH_MAX];
} mr_avro_path;

enum { MR_AVRO_PATH_TEXT = 160 };
/* "Items[].Quantity"; the whole value is "the value". A long one is cut. */
const char *mr_avro_path_text(const mr_avro_path *path, char ret_text[MR_AVRO_PATH_TEXT]);
