#include "runtime/table.h"

#include <stdlib.h>

#include "core/alloc.h"

struct mr_table {
    const mr_store_spec *spec;
    const mr_type *type;
    mr_partition *partition;
    mr_codec *codec;
    mr_row_cache *cache;
    mr_entry **changed; /* in the order of first change */
    size_t n_changed;
    size_t changed_capacity;
    /* Keys changed since the last commit, in order; kept only once a scan asked for order. */
    mr_row_map *changed_keys;
    mr_row_map *behind;
    mr_row_map *flushing; /* NULL: no flush under way */
    mr_buf scratch;
};

mr_table *mr_table_new(const mr_store_spec *spec, mr_partition *partition, mr_codec *codec)
{
    mr_table *table = mr_alloc_zero(1, sizeof(*table));
    table->spec = spec;
    table->type = mr_schema_type(spec->value);
    table->partition = partition;
    table->codec = codec;
    table->cache = mr_row_cache_new(table->type);
    table->behind = mr_row_map_new();
    return table;
}

void mr_table_free(mr_table *table)
{
    if (table == NULL) {
        return;
    }
    mr_row_cache_free(table->cache);
    free(table->changed);
    mr_row_map_free(table->changed_keys);
    mr_row_map_free(table->behind);
    mr_row_map_free(table->flushing);
    mr_buf_deinit(&table->scratch);
    free(table);
}

/* The committed row, borrowed from where it lies or read into the scratch buffer. */
static mr_status read_committed(mr_table *table, mr_bytes key, mr_bytes *ret_value, mr_error *err)
{
    mr_status status = mr_row_map_get(table->behind, key, ret_value, NULL);
    if (status == MR_NOT_FOUND && table->flushing != NULL) {
        status = mr_row_map_get(table->flushing, key, ret_value, NULL);
    }
    if (status == MR_OK) {
        return mr_bytes_is_null(*ret_value) ? MR_NOT_FOUND : MR_OK;
    }
    if (table->partition == NULL) {
        return MR_NOT_FOUND;
    }
    mr_buf_clear(&table->scratch);
    status = mr_partition_get(table->partition, table->spec->number, key, &table->scratch, err);
    if (status == MR_OK) {
        *ret_value = mr_buf_bytes(&table->scratch);
    }
    return status;
}

static mr_bytes key_of(const mr_table *table, const mr_entry *entry)
{
    return mr_row_cache_key(table->cache, entry);
}

static mr_status load(mr_table *table, mr_entry *entry, mr_error *err)
{
    mr_bytes encoded;
    const mr_status status = read_committed(table, key_of(table, entry), &encoded, err);
    if (status != MR_OK) {
        return status == MR_NOT_FOUND ? MR_OK : status;
    }
    if (mr_codec_decode(table->codec, encoded, table->spec->value, mr_entry_memory(entry), err) !=
        MR_OK) {
        /* Bytes that we wrote ourselves: no record is to blame, a person must look. */
        err->action = MR_ACT_STOP;
        return mr_error_prefix(err, "store '%s': a row cannot be read", table->spec->name);
    }
    entry->exists = true;
    mr_row_cache_account(table->cache, entry);
    return MR_OK;
}

mr_status mr_table_find(mr_table *table, mr_bytes key, mr_entry **ret_entry, mr_error *err)
{
    mr_entry *entry = mr_row_cache_find(table->cache, key);
    if (entry == NULL) {
        entry = mr_row_cache_add(table->cache, key);
        const mr_status status = load(table, entry, err);
        if (status != MR_OK) {
            mr_row_cache_drop(table->cache, entry);
            return status;
        }
    }
    entry->write_only = false;
    *ret_entry = entry;
    return MR_OK;
}

const void *mr_entry_value(const mr_entry *entry)
{
    return entry->exists ? entry->memory : NULL;
}

