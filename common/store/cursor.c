#include "store/partition.h"

#include <stdlib.h>

#include "core/alloc.h"

struct mr_cursor {
    const mr_partition *partition;
    rocksdb_readoptions_t *options;
    rocksdb_iterator_t *iterator;
    mr_buf end; /* borrowed by the options */
    bool started;
};

mr_status mr_cursor_open(mr_partition *partition, uint8_t store, mr_bytes from, mr_bytes to,
                         mr_cursor **ret_cursor, mr_error *err)
{
    (void)err; /* RocksDB reports at the first step. */
    assert(store != MR_STORE_META && store <= MR_STORE_MAX);
    const mr_database *database = partition->database;
    mr_cursor *cursor = mr_alloc(sizeof(*cursor));
    *cursor = (mr_cursor){.partition = partition, .options = rocksdb_readoptions_create()};
    mr_buf_append_byte(&cursor->end, mr_bytes_is_null(to) ? (uint8_t)(store + 1) : store);
    mr_buf_append_bytes(&cursor->end, to);
    rocksdb_readoptions_set_iterate_upper_bound(cursor->options, (const char *)cursor->end.data,
                                                cursor->end.len);
    cursor->iterator =
        rocksdb_create_iterator_cf(database->rocks, cursor->options, partition->family->handle);
    mr_buf begin = MR_BUF_NULL;
    mr_buf_append_byte(&begin, store);
    mr_buf_append_bytes(&begin, from);
    rocksdb_iter_seek(cursor->iterator, (const char *)begin.data, begin.len);
    mr_buf_deinit(&begin);
    *ret_cursor = cursor;
    return MR_OK;
}

mr_status mr_cursor_next(mr_cursor *cursor, mr_bytes *ret_key, mr_bytes *ret_value, mr_error *err)
{
    if (cursor->started && rocksdb_iter_valid(cursor->iterator)) {
        rocksdb_iter_next(cursor->iterator);
    }
    cursor->started = true;
    if (!rocksdb_iter_valid(cursor->iterator)) {
        char *failure = NULL;
        rocksdb_iter_get_error(cursor->iterator, &failure);
        const mr_partition *partition = cursor->partition;
        return failure == NULL ? MR_END
                               : mr_rocks_failure(err, partition->database->path,
                                                  partition->family->name, "scan rows", failure);
    }
    size_t key_len = 0;
    const char *key = rocksdb_iter_key(cursor->iterator, &key_len);
    size_t value_len = 0;
    const char *value = rocksdb_iter_value(cursor->iterator, &value_len);
    *ret_key = mr_bytes_of(key + 1, key_len - 1);
    *ret_value = mr_bytes_of(value, value_len);
    return MR_OK;
}

void mr_cursor_close(mr_cursor *cursor)
{
    if (cursor == NULL) {
        return;
    }
    rocksdb_iter_destroy(cursor->iterator);
    rocksdb_readoptions_destroy(cursor->options);
    mr_buf_deinit(&cursor->end);
    free(cursor);
}
