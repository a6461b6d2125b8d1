#include "cli/row_source.h"

#include <stdlib.h>

#include "core/alloc.h"

void mr_position_list_put(mr_position_list *list, int32_t partition, int64_t offset)
{
    size_t i = 0;
    while (i < list->n && list->items[i].partition < partition) {
        i++;
    }
    if (i < list->n && list->items[i].partition == partition) {
        if (offset > list->items[i].offset) {
            list->items[i].offset = offset;
        }
        return;
    }
    MR_GROW(list->items, list->capacity, list->n + 1);
    memmove(&list->items[i + 1], &list->items[i], (list->n - i) * sizeof(list->items[0]));
    list->items[i] = (mr_query_position){.partition = partition, .offset = offset};
    list->n++;
}

int64_t mr_position_list_find(const mr_position_list *list, int32_t partition)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].partition == partition) {
            return list->items[i].offset;
        }
    }
    return -1;
}

mr_source_row *mr_row_source_add(mr_row_source *source)
{
    if (source->n_rows == source->capacity) {
        const size_t before = source->capacity;
        MR_GROW(source->rows, source->capacity, source->n_rows + 1);
        memset(&source->rows[before], 0, (source->capacity - before) * sizeof(source->rows[0]));
    }
    mr_source_row *row = &source->rows[source->n_rows++];
    mr_buf_clear(&row->key);
    mr_buf_clear(&row->key_json);
    mr_buf_clear(&row->value_json);
    return row;
}

void mr_row_source_deinit(mr_row_source *source)
{
    for (size_t i = 0; i < source->capacity; i++) {
        mr_buf_deinit(&source->rows[i].key);
        mr_buf_deinit(&source->rows[i].key_json);
        mr_buf_deinit(&source->rows[i].value_json);
    }
    free(source->rows);
    free(source->positions.items);
    free(source->address);
    free(source->directory);
    mr_buf_deinit(&source->cursor);
    mr_buf_deinit(&source->next_from);
    *source = (mr_row_source){0};
}

mr_status mr_row_source_fill(mr_row_source *source, mr_error *err)
{
    while (source->at == source->n_rows) {
        if (source->is_last_page) {
            return MR_END;
        }
        source->at = 0;
        source->n_rows = 0;
        const mr_status status = source->http != NULL ? mr_row_source_fetch(source, err)
                                                      : mr_row_source_read(source, err);
        if (status != MR_OK) {
            return status;
        }
    }
    return MR_OK;
}