static void mark_changed(mr_table *table, mr_entry *entry)
{
    if (entry->changed) {
        return;
    }
    entry->changed = true;
    MR_GROW(table->changed, table->changed_capacity, table->n_changed + 1);
    table->changed[table->n_changed++] = entry;
    if (table->changed_keys != NULL) {
        mr_row_map_put(table->changed_keys, key_of(table, entry), MR_BYTES_NULL, 0);
    }
}

void *mr_table_own(mr_table *table, mr_entry *entry)
{
    entry->exists = true;
    mark_changed(table, entry);
    return mr_entry_memory(entry);
}

void *mr_table_replace(mr_table *table, mr_bytes key)
{
    mr_entry *entry = mr_row_cache_find(table->cache, key);
    if (entry == NULL) {
        entry = mr_row_cache_add(table->cache, key);
        entry->write_only = true;
    }
    void *value = mr_table_own(table, entry);
    mr_value_reset(table->type, value);
    return value;
}

void mr_table_swap(mr_table *table, mr_entry *entry, void *value)
{
    mr_value_swap(table->type, mr_table_own(table, entry), value);
}

void mr_table_delete(mr_table *table, mr_entry *entry)
{
    mr_value_deinit(table->type, mr_entry_memory(entry));
    mr_value_init(table->type, mr_entry_memory(entry));
    entry->exists = false;
    mark_changed(table, entry);
}

/* ---- Ordered walking ---- */

enum { SOURCES_MAX = 3 };

