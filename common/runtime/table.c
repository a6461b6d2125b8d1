#include "runtime/table_impl.h"

#include <stdlib.h>

#include "core/alloc.h"

/* Entries lie all over memory: a walk over many asks for this many before it comes to them. */
enum { AHEAD = 8 };

mr_table *mr_table_new(const mr_store_spec *spec, mr_partition *partition, mr_codec *codec)
{
    mr_table *table = mr_alloc_zero(1, sizeof(*table));
    table->spec = spec;
    table->type = mr_schema_type(spec->value);
    table->partition = partition;
    table->codec = codec;
    table->cache = mr_row_cache_new(table->type);
    return table;
}

void mr_table_free(mr_table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->changed_capacity; i++) {
        mr_value_free(table->type, table->changed[i].image);
    }
    mr_row_cache_free(table->cache);
    free(table->changed);
    free(table->behind);
    mr_key_set_free(table->keys);
    mr_sorted_rows_deinit(&table->flushing);
    mr_buf_deinit(&table->scratch);
    free(table);
}

static mr_bytes key_of(const mr_table *table, const mr_entry *entry)
{
    return mr_row_cache_key(table->cache, entry);
}

/* ---- What is committed ---- */

/* Into the scratch buffer. */
static mr_status encode(mr_table *table, const void *value, mr_bytes *ret_value, mr_error *err)
{
    mr_buf_clear(&table->scratch);
    MR_TRY(mr_codec_encode(table->codec, table->spec->changelog, table->spec->value, value,
                           &table->scratch, err));
    *ret_value = mr_buf_bytes(&table->scratch);
    return MR_OK;
}

/* The committed value of an entry, NULL: no such row; false: it is below, not here. */
static bool committed_value(const mr_table *table, mr_entry *entry, const void **ret_value)
{
    if (!entry->changed) {
        *ret_value = mr_entry_value(entry);
        return true;
    }
    const mr_changed *change = &table->changed[entry->changed_at];
    *ret_value = change->image_exists ? change->image : NULL;
    return change->has_image;
}

static mr_status read_below(mr_table *table, mr_bytes key, mr_bytes *ret_value, mr_error *err)
{
    const mr_row *row =
        mr_table_is_flushing(table) ? mr_sorted_rows_from(&table->flushing, key, true) : NULL;
    if (row != NULL && mr_bytes_equal(row->key, key)) {
        *ret_value = row->value;
        return mr_bytes_is_null(row->value) ? MR_NOT_FOUND : MR_OK;
    }
    if (table->partition == NULL) {
        return MR_NOT_FOUND;
    }
    mr_buf_clear(&table->scratch);
    const mr_status status =
        mr_partition_get(table->partition, table->spec->number, key, &table->scratch, err);
    if (status == MR_OK) {
        *ret_value = mr_buf_bytes(&table->scratch);
    }
    return status;
}

mr_status mr_table_read_committed(mr_table *table, mr_bytes key, mr_bytes *ret_value, mr_error *err)
{
    mr_entry *entry = mr_row_cache_find(table->cache, key);
    const void *value;
    if (entry == NULL || !committed_value(table, entry, &value)) {
        return read_below(table, key, ret_value, err);
    }
    return value == NULL ? MR_NOT_FOUND : encode(table, value, ret_value, err);
}

mr_status mr_table_committed(mr_table *table, mr_bytes key, mr_buf *value, mr_error *err)
{
    mr_bytes encoded;
    const mr_status status = mr_table_read_committed(table, key, &encoded, err);
    if (status == MR_OK) {
        mr_buf_clear(value);
        mr_buf_append_bytes(value, encoded);
    }
    return status;
}

/* ---- Rows ---- */

/* Asks RocksDB alone: mr_table_has_rows would keep the keys of changed rows in order from then on.
 */
static mr_status has_rows_below(mr_table *table, bool *ret_has_rows, mr_error *err)
{
    *ret_has_rows = mr_table_is_flushing(table);
    if (*ret_has_rows || table->partition == NULL) {
        return MR_OK;
    }
    mr_cursor *cursor = NULL;
    mr_bytes key;
    mr_bytes value;
    MR_TRY(mr_cursor_open(table->partition, table->spec->number, mr_bytes_text(""), MR_BYTES_NULL,
                          &cursor, err));
    const mr_status status = mr_cursor_next(cursor, &key, &value, err);
    mr_cursor_close(cursor);
    *ret_has_rows = status == MR_OK;
    return status == MR_END ? MR_OK : status;
}

