#include "script/lua_rows.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "script/lua_session.h"

struct mr_lua_row {
    mr_lua_root root;
    size_t store;
    mr_buf key;
};

/* FNV-1a. */
static uint32_t print_of(size_t store, mr_bytes key)
{
    uint32_t print = 2166136261u ^ (uint32_t)store;
    for (size_t i = 0; i < key.len; i++) {
        print = (print ^ key.data[i]) * 16777619u;
    }
    return print;
}

static mr_lua_row *new_row(mr_lua_rows *rows)
{
    if (rows->n == rows->n_made) {
        const size_t before = rows->capacity;
        MR_GROW(rows->made, rows->capacity, rows->n_made + 1);
        if (rows->capacity != before) {
            rows->prints = mr_realloc(rows->prints, rows->capacity * sizeof(rows->prints[0]));
        }
        rows->made[rows->n_made++] = mr_alloc_zero(1, sizeof(mr_lua_row));
    }
    return rows->made[rows->n++];
}

mr_lua_root *mr_lua_rows_get(mr_lua_rows *rows, size_t store, mr_bytes key)
{
    const uint32_t print = print_of(store, key);
    for (size_t i = 0; i < rows->n; i++) {
        mr_lua_row *row = rows->made[i];
        if (rows->prints[i] == print && row->store == store &&
            mr_bytes_equal(mr_buf_bytes(&row->key), key)) {
            return &row->root;
        }
    }
    mr_lua_row *row = new_row(rows);
    rows->prints[rows->n - 1] = print;
    mr_lua_root_set(&row->root, NULL, NULL);
    row->store = store;
    mr_buf_clear(&row->key);
    mr_buf_append_bytes(&row->key, key);
    return &row->root;
}

void mr_lua_rows_clear(mr_lua_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        mr_lua_root_end(&rows->made[i]->root, NULL);
    }
    rows->n = 0;
}

void mr_lua_rows_deinit(mr_lua_rows *rows)
{
    for (size_t i = 0; i < rows->n_made; i++) {
        mr_buf_deinit(&rows->made[i]->key);
        free(rows->made[i]);
    }
    free(rows->made);
    free(rows->prints);
    *rows = (mr_lua_rows){0};
}
