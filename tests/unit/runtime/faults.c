#include "faults.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <rocksdb/c.h>

static atomic_int kind_now;
static atomic_long fail_at;
static atomic_long count;

void fault_set(fault_kind kind, long n)
{
    atomic_store(&kind_now, (int)kind);
    atomic_store(&fail_at, n);
    atomic_store(&count, 0);
}

long fault_count(void)
{
    return atomic_load(&count);
}

typedef enum verdict {
    WORKS,
    FAILS,
    FAILS_LATE,
} verdict;

static bool is_hit(void)
{
    return atomic_fetch_add(&count, 1) + 1 == atomic_load(&fail_at);
}

static verdict judge(void)
{
    const int kind = atomic_load(&kind_now);
    if ((kind != FAULT_CALL && kind != FAULT_LATE_CALL) || !is_hit()) {
        return WORKS;
    }
    return kind == FAULT_CALL ? FAILS : FAILS_LATE;
}

bool fault_send(void)
{
    return judge() != WORKS;
}

static void tell(char **failure)
{
    if (*failure == NULL) {
        *failure = strdup(FAULT_TEXT);
    }
}

/* A function of RocksDB without a result, whose last parameter takes the text of a failure. */
#define WRAP(name, parameters, arguments)                                                          \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        const verdict judged = judge();                                                            \
        if (judged != FAILS) {                                                                     \
            __real_##name arguments;                                                               \
        }                                                                                          \
        if (judged != WORKS) {                                                                     \
            tell(failure);                                                                         \
        }                                                                                          \
    }

WRAP(rocksdb_write,
     (rocksdb_t * db, const rocksdb_writeoptions_t *options, rocksdb_writebatch_t *batch,
      char **failure),
     (db, options, batch, failure))
WRAP(rocksdb_put_cf,
     (rocksdb_t * db, const rocksdb_writeoptions_t *options, rocksdb_column_family_handle_t *family,
      const char *key, size_t key_len, const char *value, size_t value_len, char **failure),
     (db, options, family, key, key_len, value, value_len, failure))
WRAP(rocksdb_flush_cf,
     (rocksdb_t * db, const rocksdb_flushoptions_t *options, rocksdb_column_family_handle_t *family,
      char **failure),
     (db, options, family, failure))
WRAP(rocksdb_sstfilewriter_open,
     (rocksdb_sstfilewriter_t * writer, const char *name, char **failure), (writer, name, failure))
WRAP(rocksdb_sstfilewriter_put,
     (rocksdb_sstfilewriter_t * writer, const char *key, size_t key_len, const char *value,
      size_t value_len, char **failure),
     (writer, key, key_len, value, value_len, failure))
WRAP(rocksdb_sstfilewriter_delete,
     (rocksdb_sstfilewriter_t * writer, const char *key, size_t key_len, char **failure),
     (writer, key, key_len, failure))
WRAP(rocksdb_sstfilewriter_finish, (rocksdb_sstfilewriter_t * writer, char **failure),
     (writer, failure))
WRAP(rocksdb_ingest_external_file_cf,
     (rocksdb_t * db, rocksdb_column_family_handle_t *family, const char *const *files, size_t n,
      const rocksdb_ingestexternalfileoptions_t *options, char **failure),
     (db, family, files, n, options, failure))
WRAP(rocksdb_iter_get_error, (const rocksdb_iterator_t *iterator, char **failure),
     (iterator, failure))
WRAP(rocksdb_checkpoint_create,
     (rocksdb_checkpoint_t * checkpoint, const char *directory, uint64_t log_size, char **failure),
     (checkpoint, directory, log_size, failure))

rocksdb_pinnableslice_t *__real_rocksdb_get_pinned_cf(rocksdb_t *db,
                                                      const rocksdb_readoptions_t *options,
                                                      rocksdb_column_family_handle_t *family,
                                                      const char *key, size_t key_len,
                                                      char **failure);
rocksdb_pinnableslice_t *__wrap_rocksdb_get_pinned_cf(rocksdb_t *db,
                                                      const rocksdb_readoptions_t *options,
                                                      rocksdb_column_family_handle_t *family,
                                                      const char *key, size_t key_len,
                                                      char **failure);
rocksdb_pinnableslice_t *__wrap_rocksdb_get_pinned_cf(rocksdb_t *db,
                                                      const rocksdb_readoptions_t *options,
                                                      rocksdb_column_family_handle_t *family,
                                                      const char *key, size_t key_len,
                                                      char **failure)
{
    if (judge() != WORKS) {
        tell(failure);
        return NULL;
    }
    return __real_rocksdb_get_pinned_cf(db, options, family, key, key_len, failure);
}

/* ---- Allocations ---- */

static bool is_out_of_memory(void)
{
    return atomic_load(&kind_now) == FAULT_ALLOCATION && is_hit();
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return is_out_of_memory() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return is_out_of_memory() ? NULL : __real_calloc(n, size);
}

void *__real_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size)
{
    return is_out_of_memory() ? NULL : __real_realloc(pointer, size);
}
