/*
 * mr_main: from argv to a running processor and back. Order of the start: arguments, configuration,
 * app, broker there?, HTTP (its address is part of the consumer's client.id), processor, file
 * `http`. The end is the same backwards.
 */
#include <mr/main.h>

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include <curl/curl.h>

#include "app/definition.h"
#include "app/endpoint.h"
#include "app/http_service.h"
#include "app/signals.h"
#include "core/alloc.h"
#include "kafka/client.h"

MR_DEFINE_CLEANUP(char, free)
MR_DEFINE_CLEANUP(mr_registry, mr_registry_free)

typedef struct arguments {
    const char *app;
    const char *stage;
    const char *version_name;
    const char *config;
    mr_texts assignments;
    const char *log_level;
    const char *log_format;
    bool standby;
    bool help;
    bool version;
} arguments;

static const mr_flag flags[] = {
    {.name = "app",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, app),
     .argument = "DIR",
     .text = "The app: a directory with app.lua."},
    {.name = "stage",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, stage),
     .argument = "NAME",
     .text = "The stage of the app to run."},
    {.name = "as",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, version_name),
     .argument = "VERSION",
     .text = "Runs it beside the live one: with a group, state and topics of its own, whose names "
             "end in -VERSION. See `millrace help rebuild`."},
    {.name = "config",
     .letter = 'c',
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, config),
     .argument = "FILE",
     .text = "Java-properties file with settings."},
    {.name = "set",
     .letter = 'X',
     .kind = MR_FLAG_TEXTS,
     .offset = offsetof(arguments, assignments),
     .argument = "NAME=VALUE",
     .text = "One setting; wins over MILLRACE_... variables and the file. Repeatable."},
    {.name = "standby",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, standby),
     .text = "Keeps a warm copy of the state of every task that another instance owns, and takes "
             "part once that is read; stateful kinds only."},
    {.name = "log-level",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, log_level),
     .argument = "LEVEL",
     .text = "error, warn, info or debug: as -X log.level=LEVEL."},
    {.name = "log-format",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, log_format),
     .argument = "FORMAT",
     .text = "logfmt or json: as -X log.format=FORMAT."},
    {.name = "help",
     .letter = 'h',
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, help),
     .text = "Prints this and every setting."},
    {.name = "version",
     .letter = 'V',
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, version),
     .text = "Prints the version."},
};

/* Everything that a run owns, in the order in which it is made. */
typedef struct program {
    const mr_kind *kind;
    const mr_kind *const *kinds;
    mr_settings settings;
    mr_log log;
    mr_app *app;
    const mr_stage *stage;
    mr_registry *registry;
    char *directory;
    char *backup_directory;
    mr_http_service service;
    mr_http_server *server;
    char address[MR_ADDRESS_SIZE];
    mr_processor *processor;
    volatile sig_atomic_t stop; /* set when a signal asks for the end */
} program;

/* ---- Help ---- */

static void append_options(const mr_option *options, size_t n, mr_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        mr_buf_printf(out, "  %s=%s\n      ", options[i].name,
                      options[i].preset == NULL ? "" : options[i].preset);
        mr_text_wrap(options[i].text, 6, out);
    }
}

static void print_help(const mr_kind *kind)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    const mr_flag_group group = {flags, sizeof(flags) / sizeof(flags[0]), NULL};
    mr_buf_printf(&text, "usage: millrace-%s --app DIR --stage NAME [OPTION...]\n\n", kind->name);
    mr_text_wrap(kind->summary, 0, &text);
    mr_buf_append_text(&text, "\nOptions:\n");
    mr_flags_help(&group, 1, &text);
    mr_buf_append_text(&text, "\nSettings and their presets (every other name goes to "
                              "librdkafka):\n");
    append_options(mr_runtime_option_table, mr_runtime_option_count, &text);
    append_options(mr_app_option_table, mr_app_option_count, &text);
    (void)fputs(mr_buf_text(&text), stdout);
}

/* ---- Start ---- */

