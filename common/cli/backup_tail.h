/* Whether the changelogs still have all that came after a backup. */
#pragma once

#include "cli/cli.h"
#include "runtime/backup.h"

/* MR_ERR_USAGE with the topic and what is missing: records, or deletions, which a compacted topic
 * keeps for a while only. */
mr_status mr_backup_check_tail(const mr_cli *cli, const mr_stage *stage, const mr_backup *backup,
                               mr_error *err) MR_MUST_USE;
