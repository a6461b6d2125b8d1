/* What the tests of schemas, values and codec share. Include after cmocka.h. */
#pragma once

#include <mr/codec.h>
#include <mr/value.h>

/* Schemas here are written with ' for ", to be read without backslashes. To be freed. */
char *double_quoted(const char *text);

/* Adds a schema that must be right. */
const mr_schema *must_add(mr_schemas *schemas, const char *json);

/* Bytes of "0a ff"; spaces are left out. */
void append_hex(mr_buf *buf, const char *hex);

/* Single-object encoding of a body that is given. */
void append_framed(mr_buf *buf, const mr_schema *writer, mr_bytes body);

/* A value read from JSON that must fit. To be freed with mr_value_free. */
void *must_read_json(const mr_type *type, const char *json);

#define N_ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))
