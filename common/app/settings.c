#include "app/settings.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/client.h"

#define MIB (INT64_C(1024) * 1024)

static const char *const log_levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const log_formats[] = {"logfmt", "json", NULL};

const mr_option mr_app_option_table[] = {
    {.name = "http.host",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_app_options, http_host),
     .preset = "127.0.0.1",
     .min = 1,
     .max = 255,
     .text = "Address that queries, metrics and health are served on. There is no authentication: "
             "beyond the own host only in a network you trust."},
    {.name = "http.port",
     .kind = MR_OPTION_INT,
     .offset = offsetof(mr_app_options, http_port),
     .preset = "0",
     .min = 0,
     .max = 65535,
     .text = "0 takes a free one; the CLI finds it."},
    {.name = "http.advertised.host",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_app_options, http_advertised_host),
     .text = "Host that the CLI is told to ask; http.host when empty, or the host's name when that "
             "is every address (0.0.0.0, ::)."},
    {.name = "schema.registry.url",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_app_options, registry_url),
     .text = "Confluent-compatible schema registry. When empty, records carry the schema's "
             "fingerprint and are checked against the app's schemas directory."},
    {.name = "basic.auth.user.info",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_app_options, registry_user_info),
     .secret = true,
     .text = "user:password for the schema registry."},
    {.name = "schema.registry.ssl.ca.location",
     .kind = MR_OPTION_TEXT,
     .offset = offsetof(mr_app_options, registry_ca_file),
     .text = "PEM file of the authority that signed the registry's certificate; the system's when "
             "empty."},
    {.name = "lua.instructions.max",
     .kind = MR_OPTION_INT,
     .offset = offsetof(mr_app_options, lua_instructions),
     .preset = "1000000",
     .min = 1000,
     .max = INT64_C(1000000000000),
     .text = "A handler call that needs more Lua instructions is stopped; its record is a dead "
             "letter."},
    {.name = "lua.memory.max",
     .kind = MR_OPTION_SIZE,
     .offset = offsetof(mr_app_options, lua_memory_bytes),
     .preset = "64m",
     .min = 1 * MIB,
     .max = 65536 * MIB,
     .text = "Lua memory of one worker; a handler call that needs more is stopped."},
    {.name = "log.level",
     .kind = MR_OPTION_CHOICE,
     .offset = offsetof(mr_app_options, log_level),
     .preset = "info",
     .choices = log_levels,
     .text = "Least important lines that are logged."},
    {.name = "log.format",
     .kind = MR_OPTION_CHOICE,
     .offset = offsetof(mr_app_options, log_format),
     .preset = "logfmt",
     .choices = log_formats,
     .text = "One line an event, as text or as a JSON object."},
};
const size_t mr_app_option_count = sizeof(mr_app_option_table) / sizeof(mr_app_option_table[0]);

static void list_ours(mr_settings *settings)
{
    settings->n_ours = mr_runtime_option_count + mr_app_option_count;
    settings->ours = mr_alloc(settings->n_ours * sizeof(*settings->ours));
    memcpy(settings->ours, mr_runtime_option_table,
           mr_runtime_option_count * sizeof(*settings->ours));
    memcpy(settings->ours + mr_runtime_option_count, mr_app_option_table,
           mr_app_option_count * sizeof(*settings->ours));
}

/* MILLRACE_CRASH_POINT is for fault builds (core/crash_point.h) and is no property. */
static bool is_crash_point(const char *variable)
{
    static const char name[] = "MILLRACE_CRASH_POINT=";
    return strncmp(variable, name, sizeof(name) - 1) == 0;
}

static void load_environment(mr_properties *properties, char *const *environment)
{
    for (; environment != NULL && *environment != NULL; environment++) {
        if (!is_crash_point(*environment)) {
            char *const one[] = {*environment, NULL};
            mr_properties_load_environment(properties, one);
        }
    }
}

mr_status mr_settings_apply(mr_settings *settings, mr_error *err)
{
    MR_TRY(mr_options_apply(mr_runtime_option_table, mr_runtime_option_count, &settings->properties,
                            &settings->runtime, err));
    return mr_options_apply(mr_app_option_table, mr_app_option_count, &settings->properties,
                            &settings->app, err);
}

mr_status mr_settings_load(mr_settings *settings, const mr_setting_sources *sources, mr_error *err)
{
    *settings = (mr_settings){0};
    list_ours(settings);
    mr_status status = MR_OK;
    if (sources->file != NULL) {
        status = mr_properties_load(&settings->properties, sources->file, err);
    }
    if (status == MR_OK) {
        load_environment(&settings->properties, sources->environment);
    }
    for (size_t i = 0; i < sources->assignments->n && status == MR_OK; i++) {
        status = mr_properties_parse(&settings->properties, sources->assignments->items[i], err);
    }
    if (status == MR_OK) {
        status = mr_settings_apply(settings, err);
    }
    if (status != MR_OK) {
        mr_settings_deinit(settings);
    }
    return status;
}

void mr_settings_set(mr_settings *settings, const char *name, const char *value, const char *origin)
{
    mr_properties_set(&settings->properties, name, value, origin);
}

void mr_settings_deinit(mr_settings *settings)
{
    mr_properties_deinit(&settings->properties);
    free(settings->ours);
    *settings = (mr_settings){0};
}

mr_log mr_settings_log(const mr_settings *settings, const char *component)
{
    const mr_log log = {.stream = stderr,
                        .clock = mr_clock_system(),
                        .level = (mr_log_level)settings->app.log_level,
                        .json = settings->app.log_format != 0};
    return mr_log_for(&log, "%s", component);
}

mr_status mr_settings_probe(const mr_settings *settings, const mr_log *log, mr_error *err)
{
    mr_log quiet = *log;
    quiet.level = log->level == MR_LOG_DEBUG ? MR_LOG_DEBUG : MR_LOG_ERROR;
    return mr_client_probe(&settings->properties, settings->ours, settings->n_ours,
                           (int)settings->runtime.broker_timeout_ms, &quiet, err);
}

mr_status mr_settings_registry(const mr_settings *settings, mr_registry **ret_registry,
                               mr_error *err)
{
    *ret_registry = NULL;
    if (settings->app.registry_url == NULL) {
        return MR_OK;
    }
    const mr_registry_options options = {.url = settings->app.registry_url,
                                         .user_info = settings->app.registry_user_info,
                                         .ca_file = settings->app.registry_ca_file,
                                         .timeout_ms = (int)settings->runtime.broker_timeout_ms};
    return mr_registry_new(&options, ret_registry, err);
}
