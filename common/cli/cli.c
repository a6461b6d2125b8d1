#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/dev_files.h"
#include "cli/verbs.h"
#include "core/alloc.h"
#include "core/text.h"
#include "kafka/client.h"

const mr_verb *const mr_verbs[] = {
    &mr_verb_dev,    &mr_verb_run,     &mr_verb_check,  &mr_verb_test,    &mr_verb_topics,
    &mr_verb_emit,   &mr_verb_get,     &mr_verb_scan,   &mr_verb_history, &mr_verb_state,
    &mr_verb_status, &mr_verb_lag,     &mr_verb_verify, &mr_verb_replay,  &mr_verb_rebuild,
    &mr_verb_backup, &mr_verb_restore, &mr_verb_help,   &mr_verb_version, NULL,
};

static const mr_flag common_flags[] = {
    {.name = "set",
     .letter = 'X',
     .kind = MR_FLAG_TEXTS,
     .offset = offsetof(mr_cli, assignments),
     .argument = "NAME=VALUE",
     .text = "One setting; wins over MILLRACE_... variables and the file. Repeatable. "
             "`millrace help settings` lists them."},
    {.name = "config",
     .letter = 'c',
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(mr_cli, config),
     .argument = "FILE",
     .text = "Java-properties file with settings."},
    {.name = "json",
     .letter = 'j',
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(mr_cli, json),
     .text = "One JSON document a line instead of a table."},
    {.name = "log-level",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(mr_cli, log_level),
     .argument = "LEVEL",
     .text = "error, warn, info or debug; preset: warn, of run and dev: info."},
    {.name = "help",
     .letter = 'h',
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(mr_cli, help),
     .text = "Prints what the verb does and its options."},
};

static const mr_flag version_flags[] = {
    {.name = "as",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(mr_cli, version),
     .argument = "VERSION",
     .text = "The stage's version beside the live one: see `millrace help rebuild`."},
};

mr_flag_group mr_cli_version_flags(const mr_verb *verb, mr_cli *cli)
{
    const size_t n = verb->has_version ? sizeof(version_flags) / sizeof(version_flags[0]) : 0;
    return (mr_flag_group){version_flags, n, cli};
}

mr_flag_group mr_cli_flags(mr_cli *cli)
{
    return (mr_flag_group){common_flags, sizeof(common_flags) / sizeof(common_flags[0]), cli};
}

const mr_verb *mr_cli_verb(const char *name)
{
    for (size_t i = 0; mr_verbs[i] != NULL; i++) {
        if (strcmp(mr_verbs[i]->name, name) == 0) {
            return mr_verbs[i];
        }
    }
    return NULL;
}

void mr_cli_note(const char *format, ...)
{
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "millrace: %s\n", text);
}

mr_status mr_cli_unavailable(mr_status status, const mr_error *err)
{
    if (status == MR_TIMED_OUT) {
        mr_cli_note("%s", err->message);
    }
    return status;
}

/* ---- Opening ---- */

mr_status mr_cli_open_app(mr_cli *cli, const char *directory, mr_error *err)
{
    const mr_setting_sources sources = {
        .file = cli->config, .environment = environ, .assignments = &cli->assignments};
    MR_TRY(mr_settings_load(&cli->settings, &sources, err));
    if (cli->log_level != NULL) {
        mr_settings_set(&cli->settings, "log.level", cli->log_level, "--log-level");
        MR_TRY(mr_settings_apply(&cli->settings, err));
    }
    cli->log = mr_settings_log(&cli->settings, "millrace");
    if (mr_properties_get(&cli->settings.properties, "log.level") == NULL) {
        cli->log.level = MR_LOG_WARN;
    }
    cli->limits = mr_definition_limits(&cli->settings, &cli->log);
    return mr_definition_load(directory, &cli->limits, cli->kinds, &cli->app, err);
}

mr_status mr_cli_stage(mr_cli *cli, const char *name, const mr_stage **ret_stage, mr_error *err)
{
    *ret_stage = NULL;
    if (name == NULL) {
        return cli->version == NULL
                   ? MR_OK
                   : mr_error_set(err, MR_ERR_USAGE, "--as is of one stage: name it, too");
    }
    MR_TRY(mr_definition_stage(cli->app, name, ret_stage, err));
    return cli->version == NULL ? MR_OK : mr_app_set_version(cli->app, name, cli->version, err);
}

mr_status mr_cli_store(mr_cli *cli, const char *name, const mr_stage **ret_stage,
                       const mr_store_spec **ret_store, mr_error *err)
{
    MR_TRY(mr_app_find_store(cli->app, name, ret_stage, ret_store, err));
    return cli->version == NULL
               ? MR_OK
               : mr_app_set_version(cli->app, (*ret_stage)->name, cli->version, err);
}

static bool has_broker(const mr_cli *cli)
{
    return mr_properties_get(&cli->settings.properties, "bootstrap.servers") != NULL;
}

static mr_status find_dev(mr_cli *cli, mr_error *err)
{
    int64_t pid = 0;
    if (has_broker(cli)) {
        return MR_OK;
    }
    const mr_status status = mr_dev_find(&cli->settings, cli->app->name, &pid, err);
    if (status == MR_OK) {
        mr_cli_note("using the embedded broker of `millrace dev` (process %lld)", (long long)pid);
        cli->is_dev = true;
    }
    return status < 0 ? status : MR_OK;
}

static mr_status probe(mr_cli *cli, mr_error *err)
{
    MR_TRY(mr_settings_probe(&cli->settings, &cli->log, err));
    cli->is_connected = true;
    return MR_OK;
}