/* Walks several row maps and RocksDB as one ascending sequence of keys. */
typedef struct mr_walk {
    mr_row_map *maps[SOURCES_MAX];
    size_t n_maps;
    mr_cursor *cursor; /* NULL: ended or none */
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

static mr_status walk_open(mr_walk *walk, mr_table *table, mr_error *err)
{
    if (table->partition == NULL) {
        return MR_OK;
    }
    MR_TRY(mr_cursor_open(table->partition, table->spec->number, walk->from, walk->to,
                          &walk->cursor, err));
    return walk_advance_cursor(walk, err);
}

/* The next key; `ret_value` is what the first map that has the key, or RocksDB, says of it. */
static mr_status walk_next(mr_walk *walk, mr_bytes *ret_key, mr_bytes *ret_value, mr_error *err)
{
    const mr_bytes from = walk->started ? mr_buf_bytes(&walk->position) : walk->from;
    mr_bytes key = MR_BYTES_NULL;
    mr_bytes value = MR_BYTES_NULL;
    for (size_t i = 0; i < walk->n_maps; i++) {
        mr_bytes map_key;
        mr_bytes map_value;
        const mr_status status =
            mr_row_map_next(walk->maps[i], from, !walk->started, walk->to, &map_key, &map_value);
        if (status == MR_OK && (mr_bytes_is_null(key) || mr_bytes_compare(map_key, key) < 0)) {
            key = map_key;
            value = map_value;
        }
    }
    while (walk->cursor != NULL && walk->started && mr_bytes_compare(walk->cursor_key, from) <= 0) {
        MR_TRY(walk_advance_cursor(walk, err));
    }
    if (walk->cursor != NULL &&
        (mr_bytes_is_null(key) || mr_bytes_compare(walk->cursor_key, key) < 0)) {
        key = walk->cursor_key;
        value = walk->cursor_value;
    }
    if (mr_bytes_is_null(key)) {
        return MR_END;
    }
    mr_buf_clear(&walk->position);
    mr_buf_append_bytes(&walk->position, key);
    walk->started = true;
    *ret_key = mr_buf_bytes(&walk->position);
    *ret_value = value;
    return MR_OK;
}

static void walk_add(mr_walk *walk, mr_row_map *map)
{
    if (map != NULL) {
        walk->maps[walk->n_maps++] = map;
    }
}

static void keep_changed_keys_in_order(mr_table *table)
{
    if (table->changed_keys != NULL) {
        return;
    }
    table->changed_keys = mr_row_map_new();
    for (size_t i = 0; i < table->n_changed; i++) {
        mr_row_map_put(table->changed_keys, key_of(table, table->changed[i]), MR_BYTES_NULL, 0);
    }
}

mr_status mr_table_keys(mr_table *table, mr_bytes from, mr_bytes to, mr_key_visitor visit,
                        void *argument, mr_error *err)
{
    keep_changed_keys_in_order(table);
    mr_walk walk = {.from = from, .to = to};
    walk_add(&walk, table->changed_keys);
    walk_add(&walk, table->behind);
    walk_add(&walk, table->flushing);
    mr_status status = walk_open(&walk, table, err);
    while (status == MR_OK) {
        mr_bytes key;
        mr_bytes value;
        status = walk_next(&walk, &key, &value, err);
        if (status == MR_OK) {
            status = visit(argument, key, err);
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
    walk_add(&walk, table->behind);
    walk_add(&walk, table->flushing);
    mr_status status = walk_open(&walk, table, err);
    while (status == MR_OK) {
        mr_bytes key;
        mr_bytes value;
        status = walk_next(&walk, &key, &value, err);
        if (status == MR_OK && !mr_bytes_is_null(value)) {
            status = visit(argument, key, value, err);
        }
    }
    walk_close(&walk);
    return status == MR_END ? MR_OK : status;
}

mr_status mr_table_committed(mr_table *table, mr_bytes key, mr_buf *value, mr_error *err)
{
    mr_bytes encoded;
    const mr_status status = read_committed(table, key, &encoded, err);
    if (status == MR_OK) {
        mr_buf_clear(value);
        mr_buf_append_bytes(value, encoded);
    }
    return status;
}

/* ---- Commit and write-behind ---- */

size_t mr_table_changed(const mr_table *table)
{
    return table->n_changed;
}

static mr_status encode_entry(mr_table *table, mr_entry *entry, mr_row_writer write, void *argument,
                              mr_error *err)
{
    const mr_bytes key = key_of(table, entry);
    mr_bytes value = MR_BYTES_NULL;
    if (entry->exists) {
        mr_buf_clear(&table->scratch);
        MR_TRY(mr_codec_encode(table->codec, table->spec->changelog, table->spec->value,
                               mr_entry_memory(entry), &table->scratch, err));
        value = mr_buf_bytes(&table->scratch);
    }
    MR_TRY(write(argument, key, value, err));
    mr_row_map_put(table->behind, key, value, 0);
    return MR_OK;
}

mr_status mr_table_encode(mr_table *table, mr_row_writer write, void *argument, mr_error *err)
{
    for (size_t i = 0; i < table->n_changed; i++) {
        mr_entry *entry = table->changed[i];
        MR_TRY(encode_entry(table, entry, write, argument, err));
        entry->changed = false;
        if (entry->write_only) {
            mr_row_cache_drop(table->cache, entry);
        } else {
            mr_row_cache_account(table->cache, entry);
        }
    }
    table->n_changed = 0;
    if (table->changed_keys != NULL) {
        mr_row_map_clear(table->changed_keys);
    }
    return MR_OK;
}

size_t mr_table_behind_bytes(const mr_table *table)
{
    return mr_row_map_bytes(table->behind);
}

mr_row_map *mr_table_flush_begin(mr_table *table)
{
    if (table->flushing != NULL || mr_row_map_count(table->behind) == 0) {
        return NULL;
    }
    table->flushing = table->behind;
    table->behind = mr_row_map_new();
    return table->flushing;
}

void mr_table_flushed(mr_table *table)
{
    mr_row_map_free(table->flushing);
    table->flushing = NULL;
}

/* ---- Memory ---- */

size_t mr_table_cache_bytes(const mr_table *table)
{
    return mr_row_cache_bytes(table->cache);
}

void mr_table_evict(mr_table *table, size_t bytes_max)
{
    mr_row_cache_evict(table->cache, bytes_max);
}