static mr_status check_whole(mr_table *table, mr_error *err)
{
    if (!table->knows_whole) {
        bool has_rows = false;
        MR_TRY(has_rows_below(table, &has_rows, err));
        table->is_whole = !has_rows;
        table->knows_whole = true;
    }
    return MR_OK;
}

static mr_status load(mr_table *table, mr_entry *entry, mr_error *err)
{
    mr_bytes encoded;
    const mr_status status = read_below(table, key_of(table, entry), &encoded, err);
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
        MR_TRY(check_whole(table, err));
        entry = mr_row_cache_add(table->cache, key);
        const mr_status status = table->is_whole ? MR_OK : load(table, entry, err);
        if (status != MR_OK) {
            mr_row_cache_drop(table->cache, entry);
            return status;
        }
    }
    entry->write_only = false;
    *ret_entry = entry;
    return MR_OK;
}

uint64_t mr_table_expect_key(mr_table *table, mr_bytes key)
{
    if (table->spec->key.raw) {
        return mr_row_cache_expect_key(table->cache, key);
    }
    mr_buf_clear(&table->scratch);
    mr_key_append(&table->scratch, &(mr_key_part){.kind = MR_KEY_STRING, .text = key});
    return mr_row_cache_expect_key(table->cache, mr_buf_bytes(&table->scratch));
}

void mr_table_expect_hash(const mr_table *table, uint64_t hash)
{
    mr_row_cache_expect_hash(table->cache, hash);
}

const void *mr_entry_value(const mr_entry *entry)
{
    return entry->exists ? entry->memory : NULL;
}

/* What is committed of the row is kept where it lies nowhere else: moved, when the caller puts
 * another value in its place anyhow. */
static void keep_image(const mr_table *table, mr_changed *change, bool move)
{
    mr_entry *entry = change->entry;
    change->has_image = entry->behind;
    change->image_exists = entry->behind && entry->exists;
    if (!change->image_exists) {
        return;
    }
    if (change->image == NULL) {
        change->image = mr_value_new(table->type);
    }
    if (move) {
        mr_value_swap(table->type, change->image, mr_entry_memory(entry));
    } else {
        mr_value_copy(table->type, change->image, mr_entry_memory(entry));
    }
}

static void mark_changed(mr_table *table, mr_entry *entry, bool move)
{
    if (entry->changed) {
        return;
    }
    assert(table->n_changed < UINT32_MAX);
    if (table->n_changed == table->changed_capacity) {
        MR_GROW(table->changed, table->changed_capacity, table->n_changed + 1);
        memset(table->changed + table->n_changed, 0,
               (table->changed_capacity - table->n_changed) * sizeof(mr_changed));
    }
    mr_changed *change = &table->changed[table->n_changed];
    change->entry = entry;
    keep_image(table, change, move);
    entry->changed = true;
    entry->changed_at = (uint32_t)table->n_changed++;
    if (table->keys != NULL) {
        mr_key_set_add(table->keys, key_of(table, entry));
    }
}

void *mr_table_own(mr_table *table, mr_entry *entry)
{
    mark_changed(table, entry, false);
    entry->exists = true;
    return mr_entry_memory(entry);
}

void *mr_table_replace(mr_table *table, mr_bytes key)
{
    mr_entry *entry = mr_row_cache_find(table->cache, key);
    if (entry == NULL) {
        entry = mr_row_cache_add(table->cache, key);
        entry->write_only = true;
    }
    mark_changed(table, entry, true);
    entry->exists = true;
    mr_value_reset(table->type, mr_entry_memory(entry));
    return mr_entry_memory(entry);
}

void mr_table_swap(mr_table *table, mr_entry *entry, void *value)
{
    mark_changed(table, entry, true);
    entry->exists = true;
    mr_value_swap(table->type, mr_entry_memory(entry), value);
}