mr_status mr_cli_connect(mr_cli *cli, mr_error *err)
{
    MR_TRY(find_dev(cli, err));
    MR_TRY(
        mr_client_check(&cli->settings.properties, cli->settings.ours, cli->settings.n_ours, err));
    MR_TRY(mr_settings_registry(&cli->settings, &cli->registry, err));
    return probe(cli, err);
}

mr_status mr_cli_reach(mr_cli *cli, mr_error *err)
{
    MR_TRY(mr_client_check_settings(&cli->settings.properties, cli->settings.ours,
                                    cli->settings.n_ours, err));
    MR_TRY(find_dev(cli, err));
    MR_TRY(mr_settings_registry(&cli->settings, &cli->registry, err));
    if (!has_broker(cli)) {
        return MR_OK;
    }
    if (probe(cli, err) != MR_OK) {
        mr_cli_note("%s: only processors and state on this host are found", err->message);
    }
    return MR_OK;
}

mr_codec *mr_cli_codec(const mr_cli *cli)
{
    return mr_codec_new(cli->app->schemas, cli->registry,
                        cli->registry == NULL ? MR_FRAMING_SINGLE_OBJECT : MR_FRAMING_CONFLUENT);
}

static void close_cli(mr_cli *cli)
{
    mr_registry_free(cli->registry);
    mr_app_free(cli->app);
    mr_settings_deinit(&cli->settings);
    mr_texts_deinit(&cli->assignments);
    mr_texts_deinit(&cli->operands);
}

/* ---- Running ---- */

int mr_cli_exit(mr_status status, const mr_error *err)
{
    if (status == MR_OK || status == MR_END) {
        return MR_EXIT_OK;
    }
    if (status > 0) {
        return status == MR_TIMED_OUT ? MR_EXIT_UNAVAILABLE : MR_EXIT_FAILURE;
    }
    if (status == MR_ERR_USAGE) {
        return MR_EXIT_USAGE;
    }
    return status == MR_ERR_KAFKA || err->action == MR_ACT_RETRY ? MR_EXIT_UNAVAILABLE
                                                                 : MR_EXIT_FAILURE;
}

static mr_status check_operands(const mr_cli *cli, mr_error *err)
{
    const mr_verb *verb = cli->verb;
    if (cli->operands.n < verb->operands_min) {
        return mr_error_set(err, MR_ERR_USAGE, "something is missing: millrace %s %s", verb->name,
                            verb->operands);
    }
    if (cli->operands.n > verb->operands_max) {
        return mr_error_set(err, MR_ERR_USAGE, "'%.80s' is too much: millrace %s %s",
                            cli->operands.items[verb->operands_max], verb->name, verb->operands);
    }
    return MR_OK;
}

static void free_options(const mr_verb *verb, void *options)
{
    for (size_t i = 0; i < verb->n_flags; i++) {
        if (verb->flags[i].kind == MR_FLAG_TEXTS) {
            mr_texts_deinit((mr_texts *)(void *)((uint8_t *)options + verb->flags[i].offset));
        }
    }
    free(options);
}

/* argv[0] is the verb. */
static mr_status run_verb(mr_cli *cli, int argc, char **argv, mr_error *err)
{
    const mr_verb *verb = cli->verb;
    void *options = mr_alloc_zero(1, verb->options_bytes + 1);
    const mr_flag_group groups[] = {
        {verb->flags, verb->n_flags, options}, mr_cli_version_flags(verb, cli), mr_cli_flags(cli)};
    mr_flags_preset(&groups[0]);
    mr_status status =
        mr_flags_parse(groups, sizeof(groups) / sizeof(groups[0]), argc, argv, &cli->operands, err);
    if (status == MR_OK && cli->help) {
        mr_help_verb(verb, cli->out);
    } else {
        status = status == MR_OK ? check_operands(cli, err) : status;
        status = status == MR_OK ? verb->run(cli, options, err) : status;
    }
    free_options(verb, options);
    return status;
}

static mr_status no_such_verb(const char *name, mr_error *err)
{
    const char *names[sizeof(mr_verbs) / sizeof(mr_verbs[0])];
    size_t n = 0;
    for (; mr_verbs[n] != NULL; n++) {
        names[n] = mr_verbs[n]->name;
    }
    const char *nearest = mr_text_nearest(name, names, n, sizeof(names[0]));
    return mr_error_set(err, MR_ERR_USAGE, "there is no verb '%.40s'%s%s%s", name,
                        nearest == NULL ? "; see millrace --help" : "; did you mean '",
                        nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
}

static mr_status dispatch(mr_cli *cli, int argc, char **argv, mr_error *err)
{
    if (argc < 2) {
        mr_help_program(stderr);
        return mr_error_set(err, MR_ERR_USAGE, "which verb?");
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    cli->verb = mr_cli_verb(name);
    if (cli->verb == NULL) {
        return no_such_verb(name, err);
    }
    return run_verb(cli, argc - 1, argv + 1, err);
}

int mr_cli_run(const mr_kind *const *kinds, int argc, char **argv)
{
    mr_cli cli = {.kinds = kinds, .out = stdout};
    mr_error err = {0};
    const mr_status status = dispatch(&cli, argc, argv, &err);
    if (status < 0) {
        mr_cli_note("%s", err.message);
    }
    int exit_code = mr_cli_exit(status, &err);
    close_cli(&cli);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && exit_code == MR_EXIT_OK) {
        mr_cli_note("standard output cannot be written to");
        exit_code = MR_EXIT_FAILURE;
    }
    return exit_code;
}
