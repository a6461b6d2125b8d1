/*
 * Rows of one store for a verb, in key order, whoever holds them: asked from every processor of the
 * stage over HTTP and merged, or, when none answers, read from this host's state directories.
 */
#pragma once

#include "cli/cli.h"

typedef struct mr_rows mr_rows;

typedef struct mr_rows_request {
    const mr_stage *stage;
    const mr_store_spec *store;
    /* As of mr/store_key.h; NULL: not given. */
    const char *prefix;
    const char *from;
    const char *to;
    /* A get: the parts of one key; n_parts 0 for a scan. */
    const char *const *parts;
    size_t n_parts;
} mr_rows_request;

typedef struct mr_rows_item {
    int32_t partition;
    int64_t offset; /* inputs below it are in the row's task; -1: not known */
    mr_bytes key;   /* encoded */
    mr_bytes key_json;
    mr_bytes value_json; /* canonical: fields in schema order, map keys in order */
} mr_rows_item;

/* MR_TIMED_OUT: neither a processor nor a state directory; `err` says what was tried. */
mr_status mr_rows_open(const mr_cli *cli, const mr_rows_request *request, mr_rows **ret_rows,
                       mr_error *err) MR_MUST_USE;
void mr_rows_free(mr_rows *rows);
MR_DEFINE_CLEANUP(mr_rows, mr_rows_free)

/* MR_END after the last one; the item is valid until the next call. */
mr_status mr_rows_next(mr_rows *rows, mr_rows_item *ret_item, mr_error *err) MR_MUST_USE;

/* After the end. "as of 0:12 1:45"; empty when nothing is known. */
void mr_rows_positions(const mr_rows *rows, mr_buf *out);
/* MR_TIMED_OUT when partitions were not covered by anybody who answered: rows may be missing. */
mr_status mr_rows_check(const mr_rows *rows, mr_error *err) MR_MUST_USE;