void mr_table_delete(mr_table *table, mr_entry *entry)
{
    mark_changed(table, entry, true);
    entry->exists = false;
    mr_value_deinit(table->type, mr_entry_memory(entry));
    mr_value_init(table->type, mr_entry_memory(entry));
}

/* ---- Commit ---- */

size_t mr_table_changed(const mr_table *table)
{
    return table->n_changed;
}

static void put_behind(mr_table *table, mr_changed *change)
{
    mr_entry *entry = change->entry;
    entry->changed = false;
    if (!table->type->flat) {
        mr_value_free(table->type, change->image);
        change->image = NULL;
    }
    mr_row_cache_account(table->cache, entry);
    if (!entry->behind) {
        entry->behind = true;
        MR_GROW(table->behind, table->behind_capacity, table->n_behind + 1);
        table->behind[table->n_behind++] = entry;
        table->behind_bytes += mr_row_cache_entry_bytes(table->cache, entry);
    }
}

static void expect_changed(const mr_table *table, size_t i)
{
    if (i < table->n_changed) {
        mr_row_cache_expect(table->cache, table->changed[i].entry);
    }
}

mr_status mr_table_encode(mr_table *table, mr_row_writer write, void *argument, mr_error *err)
{
    for (size_t i = 0; i < table->n_changed; i++) {
        expect_changed(table, i + AHEAD);
        mr_entry *entry = table->changed[i].entry;
        mr_bytes value = MR_BYTES_NULL;
        if (entry->exists) {
            MR_TRY(encode(table, mr_entry_memory(entry), &value, err));
        }
        MR_TRY(write(argument, key_of(table, entry), value, err));
    }
    for (size_t i = 0; i < table->n_changed; i++) {
        expect_changed(table, i + AHEAD);
        put_behind(table, &table->changed[i]);
    }
    table->n_changed = 0;
    return MR_OK;
}

/* ---- Write-behind ---- */

size_t mr_table_behind_bytes(const mr_table *table)
{
    return table->behind_bytes;
}

static mr_status add_to_flush(mr_table *table, mr_entry *entry, mr_error *err)
{
    const void *value;
    const bool is_here = committed_value(table, entry, &value);
    assert(is_here); /* it is behind */
    (void)is_here;
    mr_bytes encoded = MR_BYTES_NULL;
    if (value != NULL && encode(table, value, &encoded, err) != MR_OK) {
        err->action = MR_ACT_STOP; /* a commit has encoded it: no record is to blame */
        return mr_error_prefix(err, "store '%s': a row cannot be written", table->spec->name);
    }
    mr_sorted_rows_add(&table->flushing, key_of(table, entry), encoded);
    return MR_OK;
}

mr_status mr_table_flush_begin(mr_table *table, const mr_row **ret_rows, size_t *ret_n,
                               mr_error *err)
{
    *ret_n = 0;
    if (mr_table_is_flushing(table) || table->n_behind == 0) {
        return MR_OK;
    }
    for (size_t i = 0; i < table->n_behind; i++) {
        if (i + AHEAD < table->n_behind) {
            mr_row_cache_expect(table->cache, table->behind[i + AHEAD]);
        }
        MR_TRY(add_to_flush(table, table->behind[i], err));
    }
    for (size_t i = 0; i < table->n_behind; i++) {
        mr_entry *entry = table->behind[i];
        entry->behind = false;
        if (entry->write_only && !entry->changed) {
            mr_row_cache_drop(table->cache, entry);
            table->is_whole = false;
        }
    }
    table->n_behind = 0;
    table->behind_bytes = 0;
    mr_key_set_free(table->keys);
    table->keys = NULL;
    mr_sorted_rows_sort(&table->flushing, table->spec->number);
    *ret_rows = table->flushing.rows;
    *ret_n = table->flushing.n;
    return MR_OK;
}

void mr_table_flushed(mr_table *table)
{
    mr_sorted_rows_deinit(&table->flushing);
}

/* ---- Memory ---- */

size_t mr_table_cache_bytes(const mr_table *table)
{
    return mr_row_cache_bytes(table->cache);
}

void mr_table_evict(mr_table *table, size_t bytes_max)
{
    if (mr_row_cache_evict(table->cache, bytes_max)) {
        table->is_whole = false;
    }
}
