/*
 * A directory of a verb's own below the stage's state, for one invocation at a time: gone again
 * afterwards, and what a kill left is removed by the next one.
 */
#pragma once

#include "cli/cli.h"
#include "store/database.h"
#include "store/directory.h"

typedef struct mr_scratch {
    const mr_cli *cli;
    const mr_stage *stage;
    char *directory;
    mr_directory lock;
} mr_scratch;

/* MR_ERR_USAGE: another process works there. Deinitialise also after a failure. */
mr_status mr_scratch_init(mr_scratch *scratch, const mr_cli *cli, const mr_stage *stage,
                          mr_error *err) MR_MUST_USE;
void mr_scratch_deinit(mr_scratch *scratch);

/* The state of these tasks as the changelogs have it now, read into the directory; opened to be
 * read. `must_be_whole` as in rebuild.h. Free the database before the scratch. */
mr_status mr_scratch_restore(const mr_scratch *scratch, const int32_t *numbers, size_t n,
                             bool must_be_whole, mr_database **ret_database,
                             mr_error *err) MR_MUST_USE;
/* A second, empty one, to be written. */
mr_status mr_scratch_database(const mr_scratch *scratch, mr_database **ret_database,
                              mr_error *err) MR_MUST_USE;
