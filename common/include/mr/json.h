/*
 * JSON that has no Avro schema: what the CLI and HTTP print, and what files of records hold.
 * JSON that has one is read and written by mr/value.h.
 */
#pragma once

#include <mr/schema.h>

/* ---- Writing: one value, on one line, with the commas put in. Misuse is asserted. ---- */

enum { MR_JSON_DEPTH_MAX = 64 };

typedef struct mr_json_writer {
    mr_buf *out;
    uint64_t objects; /* bit d: what is open at depth d is an object, else an array */
    int depth;
    bool has_items; /* something stands before the next item of what is open */
    bool has_name;  /* of the member whose value comes next */
} mr_json_writer;

/* Appends to `out`, which is borrowed. */
mr_json_writer mr_json_writer_on(mr_buf *out);
void mr_json_open_object(mr_json_writer *writer);
void mr_json_close_object(mr_json_writer *writer);
void mr_json_open_array(mr_json_writer *writer);
void mr_json_close_array(mr_json_writer *writer);
/* The name of a member; its value comes next. */
void mr_json_put_name(mr_json_writer *writer, const char *name);
void mr_json_put_name_bytes(mr_json_writer *writer, mr_bytes name);
/* A string, made UTF-8 (see mr_text_append_json); NULL and null bytes are written as null. */
void mr_json_put_text(mr_json_writer *writer, const char *text);
void mr_json_put_bytes(mr_json_writer *writer, mr_bytes text);
void mr_json_put_integer(mr_json_writer *writer, int64_t number);
void mr_json_put_number(mr_json_writer *writer, double number);
void mr_json_put_boolean(mr_json_writer *writer, bool boolean);
void mr_json_put_null(mr_json_writer *writer);
/* Text that is one JSON value already. */
void mr_json_put_raw(mr_json_writer *writer, mr_bytes json);
/* A typed value, as mr_value_to_json writes it. */
void mr_json_put_value(mr_json_writer *writer, const mr_type *type, const void *value);
/* Asserts that one value was written and that nothing is open. */
void mr_json_finish(const mr_json_writer *writer);

/* ---- Reading into a tree. Thread: read-only once parsed. ---- */

typedef enum mr_json_kind {
    MR_JSON_NULL,
    MR_JSON_BOOLEAN,
    MR_JSON_NUMBER,
    MR_JSON_STRING,
    MR_JSON_ARRAY,
    MR_JSON_OBJECT,
} mr_json_kind;

typedef struct mr_json mr_json;

/* One JSON value and nothing else. MR_ERR_DATA class "deserialize" for what is none, has a name
 * twice in an object, or is nested deeper than MR_JSON_DEPTH_MAX. Memory: below 60 times the text.
 */
mr_status mr_json_parse(mr_bytes text, mr_json **ret_json, mr_error *err) MR_MUST_USE;
/* The value that mr_json_parse returned, with all that is in it. NULL is fine. */
void mr_json_free(mr_json *json);
MR_DEFINE_CLEANUP(mr_json, mr_json_free)

mr_json_kind mr_json_kind_of(const mr_json *json);
/* A member of an object; NULL when there is none, or `json` is NULL or no object. */
const mr_json *mr_json_get(const mr_json *json, const char *name);
/* Elements of an array and members of an object, in the text's order: NULL after the last one. */
const mr_json *mr_json_first(const mr_json *json);
const mr_json *mr_json_next(const mr_json *item);
size_t mr_json_count(const mr_json *json);
/* The name of a member, null bytes for anything else. */
mr_bytes mr_json_name_of(const mr_json *member);
/* The value; MR_NOT_FOUND when `json` is NULL or is of another kind or, for an integer, has a
 * fraction or does not fit. A string has a zero byte behind its end. */
mr_status mr_json_string(const mr_json *json, mr_bytes *ret_text) MR_MUST_USE;
mr_status mr_json_integer(const mr_json *json, int64_t *ret_number) MR_MUST_USE;
mr_status mr_json_number(const mr_json *json, double *ret_number) MR_MUST_USE;
mr_status mr_json_boolean(const mr_json *json, bool *ret_boolean) MR_MUST_USE;
/* Appends the value as text again, numbers as they were written. */
void mr_json_raw(const mr_json *json, mr_buf *text);
