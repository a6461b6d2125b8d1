#include "store/identity.h"

#include <stdlib.h>

#include "core/text.h"

enum { FORMAT = 1 };

static const char magic[] = "millrace-state ";

static mr_bytes identity_key(void)
{
    static const uint8_t key[] = {MR_STORE_META, 'f'};
    return mr_bytes_of(key, sizeof(key));
}

static mr_status check_format(const mr_database *database, const char *number, mr_error *err)
{
    int64_t format = 0;
    if (mr_parse_int64(number, &format) != MR_OK || format < 0) {
        return mr_error_set(err, MR_ERR_STORE,
                            "state directory '%s' is damaged: '%s' is no format number; `millrace "
                            "restore` puts the directory aside and rebuilds the state",
                            database->path, number);
    }
    if (format > FORMAT) {
        return mr_error_set(
            err, MR_ERR_USAGE,
            "state directory '%s' has format %lld, this millrace reads up to %d; use "
            "the newer millrace that wrote it, or `millrace restore`: it puts the directory "
            "aside and rebuilds the state from the changelogs",
            database->path, (long long)format, FORMAT);
    }
    if (format < FORMAT) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "state directory '%s' has format %lld, which this millrace no longer "
                            "reads; `millrace restore` puts the directory aside and rebuilds the "
                            "state from the changelogs",
                            database->path, (long long)format);
    }
    return MR_OK;
}

/* Cuts the record's text in place. */
static mr_status check_record(const mr_database *database, mr_buf *record, const char *identity,
                              mr_error *err)
{
    char *text = (char *)record->data;
    char *number = text + sizeof(magic) - 1;
    char *space = record->len < sizeof(magic) ? NULL : strchr(number, ' ');
    if (space == NULL || strlen(text) != record->len ||
        strncmp(text, magic, sizeof(magic) - 1) != 0) {
        return mr_error_set(err, MR_ERR_STORE,
                            "state directory '%s' is damaged: the record of its owner is garbage; "
                            "`millrace restore` puts the directory aside and rebuilds the state",
                            database->path);
    }
    *space = '\0';
    MR_TRY(check_format(database, number, err));
    if (strcmp(space + 1, identity) != 0) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "state directory '%s' belongs to '%s', not to '%s'; set another "
                            "state.dir for one of them",
                            database->path, space + 1, identity);
    }
    return MR_OK;
}

static mr_status write_record(mr_database *database, const char *identity, mr_error *err)
{
    mr_buf record = MR_BUF_NULL;
    mr_buf_printf(&record, "%s%d %s", magic, FORMAT, identity);
    const mr_bytes key = identity_key();
    const mr_family *family = database->families[0];
    char *failure = NULL;
    rocksdb_put_cf(database->rocks, database->tuning.write, family->handle, (const char *)key.data,
                   key.len, (const char *)record.data, record.len, &failure);
    mr_buf_deinit(&record);
    if (failure != NULL) {
        return mr_rocks_failure(err, database->path, family->name, "write the record of its owner",
                                failure);
    }
    return mr_family_flush(database, family, err);
}

/* Nothing but the default column family, and that empty: RocksDB's making of it was just over. */
static bool is_new(const mr_database *database)
{
    if (database->n_families > 1) {
        return false;
    }
    rocksdb_iterator_t *iterator = rocksdb_create_iterator_cf(
        database->rocks, database->tuning.read, database->families[0]->handle);
    rocksdb_iter_seek_to_first(iterator);
    const bool empty = !rocksdb_iter_valid(iterator);
    rocksdb_iter_destroy(iterator);
    return empty;
}

mr_status mr_identity_check(mr_database *database, const char *identity, mr_error *err)
{
    mr_buf record = MR_BUF_NULL;
    mr_status status = mr_rocks_get(database, database->families[0], identity_key(), &record,
                                    "read the record of its owner", err);
    if (status == MR_OK) {
        status = check_record(database, &record, identity, err);
    } else if (status == MR_NOT_FOUND && !is_new(database)) {
        status = mr_error_set(err, MR_ERR_USAGE,
                              "directory '%s' holds a RocksDB database that millrace did not make; "
                              "set another state.dir",
                              database->path);
    } else if (status == MR_NOT_FOUND && database->read_only) {
        status = mr_error_set(err, MR_ERR_USAGE, "state directory '%s' holds no state yet",
                              database->path);
    } else if (status == MR_NOT_FOUND) {
        status = write_record(database, identity, err);
    }
    mr_buf_deinit(&record);
    return status;
}
