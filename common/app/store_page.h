/*
 * A page of a store's rows in key order, out of several tasks: what is asked for, the order, and
 * the cursor from which the next page goes on. Shared by HTTP and the CLI's offline reading.
 */
#pragma once

#include <mr/app.h>

#include "runtime/query.h"

/* As text; null bytes: not given. */
typedef struct mr_store_page_request {
    mr_bytes prefix;
    mr_bytes from;
    mr_bytes to;
    mr_bytes limit;
    mr_bytes cursor;
    size_t limit_preset;
    size_t limit_max;
} mr_store_page_request;

typedef struct mr_store_page {
    mr_buf from; /* encoded, inclusive */
    mr_buf to;   /* encoded, exclusive */
    bool has_to;
    size_t limit;
    mr_buf after_key; /* the last row of the page before: rows up to it are left out */
    int32_t after_partition;
    bool has_after;
} mr_store_page;

/* The rows that satisfy all of prefix, from and to. Into a zeroed page; deinit also on failure. */
mr_status mr_store_page_read(const mr_store_spec *store, const mr_store_page_request *request,
                             mr_store_page *page, mr_error *err) MR_MUST_USE;
void mr_store_page_deinit(mr_store_page *page);

/* By key, then partition. */
void mr_store_page_sort(mr_query *query);
/* How many of the sorted rows were in pages before. */
size_t mr_store_page_skip(const mr_store_page *page, const mr_query *query);
/* "<partition>-<key in hexadecimal>" */
void mr_store_page_cursor(const mr_query_row *last, mr_buf *cursor);
