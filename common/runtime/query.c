#include "runtime/query.h"

#include <stdlib.h>

#include "core/alloc.h"

void mr_query_deinit(mr_query *query)
{
    for (size_t i = 0; i < query->n_rows; i++) {
        free((void *)(uintptr_t)query->rows[i].key.data);
        free((void *)(uintptr_t)query->rows[i].value.data);
    }
    free(query->rows);
    free(query->positions);
    query->rows = NULL;
    query->n_rows = query->rows_capacity = 0;
    query->positions = NULL;
    query->n_positions = query->positions_capacity = 0;
}

static mr_bytes copy_of(mr_bytes bytes)
{
    return mr_bytes_of(mr_strndup((const char *)bytes.data, bytes.len), bytes.len);
}

void mr_query_add(mr_query *query, int32_t partition, mr_bytes key, mr_bytes value)
{
    MR_GROW(query->rows, query->rows_capacity, query->n_rows + 1);
    query->rows[query->n_rows++] =
        (mr_query_row){.partition = partition, .key = copy_of(key), .value = copy_of(value)};
}

void mr_query_add_position(mr_query *query, int32_t partition, int64_t offset, bool restoring)
{
    MR_GROW(query->positions, query->positions_capacity, query->n_positions + 1);
    query->positions[query->n_positions++] =
        (mr_query_position){.partition = partition, .offset = offset, .restoring = restoring};
}
