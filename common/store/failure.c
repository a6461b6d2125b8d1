#include "store/rocks.h"

#include <stdlib.h>

#define ADVICE_DAMAGED                                                                             \
    "the files are damaged; `millrace restore` puts the directory aside and rebuilds the state "   \
    "from the changelogs"
#define ADVICE_FULL "no space left; free some, nothing that was committed is lost"
#define ADVICE_REFUSED                                                                             \
    "not permitted; give the directory to the user of this process, on a writable file system"

typedef struct failure {
    const char *text; /* found in RocksDB's */
    const char *advice;
    mr_action action;
} failure;

/* The first that fits. */
static const failure failure_fields[] = {
    {"No space left on device", ADVICE_FULL, MR_ACT_RETRY},
    {"Disk quota exceeded", ADVICE_FULL, MR_ACT_RETRY},
    {"Permission denied", ADVICE_REFUSED, MR_ACT_STOP},
    {"Operation not permitted", ADVICE_REFUSED, MR_ACT_STOP},
    {"Read-only file system", ADVICE_REFUSED, MR_ACT_STOP},
    {"Too many open files", "raise this process's limit of open files", MR_ACT_STOP},
    {"File too large", "raise this process's limit of file size", MR_ACT_STOP},
    {"Input/output error", "the disk fails: see the kernel's log", MR_ACT_STOP},
    {"Corruption", ADVICE_DAMAGED, MR_ACT_STOP},
    {"No such file or directory", ADVICE_DAMAGED, MR_ACT_STOP},
    {"", "RocksDB refused", MR_ACT_STOP},
};

mr_status mr_rocks_failure(mr_error *err, const char *path, const char *family, const char *step,
                           char *rocks_text)
{
    const failure *found = failure_fields;
    while (strstr(rocks_text, found->text) == NULL) {
        found++;
    }
    (void)mr_error_set(err, MR_ERR_STORE, "state directory '%s'%s%s: cannot %s: %s (%s)", path,
                       family == NULL ? "" : ", ", family == NULL ? "" : family, step,
                       found->advice, rocks_text);
    err->action = found->action;
    rocksdb_free(rocks_text);
    return MR_ERR_STORE;
}
