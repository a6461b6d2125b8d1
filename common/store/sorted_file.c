/*
 * Many rows at once: a sorted table file is written beside the tables and handed to RocksDB, so
 * that nothing goes through a memtable. The progress is in the same file, hence of the same moment.
 */
#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "store/partition.h"
#include "store/progress.h"

MR_DEFINE_CLEANUP(char, free)

static char *path_of(const mr_partition *partition)
{
    return mr_asprintf("%s/new-%s", partition->database->path, partition->family->name);
}

void mr_sorted_file_forget(const mr_partition *partition)
{
    if (partition->database->tuning.env != NULL || partition->database->read_only) {
        return;
    }
    MR_CLEANUP(freep) char *path = path_of(partition);
    (void)unlink(path); /* As a rule there is none. */
}

/* Rows in the order of their keys lie in the order of their changes. */
static void expect(const mr_row *row)
{
    __builtin_prefetch(row->key.data);
    __builtin_prefetch(row->value.data);
}

static char *put_rows(mr_partition *partition, rocksdb_sstfilewriter_t *writer, const mr_row *rows,
                      size_t n_rows)
{
    enum { AHEAD = 8 };
    char *failure = NULL;
    for (size_t i = 0; i < n_rows && failure == NULL; i++) {
        if (i + AHEAD < n_rows) {
            expect(&rows[i + AHEAD]);
        }
        const mr_bytes key = mr_partition_row_key(partition, &rows[i]);
        if (mr_bytes_is_null(rows[i].value)) {
            rocksdb_sstfilewriter_delete(writer, (const char *)key.data, key.len, &failure);
        } else {
            rocksdb_sstfilewriter_put(writer, (const char *)key.data, key.len,
                                      (const char *)rows[i].value.data, rows[i].value.len,
                                      &failure);
        }
    }
    return failure;
}

static char *fill(mr_partition *partition, rocksdb_sstfilewriter_t *writer, const mr_row *rows,
                  size_t n_rows, const mr_progress *progress)
{
    mr_buf *value = &partition->scratch;
    mr_buf_clear(value);
    mr_progress_encode(progress, value);
    const mr_bytes key = mr_progress_key(); /* before every row */
    char *failure = NULL;
    rocksdb_sstfilewriter_put(writer, (const char *)key.data, key.len, (const char *)value->data,
                              value->len, &failure);
    return failure == NULL ? put_rows(partition, writer, rows, n_rows) : failure;
}

static char *write_file(mr_partition *partition, const char *path, const mr_row *rows,
                        size_t n_rows, const mr_progress *progress)
{
    rocksdb_envoptions_t *environment = rocksdb_envoptions_create();
    rocksdb_sstfilewriter_t *writer =
        rocksdb_sstfilewriter_create(environment, partition->database->tuning.options);
    char *failure = NULL;
    rocksdb_sstfilewriter_open(writer, path, &failure);
    if (failure == NULL) {
        failure = fill(partition, writer, rows, n_rows, progress);
    }
    if (failure == NULL) {
        rocksdb_sstfilewriter_finish(writer, &failure);
    }
    rocksdb_sstfilewriter_destroy(writer);
    rocksdb_envoptions_destroy(environment);
    return failure;
}

static char *hand_over(mr_partition *partition, const char *path)
{
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    char *failure = NULL;
    rocksdb_ingest_external_file_cf(partition->database->rocks, partition->family->handle, &path, 1,
                                    options, &failure);
    rocksdb_ingestexternalfileoptions_destroy(options);
    return failure;
}

mr_status mr_partition_write_sorted(mr_partition *partition, const mr_row *rows, size_t n_rows,
                                    const mr_progress *progress, mr_error *err)
{
    assert(!partition->database->read_only);
    MR_CLEANUP(freep) char *path = path_of(partition);
    const char *step = "write a table of rows";
    char *failure = write_file(partition, path, rows, n_rows, progress);
    if (failure == NULL) {
        step = "take in a table of rows";
        failure = hand_over(partition, path);
    }
    if (failure == NULL) {
        return MR_OK;
    }
    mr_sorted_file_forget(partition);
    return mr_rocks_failure(err, partition->database->path, partition->family->name, step, failure);
}
