#include "cli/scratch.h"

#include <stdlib.h>
#include <unistd.h>

#include "app/endpoint.h"
#include "app/files.h"
#include "cli/clients.h"
#include "core/alloc.h"
#include "runtime/offline.h"
#include "runtime/stage_database.h"

MR_DEFINE_CLEANUP(char, free)

/* No instance's name begins with a dot. */
static const char name[] = ".replay";

static mr_status make_empty(const char *directory, mr_error *err)
{
    MR_TRY(mr_directory_make(directory, err));
    return mr_directory_clear(directory, err);
}

mr_status mr_scratch_init(mr_scratch *scratch, const mr_cli *cli, const mr_stage *stage,
                          mr_error *err)
{
    MR_CLEANUP(freep) char *above = mr_stage_directory(&cli->settings, stage);
    *scratch = (mr_scratch){.cli = cli, .stage = stage, .lock = MR_DIRECTORY_NULL};
    MR_TRY(mr_directory_make(above, err));
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/%s", above, name);
    MR_TRY(mr_directory_open(directory, false, &scratch->lock, err));
    scratch->directory = MR_STEAL(&directory);
    return MR_OK;
}

void mr_scratch_deinit(mr_scratch *scratch)
{
    mr_error err;
    if (scratch->directory == NULL) {
        return;
    }
    if (mr_directory_clear(scratch->directory, &err) != MR_OK || rmdir(scratch->directory) != 0) {
        mr_cli_note("'%s' stays: remove it", scratch->directory);
    }
    mr_directory_close(&scratch->lock);
    free(scratch->directory);
    *scratch = (mr_scratch){.lock = MR_DIRECTORY_NULL};
}

mr_status mr_scratch_restore(const mr_scratch *scratch, const int32_t *numbers, size_t n,
                             bool must_be_whole, mr_database **ret_database, mr_error *err)
{
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/state", scratch->directory);
    MR_TRY(make_empty(directory, err));
    mr_rebuild_options options =
        mr_cli_rebuild_options(scratch->cli, scratch->stage, directory, numbers, n);
    options.must_be_whole = must_be_whole;
    int64_t *restored = mr_alloc_zero(n, sizeof(*restored));
    const mr_status status = mr_rebuild(&options, restored, err);
    free(restored);
    MR_TRY(status);
    return mr_offline_open(directory, scratch->stage, &scratch->cli->log, ret_database, err);
}

mr_status mr_scratch_database(const mr_scratch *scratch, mr_database **ret_database, mr_error *err)
{
    const mr_budget budget = mr_budget_split(&scratch->cli->settings.runtime);
    MR_CLEANUP(freep) char *directory = mr_asprintf("%s/fold", scratch->directory);
    MR_TRY(make_empty(directory, err));
    const mr_database_options options = {
        .directory = directory,
        .cache_bytes = budget.block_cache,
        .memtable_bytes = budget.memtables,
    };
    return mr_stage_database_open(scratch->stage, &options, &scratch->cli->log, ret_database, err);
}
