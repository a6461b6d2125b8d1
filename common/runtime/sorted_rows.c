#include "runtime/sorted_rows.h"

#include <stdlib.h>

#include "core/alloc.h"

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

static int compare(const void *a, const void *b)
{
    return mr_bytes_compare(((const mr_row *)a)->key, ((const mr_row *)b)->key);
}

void mr_sorted_rows_sort(mr_sorted_rows *self, uint8_t store)
{
    assert(self->rows == NULL && self->n > 0);
    self->rows = mr_alloc(self->n * sizeof(mr_row));
    for (size_t i = 0; i < self->n; i++) {
        const mr_sorted_row *row = &self->unsorted[i];
        self->rows[i] = (mr_row){
            .store = store,
            .key = mr_bytes_of(self->bytes.data + row->key_at, row->key_len),
            .value = row->deleted ? MR_BYTES_NULL
                                  : mr_bytes_of(self->bytes.data + row->value_at, row->value_len),
        };
    }
    free(self->unsorted);
    self->unsorted = NULL;
    self->capacity = 0;
    qsort(self->rows, self->n, sizeof(mr_row), compare);
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
