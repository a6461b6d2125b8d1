#include <mr/registry.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#include <curl/curl.h>

#include <mr/json.h>

#include "core/alloc.h"
#include "core/hash.h"
#include "serde/http.h"

enum {
    ANSWER_BYTES_MAX = 1 << 20,
    REFERENCES_MAX = 256, /* of one schema, at all depths */
    REFERENCE_DEPTH_MAX = 16,
};

/* An ID's schema, in a set of its own with what it refers to. */
typedef struct known_schema {
    int32_t id;
    const mr_schema *schema;
    mr_schemas *set;
    UT_hash_handle hh;
} known_schema;

/* A subject's ID of a schema. The key is "<subject>\n<schema as written>". */
typedef struct known_id {
    char *key;
    int32_t id;
    UT_hash_handle hh;
} known_id;

/*
 * `cache_lock` is held for a look-up, `http_lock` during requests, so that a slow registry holds up
 * those only who need an answer that nobody has yet. Order: http_lock, then cache_lock.
 */
struct mr_registry {
    pthread_mutex_t cache_lock;
    known_schema *schemas;
    known_id *ids;
    pthread_mutex_t http_lock;
    mr_http *http;
    char **urls;
    size_t n_urls;
    size_t current; /* the URL that answered last */
};

/* ---- Life ---- */

mr_status mr_registry_prepare_process(mr_error *err)
{
    const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        return mr_error_set(err, MR_ERR_SYSTEM, "libcurl: %s", curl_easy_strerror(code));
    }
    return MR_OK;
}

static bool is_good_url(const char *url, size_t len)
{
    size_t scheme = 0;
    if (len > 7 && strncmp(url, "http://", 7) == 0) {
        scheme = 7;
    } else if (len > 8 && strncmp(url, "https://", 8) == 0) {
        scheme = 8;
    }
    const size_t clean = strcspn(url, " \t?#@,");
    return scheme > 0 && clean >= len;
}

/* A comma-separated list, without the slashes that addresses end with. */
static mr_status read_urls(mr_registry *registry, const char *list, mr_error *err)
{
    while (list != NULL && *list != '\0') {
        const size_t begin = strspn(list, " \t,");
        const char *url = list + begin;
        size_t len = strcspn(url, ",");
        list = url + len;
        while (len > 0 && strchr(" \t/", url[len - 1]) != NULL) {
            len--;
        }
        if (len == 0 && *list == '\0' && registry->n_urls > 0) {
            break;
        }
        if (!is_good_url(url, len)) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "schema.registry.url: expected http:// or https:// addresses, "
                                "without credentials (they go into basic.auth.user.info)");
        }
        registry->urls =
            mr_realloc(registry->urls, (registry->n_urls + 1) * sizeof(registry->urls[0]));
        registry->urls[registry->n_urls++] = mr_strndup(url, len);
    }
    if (registry->n_urls == 0) {
        return mr_error_set(err, MR_ERR_USAGE, "schema.registry.url is empty");
    }
    return MR_OK;
}

mr_status mr_registry_new(const mr_registry_options *options, mr_registry **ret_registry,
                          mr_error *err)
{
    assert(options->timeout_ms > 0);
    mr_registry *registry = mr_alloc_zero(1, sizeof(*registry));
    (void)pthread_mutex_init(&registry->cache_lock, NULL);
    (void)pthread_mutex_init(&registry->http_lock, NULL);
    const mr_status status = read_urls(registry, options->url, err);
    if (status < 0) {
        mr_registry_free(registry);
        return status;
    }
    registry->http =
        mr_http_new(&(mr_http_options){.user_info = options->user_info,
                                       .ca_file = options->ca_file,
                                       .content_type = "application/vnd.schemaregistry.v1+json",
                                       .timeout_ms = options->timeout_ms,
                                       .answer_bytes_max = ANSWER_BYTES_MAX});
    *ret_registry = registry;
    return MR_OK;
}

void mr_registry_free(mr_registry *registry)
{
    if (registry == NULL) {
        return;
    }
    known_schema *schema = NULL;
    known_schema *next_schema = NULL;
    HASH_ITER(hh, registry->schemas, schema, next_schema)
    {
        HASH_DEL(registry->schemas, schema);
        mr_schemas_free(schema->set);
        free(schema);
    }
    known_id *id = NULL;
    known_id *next_id = NULL;
    HASH_ITER(hh, registry->ids, id, next_id)
    {
        HASH_DEL(registry->ids, id);
        free(id->key);
        free(id);
    }
    for (size_t i = 0; i < registry->n_urls; i++) {
        free(registry->urls[i]);
    }
    free(registry->urls);
    mr_http_free(registry->http);
    (void)pthread_mutex_destroy(&registry->cache_lock);
    (void)pthread_mutex_destroy(&registry->http_lock);
    free(registry);
}

