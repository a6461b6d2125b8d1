#include "store/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"
#include "store/identity.h"
#include "store/rocks.h"

static const char default_family[] = "default";
static const char task_prefix[] = "task-";

/* ---- Column families ---- */

void mr_family_name(int32_t number, char ret_name[MR_FAMILY_NAME_SIZE])
{
    assert(number >= 0);
    (void)snprintf(ret_name, MR_FAMILY_NAME_SIZE, "%s%" PRId32, task_prefix, number);
}

mr_status mr_family_number(const char *name, int32_t *ret_number)
{
    int64_t number = -1;
    if (strncmp(name, task_prefix, sizeof(task_prefix) - 1) != 0 ||
        mr_parse_int64(name + sizeof(task_prefix) - 1, &number) != MR_OK || number < 0 ||
        number > INT32_MAX) {
        return MR_NOT_FOUND;
    }
    char canonical[MR_FAMILY_NAME_SIZE];
    mr_family_name((int32_t)number, canonical);
    if (strcmp(name, canonical) != 0) {
        return MR_NOT_FOUND;
    }
    *ret_number = (int32_t)number;
    return MR_OK;
}

mr_family *mr_family_add(mr_database *database, const char *name,
                         rocksdb_column_family_handle_t *handle)
{
    mr_family *family = mr_alloc(sizeof(*family));
    *family = (mr_family){.name = mr_strdup(name), .number = -1, .handle = handle};
    /* Any other name is kept open and left alone. */
    (void)(mr_family_number(name, &family->number) == MR_OK);
    MR_GROW(database->families, database->families_capacity, database->n_families + 1);
    database->families[database->n_families++] = family;
    return family;
}

mr_status mr_family_create(mr_database *database, const char *name,
                           rocksdb_column_family_handle_t **ret_handle, mr_error *err)
{
    char *failure = NULL;
    rocksdb_column_family_handle_t *handle =
        rocksdb_create_column_family(database->rocks, database->tuning.options, name, &failure);
    if (failure != NULL) {
        /* There is a handle also after a failure, mostly of nothing. */
        rocksdb_column_family_handle_destroy(handle);
        return mr_rocks_failure(err, database->path, name, "make the column family", failure);
    }
    *ret_handle = handle;
    return MR_OK;
}

mr_status mr_database_partitions(mr_database *database, int32_t **ret_partitions, size_t *ret_n,
                                 mr_error *err)
{
    (void)err;
    (void)pthread_mutex_lock(&database->mutex);
    int32_t *numbers = mr_alloc(database->n_families * sizeof(*numbers));
    size_t n = 0;
    for (size_t i = 0; i < database->n_families; i++) {
        const int32_t number = database->families[i]->number;
        size_t at = n;
        if (number < 0) {
            continue;
        }
        for (; at > 0 && numbers[at - 1] > number; at--) {
            numbers[at] = numbers[at - 1];
        }
        numbers[at] = number;
        n++;
    }
    (void)pthread_mutex_unlock(&database->mutex);
    *ret_partitions = numbers;
    *ret_n = n;
    return MR_OK;
}

static uint64_t property(mr_database *database, const mr_family *family, const char *name)
{
    uint64_t value = 0;
    const int status = rocksdb_property_int_cf(database->rocks, family->handle, name, &value);
    return status == 0 ? value : 0;
}

/* RocksDB 7.8 may report a flush as done that has only begun, seen just after it recovered from a
 * full disk; no other thread writes here, so anything that is left shows that. */
mr_status mr_family_flush(mr_database *database, const mr_family *family, mr_error *err)
{
    enum { TRIES = 16 };
    for (int i = 0; i < TRIES; i++) {
        char *failure = NULL;
        rocksdb_flush_cf(database->rocks, database->tuning.flush, family->handle, &failure);
        if (failure != NULL) {
            return mr_rocks_failure(err, database->path, family->name, "flush", failure);
        }
        if (property(database, family, "rocksdb.num-immutable-mem-table") == 0) {
            return MR_OK;
        }
    }
    (void)mr_error_set(err, MR_ERR_STORE,
                       "state directory '%s', %s: flushing does not come to an end", database->path,
                       family->name);
    err->action = MR_ACT_RETRY;
    return err->status;
}

