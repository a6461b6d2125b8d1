/* What one JSON value is, which types it fits, and how it is stored. */
#pragma once

#include <mr/json.h>

typedef struct mr_json_token {
    mr_json_kind kind;
    bool boolean;
    mr_bytes text; /* of a number, or of a string with its escapes resolved */
} mr_json_token;

/* Whether a value of the type can be written so: containers by their kind only. */
bool mr_json_fits(const mr_type *type, const mr_json_token *t, mr_buf *scratch);

/* Stores a scalar that fits; `scratch` is as mr_json_fits left it. */
void mr_json_set(const mr_type *type, void *value, const mr_json_token *t, const mr_buf *scratch);

/* Whether a record without the field is refused: it has no default and cannot be null. */
bool mr_json_is_required(const mr_field *field);

/* Appends what a person should have written: "a whole number of 32 bits". */
void mr_json_append_expectation(mr_buf *text, const mr_type *type);
