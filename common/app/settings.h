/*
 * Everything a person can configure, for processors and for the CLI: the runtime's options, the
 * program's own, and what goes to librdkafka. Thread: one while loading, then read-only for all.
 */
#pragma once

#include <mr/config.h>
#include <mr/log.h>
#include <mr/registry.h>

#include "app/flags.h"
#include "runtime/options.h"

typedef struct mr_app_options {
    const char *http_host;
    int64_t http_port;
    const char *http_advertised_host;
    const char *registry_url;
    const char *registry_user_info;
    const char *registry_ca_file;
    int64_t lua_instructions;
    int64_t lua_memory_bytes;
    int log_level; /* mr_log_level */
    int log_format;
} mr_app_options;

extern const mr_option mr_app_option_table[];
extern const size_t mr_app_option_count;

typedef struct mr_settings {
    mr_properties properties;
    mr_runtime_options runtime;
    mr_app_options app;
    mr_option *ours; /* the rows of both tables: names that are not librdkafka's */
    size_t n_ours;
} mr_settings;

typedef struct mr_setting_sources {
    const char *file;            /* NULL: none */
    char *const *environment;    /* environ */
    const mr_texts *assignments; /* of -X */
} mr_setting_sources;

/* Reads the sources in order of precedence, then applies them. */
mr_status mr_settings_load(mr_settings *settings, const mr_setting_sources *sources,
                           mr_error *err) MR_MUST_USE;
/* One more property, as from -X; mr_settings_apply makes it count. */
void mr_settings_set(mr_settings *settings, const char *name, const char *value,
                     const char *origin);
mr_status mr_settings_apply(mr_settings *settings, mr_error *err) MR_MUST_USE;
void mr_settings_deinit(mr_settings *settings);

/* To stderr. */
mr_log mr_settings_log(const mr_settings *settings, const char *component);
/* Is a broker there? One failure, told by the caller: what the client logs meanwhile is the same.
 */
mr_status mr_settings_probe(const mr_settings *settings, const mr_log *log,
                            mr_error *err) MR_MUST_USE;
/* NULL in *ret_registry when none is configured. */
mr_status mr_settings_registry(const mr_settings *settings, mr_registry **ret_registry,
                               mr_error *err) MR_MUST_USE;
