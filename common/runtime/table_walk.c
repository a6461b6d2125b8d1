/*
 * A table's rows in the order of their keys: three sources, each in order, walked as one.
 */
#include "runtime/table_impl.h"

typedef struct mr_walk {
    mr_key_set *keys;               /* of rows in the cache that RocksDB does not have so */
    const mr_sorted_rows *flushing; /* NULL: none */
    mr_cursor *cursor;              /* of RocksDB; NULL: ended or none */
    mr_bytes cursor_key;
    mr_bytes cursor_value;
    mr_buf position; /* the last key; walking goes on behind it */
    bool started;
    mr_bytes from;
    mr_bytes to;
} mr_walk;

static void walk_close(mr_walk *walk)
{
    mr_cursor_close(walk->cursor);
    mr_buf_deinit(&walk->position);
}

static mr_status walk_advance_cursor(mr_walk *walk, mr_error *err)
{
    const mr_status status =
        mr_cursor_next(walk->cursor, &walk->cursor_key, &walk->cursor_value, err);
    if (status == MR_END) {
        mr_cursor_close(walk->cursor);
        walk->cursor = NULL;
        return MR_OK;
    }
    return status;
}

typedef struct mr_walked {
    mr_bytes key;
    mr_bytes value; /* null: a tombstone */
    bool is_cached; /* then the cache knows the value */
} mr_walked;

/* The least of what the sources have next; of equal keys the one from the source that comes first
 * is the newest. */
static mr_walked least_of_sources(const mr_walk *walk, mr_bytes from)
{
    mr_walked least = {.key = MR_BYTES_NULL};
    if (walk->keys != NULL &&
        mr_key_set_next(walk->keys, from, !walk->started, walk->to, &least.key) == MR_OK) {
        least.is_cached = true;
    }
    const mr_row *row =
        walk->flushing == NULL ? NULL : mr_sorted_rows_from(walk->flushing, from, !walk->started);
    if (row != NULL && (mr_bytes_is_null(walk->to) || mr_bytes_compare(row->key, walk->to) < 0) &&
        (mr_bytes_is_null(least.key) || mr_bytes_compare(row->key, least.key) < 0)) {
        least = (mr_walked){.key = row->key, .value = row->value};
    }
    if (walk->cursor != NULL &&
        (mr_bytes_is_null(least.key) || mr_bytes_compare(walk->cursor_key, least.key) < 0)) {
        least = (mr_walked){.key = walk->cursor_key, .value = walk->cursor_value};
    }
    return least;
}

static mr_status walk_next(mr_walk *walk, mr_walked *ret_walked, mr_error *err)
{
    const mr_bytes from = walk->started ? mr_buf_bytes(&walk->position) : walk->from;
    while (walk->cursor != NULL && walk->started && mr_bytes_compare(walk->cursor_key, from) <= 0) {
        MR_TRY(walk_advance_cursor(walk, err));
    }
    mr_walked least = least_of_sources(walk, from);
    if (mr_bytes_is_null(least.key)) {
        return MR_END;
    }
    mr_buf_clear(&walk->position);
    mr_buf_append_bytes(&walk->position, least.key);
    walk->started = true;
    least.key = mr_buf_bytes(&walk->position);
    *ret_walked = least;
    return MR_OK;
}

static void keep_keys_in_order(mr_table *table)
{
    if (table->keys != NULL) {
        return;
    }
    table->keys = mr_key_set_new();
    for (size_t i = 0; i < table->n_changed; i++) {
        const mr_bytes key = mr_row_cache_key(table->cache, table->changed[i].entry);
        mr_key_set_add(table->keys, key);
    }
    for (size_t i = 0; i < table->n_behind; i++) {
        const mr_bytes key = mr_row_cache_key(table->cache, table->behind[i]);
        mr_key_set_add(table->keys, key);
    }
}

static mr_status walk_open(mr_walk *walk, mr_table *table, mr_error *err)
{
    keep_keys_in_order(table);
    walk->keys = table->keys;
    walk->flushing = mr_table_is_flushing(table) ? &table->flushing : NULL;
    if (table->partition == NULL) {
        return MR_OK;
    }
    MR_TRY(mr_cursor_open(table->partition, table->spec->number, walk->from, walk->to,
                          &walk->cursor, err));
    return walk_advance_cursor(walk, err);
}

mr_status mr_table_keys(mr_table *table, mr_bytes from, mr_bytes to, mr_key_visitor visit,
                        void *argument, mr_error *err)
{
    mr_walk walk = {.from = from, .to = to};
    mr_status status = walk_open(&walk, table, err);
    while (status == MR_OK) {
        mr_walked walked;
        status = walk_next(&walk, &walked, err);
        if (status == MR_OK) {
            status = visit(argument, walked.key, err);
        }
    }
    walk_close(&walk);
    return status == MR_END ? MR_OK : status;
}

static mr_status stop_at_key(void *argument, mr_bytes key, mr_error *err)
{
    (void)key;
    (void)err;
    *(bool *)argument = true;
    return MR_END;
}

mr_status mr_table_has_rows(mr_table *table, bool *ret_has_rows, mr_error *err)
{
    *ret_has_rows = false;
    return mr_table_keys(table, mr_bytes_text(""), MR_BYTES_NULL, stop_at_key, ret_has_rows, err);
}

mr_status mr_table_scan_committed(mr_table *table, mr_bytes from, mr_bytes to,
                                  mr_encoded_visitor visit, void *argument, mr_error *err)
{
    mr_walk walk = {.from = from, .to = to};
    mr_status status = walk_open(&walk, table, err);
    while (status == MR_OK) {
        mr_walked walked;
        status = walk_next(&walk, &walked, err);
        if (status == MR_OK && walked.is_cached) {
            status = mr_table_read_committed(table, walked.key, &walked.value, err);
            walked.value = status == MR_OK ? walked.value : MR_BYTES_NULL;
            status = status == MR_NOT_FOUND ? MR_OK : status;
        }
        if (status == MR_OK && !mr_bytes_is_null(walked.value)) {
            status = visit(argument, walked.key, walked.value, err);
        }
    }
    walk_close(&walk);
    return status == MR_END ? MR_OK : status;
}