/* ---- Requests: http_lock is held ---- */

/* {"error_code":40403,"message":"..."}; other bodies, as proxies send them, have neither. */
static void read_problem(const mr_buf *answer, int64_t *ret_code, char *ret_message, size_t size)
{
    *ret_code = 0;
    ret_message[0] = '\0';
    MR_CLEANUP(mr_json_freep) mr_json *json = NULL;
    mr_error ignored;
    if (mr_json_parse(mr_buf_bytes(answer), &json, &ignored) != MR_OK) {
        return;
    }
    mr_bytes message;
    if (mr_json_integer(mr_json_get(json, "error_code"), ret_code) != MR_OK) {
        *ret_code = 0;
    }
    if (mr_json_string(mr_json_get(json, "message"), &message) == MR_OK) {
        (void)snprintf(ret_message, size, ": %.*s", (int)(message.len < 200 ? message.len : 200),
                       (const char *)message.data);
    }
}

/* What an answer other than 2xx means for whoever asked. */
static mr_status refusal(const char *url, int http_code, const mr_buf *answer, mr_error *err)
{
    enum { NO_SUBJECT = 40401, NO_VERSION = 40402, NO_SCHEMA = 40403 };
    int64_t code;
    char message[224];
    read_problem(answer, &code, message, sizeof(message));
    const char *advice = "";
    mr_status status = MR_ERR_SYSTEM;
    mr_action action = MR_ACT_STOP;
    if (http_code == 404 && code >= NO_SUBJECT && code <= NO_SCHEMA) {
        (void)mr_error_record(err, MR_ERR_DATA, "unknown_schema",
                              "schema registry %s does not know it%s", url, message);
        err->native = http_code;
        return MR_ERR_DATA;
    }
    if (http_code == 404) {
        status = MR_ERR_USAGE;
        advice = ", is the path in schema.registry.url right?";
    } else if (http_code == 401 || http_code == 403) {
        status = MR_ERR_USAGE;
        advice = ", is basic.auth.user.info right?";
    } else if (http_code == 409 || http_code == 422) {
        status = MR_ERR_USAGE;
    } else if (http_code >= 500 || http_code == 429 || http_code == 408) {
        action = MR_ACT_RETRY;
    }
    (void)mr_error_set(err, status, "schema registry %s answered %d%s%s", url, http_code, message,
                       advice);
    err->native = http_code;
    err->action = action;
    return status;
}

static mr_status request_at(mr_registry *registry, const char *base, const char *path,
                            mr_bytes body, mr_buf *answer, mr_error *err)
{
    char *url = mr_asprintf("%s%s", base, path);
    int http_code = 0;
    mr_status status = mr_http_request(registry->http, url, body, answer, &http_code, err);
    free(url);
    if (status < 0) {
        return mr_error_prefix(err, "schema registry %s", base);
    }
    return http_code >= 200 && http_code < 300 ? MR_OK : refusal(base, http_code, answer, err);
}

/* Asks one address after the other while the failure may be that of the one server. */
static mr_status request(mr_registry *registry, const char *path, mr_bytes body, mr_json **ret_json,
                         mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf answer = MR_BUF_NULL;
    mr_status status = MR_ERR_SYSTEM;
    for (size_t i = 0; i < registry->n_urls; i++) {
        const char *base = registry->urls[registry->current];
        status = request_at(registry, base, path, body, &answer, err);
        if (status == MR_OK) {
            break;
        }
        if (err->action != MR_ACT_RETRY) {
            return status;
        }
        registry->current = (registry->current + 1) % registry->n_urls;
    }
    if (status < 0) {
        return status;
    }
    if (mr_json_parse(mr_buf_bytes(&answer), ret_json, err) != MR_OK) {
        char reason[sizeof(err->message)];
        memcpy(reason, err->message, sizeof(reason));
        return mr_error_set(err, MR_ERR_SYSTEM, "schema registry %s: the answer is %s",
                            registry->urls[registry->current], reason);
    }
    return MR_OK;
}

static mr_status unexpected(const mr_registry *registry, const char *what, mr_error *err)
{
    return mr_error_set(err, MR_ERR_SYSTEM, "schema registry %s: the answer has no %s",
                        registry->urls[registry->current], what);
}

/* ---- Schemas by ID ---- */

