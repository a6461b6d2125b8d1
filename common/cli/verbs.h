/* The verbs, each in cmd_<verb>.c. */
#pragma once

#include "cli/cli.h"

extern const mr_verb mr_verb_backup;
extern const mr_verb mr_verb_check;
extern const mr_verb mr_verb_dev;
extern const mr_verb mr_verb_emit;
extern const mr_verb mr_verb_get;
extern const mr_verb mr_verb_help;
extern const mr_verb mr_verb_history;
extern const mr_verb mr_verb_lag;
extern const mr_verb mr_verb_rebuild;
extern const mr_verb mr_verb_replay;
extern const mr_verb mr_verb_restore;
extern const mr_verb mr_verb_run;
extern const mr_verb mr_verb_scan;
extern const mr_verb mr_verb_state;
extern const mr_verb mr_verb_status;
extern const mr_verb mr_verb_test;
extern const mr_verb mr_verb_topics;
extern const mr_verb mr_verb_verify;
extern const mr_verb mr_verb_version;
