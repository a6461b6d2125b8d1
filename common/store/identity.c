#include "store/identity.h"

#include <stdlib.h>

#include "core/text.h"

enum { FORMAT = 2 };

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

static mr_status garbage(const mr_database *database, mr_error *err)
{
    return mr_error_set(err, MR_ERR_STORE,
                        "state directory '%s' is damaged: the record of its owner is garbage; "
                        "`millrace restore` puts the directory aside and rebuilds the state",
                        database->path);
}

/* The advice is first: many names are cut off. */
static mr_status check_stores(const mr_database *database, const char *found, const char *wanted,
                              mr_error *err)
{
    const size_t len = strlen(found);
    if (strncmp(wanted, found, len) == 0 && (wanted[len] == '\0' || wanted[len] == ',')) {
        return MR_OK;
    }
    return mr_error_set(err, MR_ERR_USAGE,
                        "state directory '%s' has other stores than the app; `millrace restore` "
                        "puts the directory aside and rebuilds the state from the changelogs (it "
                        "has %s, the app %s)",
                        database->path, found, wanted);
}

/* The word at *at, which it ends and steps over; NULL when none ends there. */
static char *cut_word(char **at)
{
    char *word = *at;
    char *space = strchr(word, ' ');
    if (space == NULL) {
        return NULL;
    }
    *space = '\0';
    *at = space + 1;
    return word;
}

/* Cuts the record's text in place, which ends with the stores. */
static mr_status check_record(const mr_database *database, mr_buf *record,
                              const mr_database_options *options, char **ret_stores, mr_error *err)
{
    char *at = (char *)record->data;
    if (record->len < sizeof(magic) || strlen(at) != record->len ||
        strncmp(at, magic, sizeof(magic) - 1) != 0) {
        return garbage(database, err);
    }
    at += sizeof(magic) - 1;
    const char *number = cut_word(&at);
    if (number == NULL) {
        return garbage(database, err);
    }
    MR_TRY(check_format(database, number, err));
    const char *identity = cut_word(&at);
    if (identity == NULL || *at == '\0') {
        return garbage(database, err);
    }
    if (strcmp(identity, options->identity) != 0) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "state directory '%s' belongs to '%s', not to '%s'; set another "
                            "state.dir for one of them",
                            database->path, identity, options->identity);
    }
    *ret_stores = at;
    return check_stores(database, at, options->stores, err);
}

static mr_status write_record(mr_database *database, const mr_database_options *options,
                              mr_error *err)
{
    mr_buf record = MR_BUF_NULL;
    assert(options->stores[0] != '\0');
    mr_buf_printf(&record, "%s%d %s %s", magic, FORMAT, options->identity, options->stores);
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

/* Before a row of a new store can be written. */
static mr_status check_and_extend(mr_database *database, mr_buf *record,
                                  const mr_database_options *options, mr_error *err)
{
    char *stores = NULL;
    MR_TRY(check_record(database, record, options, &stores, err));
    return database->read_only || strcmp(stores, options->stores) == 0
               ? MR_OK
               : write_record(database, options, err);
}

mr_status mr_identity_check(mr_database *database, const mr_database_options *options,
                            mr_error *err)
{
    mr_buf record = MR_BUF_NULL;
    mr_status status = mr_rocks_get(database, database->families[0], identity_key(), &record,
                                    "read the record of its owner", err);
    if (status == MR_OK) {
        status = check_and_extend(database, &record, options, err);
    } else if (status == MR_NOT_FOUND && !is_new(database)) {
        status = mr_error_set(err, MR_ERR_USAGE,
                              "directory '%s' holds a RocksDB database that millrace did not make; "
                              "set another state.dir",
                              database->path);
    } else if (status == MR_NOT_FOUND && database->read_only) {
        status = mr_error_set(err, MR_ERR_USAGE, "state directory '%s' holds no state yet",
                              database->path);
    } else if (status == MR_NOT_FOUND) {
        status = write_record(database, options, err);
    }
    mr_buf_deinit(&record);
    return status;
}