/* One schema that is being fetched, and the references that it has brought in so far. */
typedef struct fetch {
    mr_registry *registry;
    mr_schemas *set;
    char *paths[REFERENCES_MAX]; /* "/subjects/S/versions/V" */
    size_t n_paths;
    mr_error *err;
} fetch;

static mr_status add_answer(fetch *f, const mr_json *answer, const char *origin, int depth,
                            const mr_schema **ret_schema);

static bool was_fetched(const fetch *f, const char *path)
{
    for (size_t i = 0; i < f->n_paths; i++) {
        if (strcmp(f->paths[i], path) == 0) {
            return true;
        }
    }
    return false;
}

static mr_status add_reference(fetch *f, const mr_json *json, int depth)
{
    mr_bytes subject;
    int64_t version;
    if (mr_json_string(mr_json_get(json, "subject"), &subject) != MR_OK ||
        mr_json_integer(mr_json_get(json, "version"), &version) != MR_OK) {
        return unexpected(f->registry, "subject and version in a reference", f->err);
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf path = MR_BUF_NULL;
    mr_buf_append_text(&path, "/subjects/");
    mr_http_append_segment(&path, (const char *)subject.data);
    mr_buf_printf(&path, "/versions/%" PRId64, version);
    if (was_fetched(f, mr_buf_text(&path))) {
        return MR_OK;
    }
    if (f->n_paths == REFERENCES_MAX || depth == REFERENCE_DEPTH_MAX) {
        return mr_error_record(f->err, MR_ERR_DATA, "unknown_schema",
                               "it has more than %d references, or nested deeper than %d",
                               REFERENCES_MAX, REFERENCE_DEPTH_MAX);
    }
    f->paths[f->n_paths++] = mr_strdup(mr_buf_text(&path));
    MR_CLEANUP(mr_json_freep) mr_json *answer = NULL;
    const mr_schema *ignored;
    MR_TRY(request(f->registry, mr_buf_text(&path), MR_BYTES_NULL, &answer, f->err));
    return add_answer(f, answer, mr_buf_text(&path), depth + 1, &ignored);
}

/* Adds what the schema of an answer refers to, then the schema. */
static mr_status add_answer(fetch *f, const mr_json *answer, const char *origin, int depth,
                            const mr_schema **ret_schema)
{
    mr_bytes text;
    mr_bytes type;
    if (mr_json_string(mr_json_get(answer, "schema"), &text) != MR_OK) {
        return unexpected(f->registry, "schema", f->err);
    }
    /* Registries leave out the type where it is Avro. */
    if (mr_json_string(mr_json_get(answer, "schemaType"), &type) == MR_OK &&
        !mr_bytes_equal_text(type, "AVRO")) {
        return mr_error_record(f->err, MR_ERR_DATA, "unknown_schema",
                               "it is of the type %.32s, expected AVRO", (const char *)type.data);
    }
    const mr_json *references = mr_json_get(answer, "references");
    for (const mr_json *item = mr_json_first(references); item != NULL; item = mr_json_next(item)) {
        MR_TRY(add_reference(f, item, depth));
    }
    if (mr_schemas_add(f->set, (const char *)text.data, origin, ret_schema, f->err) != MR_OK) {
        char reason[sizeof(f->err->message)];
        memcpy(reason, f->err->message, sizeof(reason));
        return mr_error_record(f->err, MR_ERR_DATA, "unknown_schema", "%s", reason);
    }
    return MR_OK;
}

static mr_status fetch_schema(mr_registry *registry, int32_t id, known_schema *ret_known,
                              mr_error *err)
{
    char path[40];
    (void)snprintf(path, sizeof(path), "/schemas/ids/%" PRId32, id);
    MR_CLEANUP(mr_json_freep) mr_json *answer = NULL;
    MR_TRY(request(registry, path, MR_BYTES_NULL, &answer, err));
    fetch f = {.registry = registry, .set = mr_schemas_new(), .err = err};
    const mr_schema *schema = NULL;
    const mr_status status = add_answer(&f, answer, path, 0, &schema);
    for (size_t i = 0; i < f.n_paths; i++) {
        free(f.paths[i]);
    }
    if (status < 0) {
        mr_schemas_free(f.set);
        return status;
    }
    *ret_known = (known_schema){.id = id, .schema = schema, .set = f.set};
    return MR_OK;
}

static const mr_schema *find_schema(mr_registry *registry, int32_t id)
{
    known_schema *known = NULL;
    (void)pthread_mutex_lock(&registry->cache_lock);
    HASH_FIND(hh, registry->schemas, &id, sizeof(id), known);
    (void)pthread_mutex_unlock(&registry->cache_lock);
    return known == NULL ? NULL : known->schema;
}

static mr_status schema_locked(mr_registry *registry, int32_t id, const mr_schema **ret_schema,
                               mr_error *err)
{
    /* Another thread may have asked while this one waited. */
    *ret_schema = find_schema(registry, id);
    if (*ret_schema != NULL) {
        return MR_OK;
    }
    known_schema *known = mr_alloc(sizeof(*known));
    const mr_status status = fetch_schema(registry, id, known, err);
    if (status < 0) {
        free(known);
        return mr_error_prefix(err, "schema ID %" PRId32, id);
    }
    (void)pthread_mutex_lock(&registry->cache_lock);
    HASH_ADD(hh, registry->schemas, id, sizeof(known->id), known);
    (void)pthread_mutex_unlock(&registry->cache_lock);
    *ret_schema = known->schema;
    return MR_OK;
}

mr_status mr_registry_schema(mr_registry *registry, int32_t id, const mr_schema **ret_schema,
                             mr_error *err)
{
    const mr_schema *schema = find_schema(registry, id);
    if (schema == NULL) {
        (void)pthread_mutex_lock(&registry->http_lock);
        const mr_status status = schema_locked(registry, id, &schema, err);
        (void)pthread_mutex_unlock(&registry->http_lock);
        if (status < 0) {
            return status;
        }
    }
    *ret_schema = schema;
    return MR_OK;
}

/* ---- IDs by subject and schema ---- */

static bool find_id(mr_registry *registry, const char *key, int32_t *ret_id)
{
    known_id *known = NULL;
    (void)pthread_mutex_lock(&registry->cache_lock);
    HASH_FIND_STR(registry->ids, key, known);
    if (known != NULL) {
        *ret_id = known->id;
    }
    (void)pthread_mutex_unlock(&registry->cache_lock);
    return known != NULL;
}

static mr_status post_schema(mr_registry *registry, const char *subject, const mr_schema *schema,
                             int32_t *ret_id, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf path = MR_BUF_NULL;
    mr_buf_append_text(&path, "/subjects/");
    mr_http_append_segment(&path, subject);
    mr_buf_append_text(&path, "/versions");
    MR_CLEANUP(mr_buf_deinit) mr_buf body = MR_BUF_NULL;
    mr_json_writer writer = mr_json_writer_on(&body);
    mr_json_open_object(&writer);
    mr_json_put_name(&writer, "schema");
    mr_json_put_text(&writer, mr_schema_json(schema));
    mr_json_close_object(&writer);
    MR_CLEANUP(mr_json_freep) mr_json *answer = NULL;
    MR_TRY(request(registry, mr_buf_text(&path), mr_buf_bytes(&body), &answer, err));
    int64_t id;
    if (mr_json_integer(mr_json_get(answer, "id"), &id) != MR_OK || id < 0 || id > INT32_MAX) {
        return unexpected(registry, "id", err);
    }
    *ret_id = (int32_t)id;
    return MR_OK;
}

static mr_status register_locked(mr_registry *registry, const char *subject,
                                 const mr_schema *schema, const char *key, int32_t *ret_id,
                                 mr_error *err)
{
    if (find_id(registry, key, ret_id)) {
        return MR_OK;
    }
    if (post_schema(registry, subject, schema, ret_id, err) < 0) {
        return mr_error_prefix(err, "register %s under subject '%s'", mr_schema_name(schema),
                               subject);
    }
    known_id *known = mr_alloc(sizeof(*known));
    *known = (known_id){.key = mr_strdup(key), .id = *ret_id};
    (void)pthread_mutex_lock(&registry->cache_lock);
    HASH_ADD_KEYPTR(hh, registry->ids, known->key, strlen(known->key), known);
    (void)pthread_mutex_unlock(&registry->cache_lock);
    return MR_OK;
}

mr_status mr_registry_register(mr_registry *registry, const char *subject, const mr_schema *schema,
                               int32_t *ret_id, mr_error *err)
{
    char *key = mr_asprintf("%s\n%s", subject, mr_schema_json(schema));
    int32_t id = 0;
    mr_status status = MR_OK;
    if (!find_id(registry, key, &id)) {
        (void)pthread_mutex_lock(&registry->http_lock);
        status = register_locked(registry, subject, schema, key, &id, err);
        (void)pthread_mutex_unlock(&registry->http_lock);
    }
    free(key);
    if (status == MR_OK) {
        *ret_id = id;
    }
    return status;
}