static mr_status parse(int argc, char **argv, arguments *given, mr_error *err)
{
    MR_CLEANUP(mr_texts_deinit) mr_texts operands = {0};
    const mr_flag_group group = {flags, sizeof(flags) / sizeof(flags[0]), given};
    MR_TRY(mr_flags_parse(&group, 1, argc, argv, &operands, err));
    if (given->help || given->version) {
        return MR_OK;
    }
    if (operands.n > 0) {
        return mr_error_set(err, MR_ERR_USAGE, "'%.80s' is not expected; see --help",
                            operands.items[0]);
    }
    if (given->app == NULL || given->stage == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "--%s is missing; see --help",
                            given->app == NULL ? "app" : "stage");
    }
    return MR_OK;
}

static mr_status configure(program *p, const arguments *given, mr_error *err)
{
    const mr_setting_sources sources = {
        .file = given->config, .environment = environ, .assignments = &given->assignments};
    MR_TRY(mr_settings_load(&p->settings, &sources, err));
    if (given->log_level != NULL) {
        mr_settings_set(&p->settings, "log.level", given->log_level, "--log-level");
    }
    if (given->log_format != NULL) {
        mr_settings_set(&p->settings, "log.format", given->log_format, "--log-format");
    }
    MR_TRY(mr_settings_apply(&p->settings, err));
    p->log = mr_settings_log(&p->settings, given->stage);
    return mr_client_check(&p->settings.properties, p->settings.ours, p->settings.n_ours, err);
}

static mr_status find_stage(program *p, const arguments *given, mr_error *err)
{
    const char *name = given->stage;
    MR_TRY(mr_definition_stage(p->app, name, &p->stage, err));
    if (given->version_name != NULL) {
        MR_TRY(mr_app_set_version(p->app, name, given->version_name, err));
    }
    p->log = mr_log_for(&p->log, "%s", p->stage->group);
    if (strcmp(p->stage->kind, p->kind->name) != 0) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "%s: stage '%s' is of kind %s: run it with millrace-%s, not "
                            "millrace-%s",
                            p->stage->definition, name, p->stage->kind, p->stage->kind,
                            p->kind->name);
    }
    if (given->standby && !p->kind->stateful) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "--standby: stage '%s' is of kind %s, which keeps no state that could "
                            "be copied; leave it out",
                            name, p->kind->name);
    }
    const char *instance = p->settings.runtime.instance_id;
    MR_TRY(mr_instance_directory(&p->settings, p->stage, instance, &p->directory, err));
    p->backup_directory = mr_backup_directory(&p->settings, p->stage, instance);
    return MR_OK;
}

static const char *advertised_host(const mr_app_options *options, char *name, size_t size)
{
    if (options->http_advertised_host != NULL) {
        return options->http_advertised_host;
    }
    const bool everywhere =
        strcmp(options->http_host, "0.0.0.0") == 0 || strcmp(options->http_host, "::") == 0;
    if (everywhere && gethostname(name, size - 1) == 0) {
        return name;
    }
    return options->http_host;
}

static mr_status serve(program *p, mr_error *err)
{
    char name[256] = {0};
    const mr_app_options *options = &p->settings.app;
    p->service.stage = p->stage;
    p->service.registry = p->registry;
    p->service.backup_directory = p->backup_directory;
    p->service.framing = p->registry == NULL ? MR_FRAMING_SINGLE_OBJECT : MR_FRAMING_CONFLUENT;
    mr_http_server_options server = {.host = options->http_host,
                                     .port = (uint16_t)options->http_port,
                                     .handler = mr_http_service_answer,
                                     .context = &p->service,
                                     .log = &p->log};
    if (server.port == 0) {
        server.port = mr_endpoint_last_port(p->directory);
    }
    mr_status status = mr_http_server_new(&server, &p->server, err);
    if (status != MR_OK && server.port != options->http_port) {
        server.port = 0; /* somebody else has the last one by now */
        status = mr_http_server_new(&server, &p->server, err);
    }
    MR_TRY(status);
    mr_address_format(advertised_host(options, name, sizeof(name)), mr_http_server_port(p->server),
                      p->address);
    return MR_OK;
}

/* Stateless stages can do without their file: only the CLI on this host misses it. */
static mr_status announce(program *p, mr_error *err)
{
    const mr_status status = mr_endpoint_write(p->directory, p->address, (int64_t)getpid(), err);
    if (status != MR_OK && !p->kind->stateful) {
        mr_log_warn(&p->log, "%s: the CLI will not find this process by its file, skipping",
                    err->message);
        return MR_OK;
    }
    return status;
}

