/*
 * Many rows in the order of their keys, by a radix sort of the first bytes that tell the keys
 * apart: what comes in tens of thousands begins alike as a rule, and comparing keys one by one
 * misses the processor's cache each time. Private to common/runtime.
 */
#pragma once

#include "store/database.h"

/* A row's bytes behind what all keys begin with, as a number: the lower, the earlier. */
typedef struct mr_row_order {
    uint64_t prefix;
    uint32_t at; /* the caller's */
} mr_row_order;

/* How many bytes two keys begin with alike. */
size_t mr_row_order_common(mr_bytes a, mr_bytes b);
uint64_t mr_row_order_prefix(mr_bytes key, size_t from);
/* By prefix; equal ones stay as they are. `scratch` has room for as many. */
void mr_row_order_sort(mr_row_order *items, size_t n, mr_row_order *scratch);
/* The rows are in the order of the items: those with equal prefixes are put in the order of their
 * whole keys. */
void mr_row_order_settle(const mr_row_order *items, size_t n, mr_row *rows);
