#include "runtime/row_order.h"

#include <stdlib.h>

enum { PREFIX_BYTES = 8, BYTE_VALUES = 256 };

size_t mr_row_order_common(mr_bytes a, mr_bytes b)
{
    const size_t max = a.len < b.len ? a.len : b.len;
    size_t n = 0;
    while (n < max && a.data[n] == b.data[n]) {
        n++;
    }
    return n;
}

uint64_t mr_row_order_prefix(mr_bytes key, size_t from)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < PREFIX_BYTES; i++) {
        prefix = prefix << 8 | (from + i < key.len ? key.data[from + i] : 0);
    }
    return prefix;
}

/* By one byte of the prefix, the order of before kept among equals; false: all have the same. */
static bool sort_by_byte(const mr_row_order *items, size_t n, int shift, mr_row_order *ret_items)
{
    size_t starts[BYTE_VALUES + 1] = {0};
    for (size_t i = 0; i < n; i++) {
        starts[(items[i].prefix >> shift & (BYTE_VALUES - 1)) + 1]++;
    }
    if (starts[(items[0].prefix >> shift & (BYTE_VALUES - 1)) + 1] == n) {
        return false;
    }
    for (size_t i = 1; i < BYTE_VALUES; i++) {
        starts[i] += starts[i - 1];
    }
    for (size_t i = 0; i < n; i++) {
        ret_items[starts[items[i].prefix >> shift & (BYTE_VALUES - 1)]++] = items[i];
    }
    return true;
}

void mr_row_order_sort(mr_row_order *items, size_t n, mr_row_order *scratch)
{
    mr_row_order *from = items;
    mr_row_order *to = scratch;
    for (int shift = 0; n > 0 && shift < PREFIX_BYTES * 8; shift += 8) {
        if (sort_by_byte(from, n, shift, to)) {
            mr_row_order *swapped = from;
            from = to;
            to = swapped;
        }
    }
    if (from != items) {
        memcpy(items, from, n * sizeof(*items));
    }
}

static int compare(const void *a, const void *b)
{
    return mr_bytes_compare(((const mr_row *)a)->key, ((const mr_row *)b)->key);
}

void mr_row_order_settle(const mr_row_order *items, size_t n, mr_row *rows)
{
    for (size_t first = 0, next = 1; next <= n; next++) {
        if (next == n || items[next].prefix != items[first].prefix) {
            if (next - first > 1) {
                qsort(&rows[first], next - first, sizeof(*rows), compare);
            }
            first = next;
        }
    }
}
