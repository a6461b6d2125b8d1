/*
 * Encoded rows in key order: what a flush writes, and what is read meanwhile of it. Filled once,
 * sorted once, then read only. Thread: the worker's; the flusher reads the rows.
 */
#pragma once

#include "store/database.h"

typedef struct mr_sorted_row {
    size_t key_at; /* in `bytes` */
    size_t key_len;
    size_t value_at;
    size_t value_len;
    bool deleted;
} mr_sorted_row;

typedef struct mr_sorted_rows {
    mr_sorted_row *unsorted;
    size_t capacity;
    mr_row *rows; /* ascending once they are sorted; they borrow from `bytes` */
    size_t n;
    mr_buf bytes;
} mr_sorted_rows;

void mr_sorted_rows_deinit(mr_sorted_rows *self);
/* A key that was not added so far; a null value is a tombstone. Both are copied. */
void mr_sorted_rows_add(mr_sorted_rows *self, mr_bytes key, mr_bytes value);
/* After the last one: makes `rows`, of this store. */
void mr_sorted_rows_sort(mr_sorted_rows *self, uint8_t store);
/* The first row at (inclusive) or after `from`, NULL: none. */
const mr_row *mr_sorted_rows_from(const mr_sorted_rows *self, mr_bytes from, bool inclusive);
