/*
 * What the files of this layer share about RocksDB; nothing outside common/store includes it.
 *
 * tuning: every RocksDB option in one place. failure: RocksDB's texts to an mr_error.
 */
#pragma once

#include <pthread.h>

#include <rocksdb/c.h>

#include "store/database.h"
#include "store/directory.h"

/* The store byte of the rows that are about the column family itself: format, progress. */
enum { MR_STORE_META = 0, MR_STORE_MAX = 250 };

typedef struct mr_tuning {
    rocksdb_options_t *options;
    rocksdb_cache_t *cache;
    rocksdb_env_t *env; /* NULL: the machine's files */
    rocksdb_writeoptions_t *write;
    rocksdb_readoptions_t *read;
    rocksdb_flushoptions_t *flush;
} mr_tuning;

mr_status mr_tuning_init(mr_tuning *tuning, const mr_database_options *options,
                         mr_error *err) MR_MUST_USE;
void mr_tuning_deinit(mr_tuning *tuning); /* after the database is closed */

/* A column family that exists; kept open as long as the database, because RocksDB cannot open a
 * database without all of them. */
typedef struct mr_family {
    char *name;
    int32_t number; /* -1: none of a task */
    bool in_use;    /* a partition has it */
    rocksdb_column_family_handle_t *handle;
} mr_family;

struct mr_database {
    char *path;
    bool read_only;
    mr_log log;
    mr_directory directory;
    mr_tuning tuning;
    rocksdb_t *rocks;
    pthread_mutex_t mutex; /* families */
    mr_family **families;  /* in the order of their making; the first is "default" */
    size_t n_families;
    size_t families_capacity;
};

/* "task-<number>" <-> number; MR_NOT_FOUND for any other name. */
enum { MR_FAMILY_NAME_SIZE = 32 };
void mr_family_name(int32_t number, char ret_name[MR_FAMILY_NAME_SIZE]);
mr_status mr_family_number(const char *name, int32_t *ret_number) MR_MUST_USE;

/* Creates the column family `name` in RocksDB. */
mr_status mr_family_create(mr_database *database, const char *name,
                           rocksdb_column_family_handle_t **ret_handle, mr_error *err) MR_MUST_USE;
/* Appends to the families and takes the handle; the mutex is held, or no other thread is there. */
mr_family *mr_family_add(mr_database *database, const char *name,
                         rocksdb_column_family_handle_t *handle);

/* Returns when every row of the column family is in a table. */
mr_status mr_family_flush(mr_database *database, const mr_family *family,
                          mr_error *err) MR_MUST_USE;

/*
 * An mr_error about one step on one column family (NULL: the database) from RocksDB's own text,
 * which is freed. The C API gives no code, so the text decides what to do and which action it is.
 */
mr_status mr_rocks_failure(mr_error *err, const char *path, const char *family, const char *step,
                           char *rocks_text);

/* Value of one key into `value`; MR_NOT_FOUND when absent. `step` is for the error: "read a row".
 */
mr_status mr_rocks_get(mr_database *database, const mr_family *family, mr_bytes key, mr_buf *value,
                       const char *step, mr_error *err) MR_MUST_USE;
