#include "runtime/offline.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "core/alloc.h"
#include "runtime/stage_database.h"

enum { CACHE_BYTES = 8 * 1024 * 1024 };

static mr_status scan(mr_partition *partition, uint8_t store, int32_t number, mr_query *query,
                      mr_error *err)
{
    MR_CLEANUP(mr_cursor_closep) mr_cursor *cursor = NULL;
    MR_TRY(mr_cursor_open(partition, store, query->from, query->to, &cursor, err));
    for (size_t n = 0; n < query->limit; n++) {
        mr_bytes key;
        mr_bytes value;
        const mr_status status = mr_cursor_next(cursor, &key, &value, err);
        if (status != MR_OK) {
            return status == MR_END ? MR_OK : status;
        }
        mr_query_add(query, number, key, value);
    }
    return MR_OK;
}

static mr_status get(mr_partition *partition, uint8_t store, int32_t number, mr_query *query,
                     mr_error *err)
{
    mr_buf value = MR_BUF_NULL;
    const mr_status status = mr_partition_get(partition, store, query->key, &value, err);
    if (status == MR_OK) {
        mr_query_add(query, number, query->key, mr_buf_bytes(&value));
    }
    mr_buf_deinit(&value);
    return status == MR_NOT_FOUND ? MR_OK : status;
}

static mr_status answer_for(mr_database *database, const mr_stage *stage, int32_t number,
                            mr_query *query, mr_error *err)
{
    if (query->partition >= 0 && query->partition != number) {
        return MR_OK;
    }
    mr_partition *partition;
    MR_TRY(mr_partition_open(database, number, &partition, err));
    mr_progress progress;
    mr_status status = mr_partition_progress(partition, &progress, err);
    if (status == MR_OK) {
        mr_query_add_position(query, number, progress.input_offset, false);
        const uint8_t store = stage->stores[query->store].number;
        status = mr_bytes_is_null(query->key) ? scan(partition, store, number, query, err)
                                              : get(partition, store, number, query, err);
    }
    mr_partition_close(partition);
    return status;
}

mr_status mr_offline_open(const char *state_directory, const mr_stage *stage, const mr_log *log,
                          mr_database **ret_database, mr_error *err)
{
    const mr_database_options options = {
        .directory = state_directory,
        .read_only = true,
        .cache_bytes = CACHE_BYTES,
        .memtable_bytes = CACHE_BYTES,
    };
    return mr_stage_database_open(stage, &options, log, ret_database, err);
}

mr_status mr_offline_query(const char *state_directory, const mr_stage *stage, const mr_log *log,
                           mr_query *query, mr_error *err)
{
    struct stat found;
    if (stat(state_directory, &found) != 0) {
        return MR_NOT_FOUND;
    }
    mr_database *database;
    MR_TRY(mr_offline_open(state_directory, stage, log, &database, err));
    int32_t *numbers = NULL;
    size_t n_numbers = 0;
    mr_status status = mr_database_partitions(database, &numbers, &n_numbers, err);
    for (size_t i = 0; status == MR_OK && i < n_numbers; i++) {
        status = answer_for(database, stage, numbers[i], query, err);
    }
    free(numbers);
    mr_database_free(database);
    return status;
}
