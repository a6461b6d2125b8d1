#include "store/partition.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "store/progress.h"

/* Memory of a batch larger than this is given back after the write. */
enum { BATCH_BYTES_KEPT = 4 * 1024 * 1024 };

mr_bytes mr_progress_key(void)
{
    static const uint8_t key[] = {MR_STORE_META, 'p'};
    return mr_bytes_of(key, sizeof(key));
}

static mr_status failed(const mr_partition *partition, const char *step, char *failure,
                        mr_error *err)
{
    return mr_rocks_failure(err, partition->database->path, partition->family->name, step, failure);
}

/* ---- Life ---- */

static mr_family *find_family(mr_database *database, int32_t number)
{
    for (size_t i = 0; i < database->n_families; i++) {
        if (database->families[i]->number == number) {
            return database->families[i];
        }
    }
    return NULL;
}

/* The mutex is held. */
static mr_status take_family(mr_database *database, int32_t number, mr_family **ret_family,
                             mr_error *err)
{
    mr_family *family = find_family(database, number);
    if (family == NULL && database->read_only) {
        return MR_NOT_FOUND;
    }
    if (family == NULL) {
        char name[MR_FAMILY_NAME_SIZE];
        mr_family_name(number, name);
        rocksdb_column_family_handle_t *handle = NULL;
        MR_TRY(mr_family_create(database, name, &handle, err));
        family = mr_family_add(database, name, handle);
    }
    assert(!family->in_use);
    family->in_use = true;
    *ret_family = family;
    return MR_OK;
}

mr_status mr_partition_open(mr_database *database, int32_t number, mr_partition **ret_partition,
                            mr_error *err)
{
    assert(number >= 0);
    mr_family *family = NULL;
    (void)pthread_mutex_lock(&database->mutex);
    const mr_status status = take_family(database, number, &family, err);
    (void)pthread_mutex_unlock(&database->mutex);
    if (status != MR_OK) {
        return status;
    }
    mr_partition *partition = mr_alloc(sizeof(*partition));
    *partition = (mr_partition){
        .database = database,
        .family = family,
        .batch = rocksdb_writebatch_create(),
    };
    mr_sorted_file_forget(partition);
    *ret_partition = partition;
    return MR_OK;
}

void mr_partition_close(mr_partition *partition)
{
    if (partition == NULL) {
        return;
    }
    mr_database *database = partition->database;
    (void)pthread_mutex_lock(&database->mutex);
    partition->family->in_use = false;
    (void)pthread_mutex_unlock(&database->mutex);
    rocksdb_writebatch_destroy(partition->batch);
    mr_buf_deinit(&partition->scratch);
    free(partition);
}

/* A column family that is dropped and made again costs the same for one row and for a million, and
 * gives the disk space back. A kill between the two leaves none, which is as empty. */
static mr_status replace_family(mr_partition *partition, mr_error *err)
{
    mr_database *database = partition->database;
    mr_family *family = partition->family;
    char *failure = NULL;
    rocksdb_drop_column_family(database->rocks, family->handle, &failure);
    if (failure != NULL) {
        return failed(partition, "drop its rows", failure, err);
    }
    rocksdb_column_family_handle_t *handle = NULL;
    MR_TRY(mr_family_create(database, family->name, &handle, err));
    rocksdb_column_family_handle_destroy(family->handle);
    family->handle = handle;
    return MR_OK;
}

mr_status mr_partition_clear(mr_partition *partition, mr_error *err)
{
    mr_database *database = partition->database;
    assert(!database->read_only);
    (void)pthread_mutex_lock(&database->mutex);
    const mr_status status = replace_family(partition, err);
    (void)pthread_mutex_unlock(&database->mutex);
    return status;
}

mr_status mr_partition_flush(mr_partition *partition, mr_error *err)
{
    assert(!partition->database->read_only);
    return mr_family_flush(partition->database, partition->family, err);
}

/* ---- Rows ---- */

