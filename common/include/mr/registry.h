/*
 * Client of a Confluent-compatible schema registry (REST, by libcurl).
 *
 * Shared by all threads of a process (one mutex, one connection); answers are cached for ever:
 * an ID never changes its schema. `schema.registry.url` may have a base path; basic auth by
 * `basic.auth.user.info` as Confluent's clients name it.
 */
#pragma once

#include <mr/clock.h>
#include <mr/schema.h>

typedef struct mr_registry mr_registry;

typedef struct mr_registry_options {
    const char *url;       /* http:// or https://, comma-separated list allowed */
    const char *user_info; /* "user:password", NULL */
    const char *ca_file;   /* NULL: the system's */
    int timeout_ms;        /* of one request */
} mr_registry_options;

/* Once in a process, by main before there are threads: libcurl's own set-up. */
mr_status mr_registry_prepare_process(mr_error *err) MR_MUST_USE;

/* The options are copied. MR_ERR_USAGE for a URL that is none or that holds credentials. Nothing is
 * asked of the registry yet. */
mr_status mr_registry_new(const mr_registry_options *options, mr_registry **ret_registry,
                          mr_error *err) MR_MUST_USE;
void mr_registry_free(mr_registry *registry);

/* The schema of an ID (GET /schemas/ids/ID, references resolved). The schema lives as long as the
 * registry. Unknown ID, no Avro: MR_ERR_DATA class "unknown_schema". Unreachable, slow, 5xx: action
 * RETRY. Anything else that is no right answer (a wrong path, wrong credentials, not JSON, more
 * than 1 MiB): action STOP, as it is not the record that is wrong. */
mr_status mr_registry_schema(mr_registry *registry, int32_t id, const mr_schema **ret_schema,
                             mr_error *err) MR_MUST_USE;

/* The ID of a schema under a subject, registering it when new (POST /subjects/S/versions).
 * Incompatible (409): MR_ERR_USAGE naming subject and the registry's message. */
mr_status mr_registry_register(mr_registry *registry, const char *subject, const mr_schema *schema,
                               int32_t *ret_id, mr_error *err) MR_MUST_USE;
