#include "runtime/sorted_rows.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "runtime/row_order.h"

void mr_sorted_rows_deinit(mr_sorted_rows *self)
{
    free(self->unsorted);
    free(self->rows);
    mr_buf_deinit(&self->bytes);
    *self = (mr_sorted_rows){0};
}

void mr_sorted_rows_add(mr_sorted_rows *self, mr_bytes key, mr_bytes value)
{
    assert(self->rows == NULL);
    MR_GROW(self->unsorted, self->capacity, self->n + 1);
    self->unsorted[self->n++] = (mr_sorted_row){
        .key_at = self->bytes.len,
        .key_len = key.len,
        .value_at = self->bytes.len + key.len,
        .value_len = value.len,
        .deleted = mr_bytes_is_null(value),
    };
    mr_buf_append_bytes(&self->bytes, key);
    mr_buf_append_bytes(&self->bytes, value);
}

static mr_bytes key_of(const mr_sorted_rows *self, size_t i)
{
    return mr_bytes_of(self->bytes.data + self->unsorted[i].key_at, self->unsorted[i].key_len);
}

/* Where each row is, in the order of the keys as far as their prefixes tell it. */
static mr_row_order *order(mr_sorted_rows *self)
{
    assert(self->n <= UINT32_MAX);
    size_t common = self->unsorted[0].key_len;
    for (size_t i = 1; i < self->n; i++) {
        const mr_bytes first = mr_bytes_of(self->bytes.data, common);
        common = mr_row_order_common(first, key_of(self, i));
    }
    mr_row_order *items = mr_alloc(self->n * sizeof(*items));
    for (size_t i = 0; i < self->n; i++) {
        items[i] = (mr_row_order){mr_row_order_prefix(key_of(self, i), common), (uint32_t)i};
    }
    mr_row_order_sort(items, self->n, (mr_row_order *)(void *)self->rows);
    return items;
}

void mr_sorted_rows_sort(mr_sorted_rows *self, uint8_t store)
{
    assert(self->rows == NULL && self->n > 0);
    self->rows = mr_alloc(self->n * sizeof(mr_row));
    mr_row_order *items = order(self);
    for (size_t i = 0; i < self->n; i++) {
        const mr_sorted_row *row = &self->unsorted[items[i].at];
        self->rows[i] = (mr_row){
            .store = store,
            .key = key_of(self, items[i].at),
            .value = row->deleted ? MR_BYTES_NULL
                                  : mr_bytes_of(self->bytes.data + row->value_at, row->value_len),
        };
    }
    mr_row_order_settle(items, self->n, self->rows);
    free(items);
    free(self->unsorted);
    self->unsorted = NULL;
    self->capacity = 0;
}

const mr_row *mr_sorted_rows_from(const mr_sorted_rows *self, mr_bytes from, bool inclusive)
{
    size_t low = 0;
    size_t high = self->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int side = mr_bytes_compare(self->rows[middle].key, from);
        if (side > 0 || (side == 0 && inclusive)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low == self->n ? NULL : &self->rows[low];
}
