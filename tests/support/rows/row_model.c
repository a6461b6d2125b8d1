#include "row_model.h"

#include <stdlib.h>

#include "core/alloc.h"

typedef struct put {
    mr_row row;
    size_t number;
} put;

struct row_model {
    put *puts;
    size_t n;
    size_t capacity;
};

row_model *row_model_new(void)
{
    return mr_alloc_zero(1, sizeof(row_model));
}

void row_model_free(row_model *model)
{
    for (size_t i = 0; i < model->n; i++) {
        free((void *)(uintptr_t)model->puts[i].row.key.data);
        free((void *)(uintptr_t)model->puts[i].row.value.data);
    }
    free(model->puts);
    free(model);
}

static mr_bytes copy(mr_bytes bytes)
{
    if (mr_bytes_is_null(bytes)) {
        return bytes;
    }
    uint8_t *data = mr_alloc(bytes.len + 1);
    memcpy(data, bytes.data, bytes.len);
    return mr_bytes_of(data, bytes.len);
}

void row_model_put(row_model *model, mr_bytes key, mr_bytes value)
{
    MR_GROW(model->puts, model->capacity, model->n + 1);
    model->puts[model->n] = (put){{.key = copy(key), .value = copy(value)}, model->n};
    model->n++;
}

static int compare_puts(const void *a, const void *b)
{
    const put *left = a;
    const put *right = b;
    const int side = mr_bytes_compare(left->row.key, right->row.key);
    return side != 0 ? side : (left->number > right->number) - (left->number < right->number);
}

size_t row_model_rows(row_model *model, mr_row **ret_rows)
{
    mr_row *rows = mr_alloc((model->n + 1) * sizeof(*rows));
    size_t n = 0;
    if (model->n > 1) {
        qsort(model->puts, model->n, sizeof(*model->puts), compare_puts);
    }
    for (size_t i = 0; i < model->n; i++) {
        const mr_row *row = &model->puts[i].row;
        const bool again = n > 0 && mr_bytes_equal(rows[n - 1].key, row->key);
        rows[again ? n - 1 : n++] = *row;
    }
    *ret_rows = rows;
    return n;
}
