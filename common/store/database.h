/*
 * The process's one RocksDB: a column family a task, one block cache, one write-buffer budget.
 *
 * WAL off: the changelog is the log. A column family's flush is atomic, so the rows of a task and
 * its progress (mr_progress, written in the same batch) are always of one moment; what was not
 * flushed is replayed from the changelog. Keys of several stores share a column family: the first
 * byte is the store's number (1..250); 00 is progress and format.
 *
 * Thread: any (RocksDB locks); one column family is written by one thread at a time.
 */
#pragma once

#include <mr/bytes.h>
#include <mr/log.h>

typedef struct mr_database mr_database;
typedef struct mr_partition mr_partition; /* the column family of one task */

typedef struct mr_database_options {
    const char *directory; /* made when missing */
    const char *identity;  /* "<app>/<stage>": a directory of another stage is refused */
    const char *stores; /* "carts,parked", by their numbers from 1 on: one of others is refused */
    bool read_only;     /* no lock, sees what was flushed; for offline reads */
    size_t cache_bytes; /* block cache, index and filter blocks included */
    size_t memtable_bytes; /* of all column families together */
    bool in_memory;        /* RocksDB's in-memory environment: tests and `millrace test` */
} mr_database_options;

/* In use by another process, another identity, other stores, another format version, no permission:
 * MR_ERR_USAGE, each with its own sentence that names the directory and what to do. Stores that
 * come after those of the directory are new ones, without rows. */
mr_status mr_database_open(const mr_database_options *options, const mr_log *log,
                           mr_database **ret_database, mr_error *err) MR_MUST_USE;
/* Flushes every column family, then closes, also when flushing failed. Partitions must be closed
 * before. */
mr_status mr_database_close(mr_database *database, mr_error *err) MR_MUST_USE;
void mr_database_free(mr_database *database); /* without flushing */
MR_DEFINE_CLEANUP(mr_database, mr_database_free)

/* Bytes used, for metrics and the budget. */
typedef struct mr_database_usage {
    uint64_t memtable_bytes;
    uint64_t cache_bytes;
    uint64_t table_reader_bytes;
    uint64_t disk_bytes;
} mr_database_usage;
void mr_database_usage_read(mr_database *database, mr_database_usage *ret_usage);

/* Makes `directory`, which must not exist, a database that can be opened: what was written by now,
 * each task as of one moment. Tables are linked, or copied to another file system. Writers go on
 * meanwhile. */
mr_status mr_database_checkpoint(mr_database *database, const char *directory,
                                 mr_error *err) MR_MUST_USE;

/* ---- One task's column family ---- */

enum { MR_STORES_MAX = 16 };

/* How far the rows are: for each store the changelog offset that comes next (-1 unknown: read from
 * the beginning), and the input offset up to which inputs are in the rows. */
typedef struct mr_progress {
    int64_t input_offset; /* next to read; -1: none */
    int64_t commit;       /* number of the commit (at_least_once markers); 0: none */
    int64_t changelog_offset[MR_STORES_MAX];
    size_t n_stores;
} mr_progress;

/* Task numbers found on disk, ascending; free() the array. */
mr_status mr_database_partitions(mr_database *database, int32_t **ret_partitions, size_t *ret_n,
                                 mr_error *err) MR_MUST_USE;
mr_status mr_partition_open(mr_database *database, int32_t number, mr_partition **ret_partition,
                            mr_error *err) MR_MUST_USE;
void mr_partition_close(
    mr_partition *partition); /* flush first when the rows should be kept warm */
/* Drops every row and the progress: only after it was decided, loudly, that they are useless. No
 * other thread reads it meanwhile, and no cursor is open. */
mr_status mr_partition_clear(mr_partition *partition, mr_error *err) MR_MUST_USE;
mr_status mr_partition_flush(mr_partition *partition, mr_error *err) MR_MUST_USE;

/* Progress with input_offset -1 and all changelog offsets -1 when there is none. */
mr_status mr_partition_progress(mr_partition *partition, mr_progress *ret_progress,
                                mr_error *err) MR_MUST_USE;

/* MR_NOT_FOUND when absent, then `value` is as before. The value replaces the content of `value`.
 * Thread: any, as cursors. */
mr_status mr_partition_get(mr_partition *partition, uint8_t store, mr_bytes key, mr_buf *value,
                           mr_error *err) MR_MUST_USE;

/* One write: rows in any order (ascending is faster), null value = delete, then the progress. */
typedef struct mr_row {
    uint8_t store;
    mr_bytes key;
    mr_bytes value;
} mr_row;
mr_status mr_partition_write(mr_partition *partition, const mr_row *rows, size_t n_rows,
                             const mr_progress *progress, mr_error *err) MR_MUST_USE;

/* From so many rows on, a table of their own is cheaper than the memtable. */
enum { MR_ROWS_OF_A_TABLE = 5000 };
/* As mr_partition_write, for many rows: they go to disk at once, past the memtables. Rows ascend by
 * store and key, and no key comes twice. */
mr_status mr_partition_write_sorted(mr_partition *partition, const mr_row *rows, size_t n_rows,
                                    const mr_progress *progress, mr_error *err) MR_MUST_USE;

/* Ascending over keys of one store in [from, to), to null = the store's end; as of the moment of
 * opening. Keeps replaced tables and memtables alive: close it soon. */
typedef struct mr_cursor mr_cursor;
mr_status mr_cursor_open(mr_partition *partition, uint8_t store, mr_bytes from, mr_bytes to,
                         mr_cursor **ret_cursor, mr_error *err) MR_MUST_USE;
/* MR_END after the last; key and value are valid until the next call. */
mr_status mr_cursor_next(mr_cursor *cursor, mr_bytes *ret_key, mr_bytes *ret_value,
                         mr_error *err) MR_MUST_USE;
void mr_cursor_close(mr_cursor *cursor);
MR_DEFINE_CLEANUP(mr_cursor, mr_cursor_close)