mr_status mr_partition_get(mr_partition *partition, uint8_t store, mr_bytes key, mr_buf *value,
                           mr_error *err)
{
    assert(store != MR_STORE_META && store <= MR_STORE_MAX);
    /* Any thread may read, so there is no shared scratch; keys are short as a rule. */
    uint8_t inlined[256];
    uint8_t *heap = key.len + 1 > sizeof(inlined) ? mr_alloc(key.len + 1) : NULL;
    uint8_t *row_key = heap == NULL ? inlined : heap;
    row_key[0] = store;
    if (key.len > 0) {
        memcpy(row_key + 1, key.data, key.len);
    }
    const mr_status status =
        mr_rocks_get(partition->database, partition->family, mr_bytes_of(row_key, key.len + 1),
                     value, "read a row", err);
    free(heap);
    return status;
}

mr_bytes mr_partition_row_key(mr_partition *partition, const mr_row *row)
{
    assert(row->store != MR_STORE_META && row->store <= MR_STORE_MAX);
    assert(!mr_bytes_is_null(row->key));
    mr_buf *key = &partition->scratch;
    mr_buf_clear(key);
    mr_buf_append_byte(key, row->store);
    mr_buf_append_bytes(key, row->key);
    return mr_buf_bytes(key);
}

static void add_row(mr_partition *partition, const mr_row *row)
{
    const mr_bytes key = mr_partition_row_key(partition, row);
    if (mr_bytes_is_null(row->value)) {
        rocksdb_writebatch_delete_cf(partition->batch, partition->family->handle,
                                     (const char *)key.data, key.len);
    } else {
        rocksdb_writebatch_put_cf(partition->batch, partition->family->handle,
                                  (const char *)key.data, key.len, (const char *)row->value.data,
                                  row->value.len);
    }
}

static void empty_batch(mr_partition *partition)
{
    size_t bytes = 0;
    (void)rocksdb_writebatch_data(partition->batch, &bytes);
    if (bytes <= BATCH_BYTES_KEPT) {
        rocksdb_writebatch_clear(partition->batch);
        return;
    }
    rocksdb_writebatch_destroy(partition->batch);
    partition->batch = rocksdb_writebatch_create();
}

mr_status mr_partition_write(mr_partition *partition, const mr_row *rows, size_t n_rows,
                             const mr_progress *progress, mr_error *err)
{
    mr_database *database = partition->database;
    assert(!database->read_only);
    for (size_t i = 0; i < n_rows; i++) {
        add_row(partition, &rows[i]);
    }
    mr_buf *value = &partition->scratch;
    mr_buf_clear(value);
    mr_progress_encode(progress, value);
    const mr_bytes key = mr_progress_key();
    rocksdb_writebatch_put_cf(partition->batch, partition->family->handle, (const char *)key.data,
                              key.len, (const char *)value->data, value->len);
    char *failure = NULL;
    rocksdb_write(database->rocks, database->tuning.write, partition->batch, &failure);
    empty_batch(partition);
    return failure == NULL ? MR_OK : failed(partition, "write rows", failure, err);
}

mr_status mr_partition_progress(mr_partition *partition, mr_progress *ret_progress, mr_error *err)
{
    mr_buf bytes = MR_BUF_NULL;
    mr_status status = mr_rocks_get(partition->database, partition->family, mr_progress_key(),
                                    &bytes, "read its progress", err);
    if (status == MR_NOT_FOUND) {
        *ret_progress = mr_progress_none();
        status = MR_OK;
    } else if (status == MR_OK) {
        status = mr_progress_decode(mr_buf_bytes(&bytes), ret_progress, err);
        if (status < 0) {
            (void)mr_error_prefix(err,
                                  "state directory '%s', %s: the progress record is damaged "
                                  "(`millrace restore` puts the directory aside and rebuilds the "
                                  "state from the changelogs)",
                                  partition->database->path, partition->family->name);
        }
    }
    mr_buf_deinit(&bytes);
    return status;
}
