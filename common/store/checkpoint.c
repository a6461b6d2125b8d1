#include "store/rocks.h"

#include <stdlib.h>

#include "core/alloc.h"

MR_DEFINE_CLEANUP(char, free)

mr_status mr_database_checkpoint(mr_database *database, const char *directory, mr_error *err)
{
    assert(!database->read_only && database->tuning.env == NULL);
    char *failure = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(database->rocks, &failure);
    if (failure == NULL) {
        /* 0: what is in memtables comes along, without a WAL there is no other copy. */
        rocksdb_checkpoint_create(checkpoint, directory, 0, &failure);
        rocksdb_checkpoint_object_destroy(checkpoint);
    }
    if (failure == NULL) {
        return MR_OK;
    }
    MR_CLEANUP(freep) char *step = mr_asprintf("make the checkpoint '%s'", directory);
    return mr_rocks_failure(err, database->path, NULL, step, failure);
}
