/*
 * One invocation of `millrace VERB ...`: what the command line said, and what verbs open on demand.
 *
 * A verb is a file cmd_<verb>.c with one `const mr_verb`; cli.c has the list. Help, the man page
 * and the shell completion come from these tables.
 */
#pragma once

#include <stdio.h>

#include <mr/codec.h>
#include <mr/main.h>

#include "app/definition.h"
#include "app/flags.h"
#include "app/settings.h"

/* NULL-terminated; defined beside the processors, which stand to the right of this layer: the
 * program is linked with them. */
extern const mr_kind *const mr_kinds[];

typedef struct mr_cli mr_cli;

typedef struct mr_verb {
    const char *name;
    const char *operands; /* "APP STORE KEY..." */
    const char *summary;  /* one line */
    const char *text;     /* paragraphs for help and the man page, separated by "\n" */
    size_t operands_min;
    size_t operands_max;
    const mr_flag *flags; /* beside the common ones; they fill an options struct */
    size_t n_flags;
    size_t options_bytes;
    bool has_version; /* it looks at one stage, of which --as may name the version */
    /* The exit code is of the returned status: see mr_cli_exit. */
    mr_status (*run)(mr_cli *cli, void *options, mr_error *err);
} mr_verb;

struct mr_cli {
    /* What the command line said. */
    const mr_kind *const *kinds;
    const mr_verb *verb;
    const char *config;
    mr_texts assignments;
    const char *log_level;
    const char *version;
    bool json;
    bool help;
    mr_texts operands; /* behind the verb */
    FILE *out;
    /* By mr_cli_open_app. */
    mr_settings settings;
    mr_log log;
    mr_lua_limits limits;
    mr_app *app;
    /* By mr_cli_connect. */
    mr_registry *registry;
    bool is_dev; /* the embedded broker of a running `millrace dev` is used */
    bool is_connected;
};

/* The common flags, for a parser whose target is an mr_cli. */
mr_flag_group mr_cli_flags(mr_cli *cli);
/* --as, of verbs that have it; else none. */
mr_flag_group mr_cli_version_flags(const mr_verb *verb, mr_cli *cli);

/* Every verb, in the order of help; NULL-terminated. */
extern const mr_verb *const mr_verbs[];
const mr_verb *mr_cli_verb(const char *name);

/* The whole program. */
int mr_cli_run(const mr_kind *const *kinds, int argc, char **argv);
/* 0: MR_OK. 1: MR_NOT_FOUND and failures of the thing looked at. 2: MR_ERR_USAGE. 3: MR_TIMED_OUT,
 * MR_ERR_KAFKA and whatever may be there again later. */
int mr_cli_exit(mr_status status, const mr_error *err);

/* Settings, then the app in `directory`. */
mr_status mr_cli_open_app(mr_cli *cli, const char *directory, mr_error *err) MR_MUST_USE;
/* The stage that was named, in the version of --as. `name` NULL: the verb is about all of them, and
 * so is what is returned. */
mr_status mr_cli_stage(mr_cli *cli, const char *name, const mr_stage **ret_stage,
                       mr_error *err) MR_MUST_USE;
/* The same for a store, as of mr_app_find_store. */
mr_status mr_cli_store(mr_cli *cli, const char *name, const mr_stage **ret_stage,
                       const mr_store_spec **ret_store, mr_error *err) MR_MUST_USE;
/* Before the first question to the broker: finds a running `millrace dev` when no broker is
 * configured, checks the configuration, opens the registry, sees that a broker is there. */
mr_status mr_cli_connect(mr_cli *cli, mr_error *err) MR_MUST_USE;
/* The same for verbs that can do without a broker: is_connected says whether there is one. */
mr_status mr_cli_reach(mr_cli *cli, mr_error *err) MR_MUST_USE;

mr_codec *mr_cli_codec(const mr_cli *cli);

/* Says the failure of a MR_TIMED_OUT, which mr_cli_run does not, and returns `status`. */
mr_status mr_cli_unavailable(mr_status status, const mr_error *err);

/* A sentence on stderr that is no failure: "millrace: ...". */
void mr_cli_note(const char *format, ...) MR_PRINTF(1, 2);

/* help.c */
void mr_help_program(FILE *out);
void mr_help_verb(const mr_verb *verb, FILE *out);
void mr_help_man(FILE *out);
void mr_help_completion(FILE *out);
