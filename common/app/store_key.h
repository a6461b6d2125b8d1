/*
 * A store's keys as people write them. A whole key is its parts, one text each; in a URL and in
 * `prefix`, `from` and `to` the parts of a key with several are separated by '/', and a '/' or '%'
 * inside a part is percent-encoded. A key with one part is taken as it stands.
 */
#pragma once

#include <mr/app.h>
#include <mr/json.h>

/* Every part, typed by the store's key. MR_ERR_USAGE says what the store's key is. */
mr_status mr_store_key_encode(const mr_store_spec *store, const mr_bytes *parts, size_t n,
                              mr_buf *key, mr_error *err) MR_MUST_USE;

/* A bound: the first parts of a key, at least one. */
mr_status mr_store_key_bound(const mr_store_spec *store, mr_bytes text, mr_buf *key,
                             mr_error *err) MR_MUST_USE;
/* The first parts of a key; a last string part is only its beginning. `text` that ends in '/' is of
 * whole parts. */
mr_status mr_store_key_prefix(const mr_store_spec *store, mr_bytes text, mr_buf *key,
                              mr_error *err) MR_MUST_USE;

/* The key's parts as a JSON array of strings and integers. MR_ERR_DATA for bytes that are no key.
 */
mr_status mr_store_key_to_json(const mr_store_spec *store, mr_bytes key, mr_json_writer *json,
                               mr_error *err) MR_MUST_USE;
/* The reverse, from such an array. */
mr_status mr_store_key_from_json(const mr_store_spec *store, const mr_json *json, mr_buf *key,
                                 mr_error *err) MR_MUST_USE;

/* "string", "string/long": for people. */
void mr_store_key_describe(const mr_store_spec *store, mr_buf *out);

/* %XX to bytes; '+' to a blank when it is a form's. MR_ERR_USAGE for a % without two digits. */
mr_status mr_percent_decode(mr_bytes text, bool form, mr_buf *out, mr_error *err) MR_MUST_USE;
/* All but letters, digits and - . _ ~ as %XX. */
void mr_percent_encode(mr_bytes text, mr_buf *out);