static mr_status start_processor(program *p, mr_lua_limits *limits, bool standby, mr_error *err)
{
    MR_CLEANUP(freep) char *client_id = mr_client_id_new(p->kind->name, p->address);
    const mr_processor_options options = {
        .stage = p->stage,
        .kind = p->kind,
        .handlers = mr_definition_handler,
        .handlers_argument = limits,
        .runtime = &p->settings.runtime,
        .properties = &p->settings.properties,
        .ours = p->settings.ours,
        .n_ours = p->settings.n_ours,
        .registry = p->registry,
        .log = &p->log,
        .clock = mr_clock_system(),
        .client_id = client_id,
        .state_directory = p->directory,
        .standby = standby,
    };
    MR_TRY(mr_processor_new(&options, &p->processor, err));
    atomic_store(&p->service.processor, p->processor);
    return announce(p, err);
}

/* ---- Run ---- */

static mr_status run(program *p, const arguments *given, int *ret_exit, mr_error *err)
{
    *ret_exit = MR_EXIT_USAGE;
    MR_TRY(configure(p, given, err));
    MR_TRY(mr_signals_watch(&p->stop, p->settings.runtime.shutdown_timeout_ms, &p->log, err));
    mr_lua_limits limits = mr_definition_limits(&p->settings, &p->log);
    MR_TRY(mr_definition_load(given->app, &limits, p->kinds, &p->app, err));
    MR_TRY(find_stage(p, given, err));
    MR_TRY(mr_settings_registry(&p->settings, &p->registry, err));
    *ret_exit = MR_EXIT_UNAVAILABLE;
    MR_TRY(mr_settings_probe(&p->settings, &p->log, err));
    *ret_exit = MR_EXIT_FAILURE;
    MR_TRY(serve(p, err));
    MR_TRY(start_processor(p, &limits, given->standby, err));
    mr_log_info(&p->log, "running address=%s librdkafka=%s pid=%" PRId64, p->address,
                mr_client_version_text(), (int64_t)getpid());
    return mr_processor_run(p->processor, &p->stop, err);
}

/* Nobody asks any more before the processor goes. */
static void finish(program *p)
{
    atomic_store(&p->service.processor, NULL);
    mr_http_server_free(p->server);
    if (p->processor != NULL) {
        mr_endpoint_remove(p->directory, (int64_t)getpid());
    }
    mr_processor_free(p->processor);
    mr_registry_free(p->registry);
    mr_app_free(p->app);
    mr_settings_deinit(&p->settings);
    free(p->directory);
    free(p->backup_directory);
}

static int run_program(program *p, const arguments *given)
{
    mr_error err;
    int exit_code = MR_EXIT_FAILURE;
    mr_status status = mr_signals_block(&err);
    if (status == MR_OK) {
        status = run(p, given, &exit_code, &err);
    }
    if (status == MR_OK) {
        exit_code = MR_EXIT_OK;
    } else {
        /* What a person wrote stays their matter, however late it is noticed. */
        exit_code = err.status == MR_ERR_USAGE ? MR_EXIT_USAGE : exit_code;
        mr_log_error(&p->log, "%s", err.message);
    }
    if (p->processor != NULL && mr_processor_hangs(p->processor)) {
        _exit(exit_code);
    }
    return exit_code;
}

int mr_main(const mr_kind *kind, const mr_kind *const *kinds, int argc, char **argv)
{
    arguments given = {0};
    program p = {.kind = kind, .kinds = kinds};
    mr_error err;
    p.log = (mr_log){.stream = stderr, .clock = mr_clock_system(), .level = MR_LOG_INFO};
    p.log = mr_log_for(&p.log, "millrace-%s", kind->name);
    int exit_code = MR_EXIT_OK;
    if (parse(argc, argv, &given, &err) != MR_OK) {
        mr_log_error(&p.log, "%s", err.message);
        exit_code = MR_EXIT_USAGE;
    } else if (given.help) {
        print_help(kind);
    } else if (given.version) {
        (void)printf("millrace-%s %s, librdkafka %s\n", kind->name, MR_VERSION,
                     mr_client_version_text());
    } else if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        mr_log_error(&p.log, "libcurl cannot start");
        exit_code = MR_EXIT_FAILURE;
    } else {
        exit_code = run_program(&p, &given);
        finish(&p);
        curl_global_cleanup();
    }
    mr_texts_deinit(&given.assignments);
    return exit_code;
}