/* ---- Opening ---- */

typedef struct names {
    char **names;
    size_t n;
} names;

static char *open_families(mr_database *database, const names *found,
                           rocksdb_column_family_handle_t **handles)
{
    const rocksdb_options_t *options = database->tuning.options;
    const rocksdb_options_t **each = mr_alloc(found->n * sizeof(const rocksdb_options_t *));
    for (size_t i = 0; i < found->n; i++) {
        each[i] = options;
    }
    const char *const *texts = (const char *const *)found->names;
    char *failure = NULL;
    if (database->read_only) {
        database->rocks = rocksdb_open_for_read_only_column_families(
            options, database->path, (int)found->n, texts, each, handles, 0, &failure);
    } else {
        database->rocks = rocksdb_open_column_families(options, database->path, (int)found->n,
                                                       texts, each, handles, &failure);
    }
    free(each);
    return failure;
}

/* The best compression that this build of RocksDB has; it says so only when it is opened. */
static char *open_compressed(mr_database *database, const names *found)
{
    static const int compressions[] = {rocksdb_lz4_compression, rocksdb_snappy_compression,
                                       rocksdb_no_compression};
    rocksdb_column_family_handle_t **handles =
        mr_alloc_zero(found->n, sizeof(rocksdb_column_family_handle_t *));
    char *failure = NULL;
    for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
        rocksdb_options_set_compression(database->tuning.options, compressions[i]);
        rocksdb_free(failure);
        failure = open_families(database, found, handles);
        if (failure == NULL || strstr(failure, "is not linked with the binary") == NULL) {
            break;
        }
    }
    for (size_t i = 0; failure == NULL && i < found->n; i++) {
        (void)mr_family_add(database, found->names[i], handles[i]);
    }
    free(handles);
    return failure;
}

/* Lists the column families and opens them all; a new database has only the default one. */
static char *open_listed(mr_database *database)
{
    char *only[] = {(char *)(uintptr_t)default_family};
    names found = {only, 1};
    if (!database->directory.has_database) {
        return open_compressed(database, &found);
    }
    char *failure = NULL;
    found.names =
        rocksdb_list_column_families(database->tuning.options, database->path, &found.n, &failure);
    if (failure == NULL) {
        failure = open_compressed(database, &found);
    }
    /* There is an empty list also after a failure. */
    rocksdb_list_column_families_destroy(found.names, found.n);
    return failure;
}

static mr_status open_rocks(mr_database *database, mr_error *err)
{
    /* While a reader opens, the owner may replace the files that were just listed: then again. An
     * opening takes milliseconds and an owner flushes every few seconds; the limit is for an owner
     * that compacts without a pause. */
    enum { READ_ONLY_TRIES = 100 };
    char *failure = open_listed(database);
    for (int i = 1; failure != NULL && database->read_only && i < READ_ONLY_TRIES; i++) {
        rocksdb_free(failure);
        failure = open_listed(database);
    }
    if (failure == NULL) {
        return MR_OK;
    }
    /* Only a tool that is not millrace takes RocksDB's own lock without ours. */
    if (strstr(failure, "/LOCK: ") != NULL &&
        (strstr(failure, "Resource temporarily unavailable") != NULL ||
         strstr(failure, "lock hold by current process") != NULL)) {
        rocksdb_free(failure);
        return mr_directory_in_use_error(database->path, err);
    }
    if (database->read_only && mr_directory_in_use(database->path)) {
        (void)mr_error_set(err, MR_ERR_STORE,
                           "state directory '%s' is being changed by the process that owns it; try "
                           "again (%s)",
                           database->path, failure);
        err->action = MR_ACT_RETRY;
        rocksdb_free(failure);
        return err->status;
    }
    return mr_rocks_failure(err, database->path, NULL, "open it", failure);
}

static mr_status open_database(mr_database *database, const mr_database_options *options,
                               mr_error *err)
{
    if (!options->in_memory) {
        MR_TRY(
            mr_directory_open(options->directory, options->read_only, &database->directory, err));
    }
    if (options->read_only && !database->directory.has_database) {
        return mr_error_set(err, MR_ERR_USAGE, "state directory '%s' holds no state yet",
                            database->path);
    }
    MR_TRY(open_rocks(database, err));
    assert(strcmp(database->families[0]->name, default_family) == 0);
    MR_TRY(mr_identity_check(database, options, err));
    mr_log_info(&database->log, "state directory opened path='%s' mode=%s tasks=%zu",
                database->path,
                options->in_memory   ? "memory"
                : options->read_only ? "read-only"
                                     : "read-write",
                database->n_families - 1);
    return MR_OK;
}

mr_status mr_database_open(const mr_database_options *options, const mr_log *log,
                           mr_database **ret_database, mr_error *err)
{
    assert(!(options->in_memory && options->read_only));
    mr_database_options wanted = *options;
    if (wanted.in_memory) {
        wanted.directory = "/memory";
    }
    mr_database *database = mr_alloc(sizeof(*database));
    *database = (mr_database){
        .path = mr_strdup(wanted.directory),
        .read_only = wanted.read_only,
        .log = mr_log_for(log, "store"),
        .directory = MR_DIRECTORY_NULL,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
    };
    mr_status status = mr_tuning_init(&database->tuning, &wanted, err);
    if (status == MR_OK) {
        status = open_database(database, &wanted, err);
    }
    if (status < 0) {
        mr_database_free(database);
        return status;
    }
    *ret_database = database;
    return MR_OK;
}

/* ---- Closing ---- */

void mr_database_free(mr_database *database)
{
    if (database == NULL) {
        return;
    }
    for (size_t i = 0; i < database->n_families; i++) {
        mr_family *family = database->families[i];
        assert(!family->in_use);
        rocksdb_column_family_handle_destroy(family->handle);
        free(family->name);
        free(family);
    }
    if (database->rocks != NULL) {
        rocksdb_close(database->rocks);
    }
    mr_tuning_deinit(&database->tuning);
    mr_directory_close(&database->directory);
    (void)pthread_mutex_destroy(&database->mutex);
    free(database->families);
    free(database->path);
    free(database);
}

mr_status mr_database_close(mr_database *database, mr_error *err)
{
    mr_status status = MR_OK;
    /* The first family is the default one, which was flushed when it was written. */
    for (size_t i = 1; i < database->n_families && !database->read_only; i++) {
        mr_error ignored;
        const mr_status flushed =
            mr_family_flush(database, database->families[i], status == MR_OK ? err : &ignored);
        status = status == MR_OK ? flushed : status;
    }
    mr_database_free(database);
    return status;
}

/* ---- Reading ---- */

mr_status mr_rocks_get(mr_database *database, const mr_family *family, mr_bytes key, mr_buf *value,
                       const char *step, mr_error *err)
{
    char *failure = NULL;
    rocksdb_pinnableslice_t *slice =
        rocksdb_get_pinned_cf(database->rocks, database->tuning.read, family->handle,
                              (const char *)key.data, key.len, &failure);
    if (failure != NULL) {
        return mr_rocks_failure(err, database->path, family->name, step, failure);
    }
    if (slice == NULL) {
        return MR_NOT_FOUND;
    }
    size_t len = 0;
    const char *data = rocksdb_pinnableslice_value(slice, &len);
    mr_buf_clear(value);
    mr_buf_append(value, data, len);
    rocksdb_pinnableslice_destroy(slice);
    return MR_OK;
}

void mr_database_usage_read(mr_database *database, mr_database_usage *ret_usage)
{
    mr_database_usage usage = {.cache_bytes = rocksdb_cache_get_usage(database->tuning.cache)};
    (void)pthread_mutex_lock(&database->mutex);
    for (size_t i = 0; i < database->n_families; i++) {
        const mr_family *family = database->families[i];
        usage.memtable_bytes += property(database, family, "rocksdb.cur-size-all-mem-tables");
        usage.table_reader_bytes +=
            property(database, family, "rocksdb.estimate-table-readers-mem");
        usage.disk_bytes += property(database, family, "rocksdb.total-sst-files-size");
    }
    (void)pthread_mutex_unlock(&database->mutex);
    *ret_usage = usage;
}
