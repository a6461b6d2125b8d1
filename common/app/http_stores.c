/* /stores: one row by its key, or a page of rows in key order. Values are decoded to JSON with the
 * store's schema by a codec of the request's own. */
#include "app/http_service.h"

#include <inttypes.h>
#include <stdlib.h>

#include <mr/codec.h>

#include "app/store_key.h"
#include "app/store_page.h"
#include "core/alloc.h"
#include "core/text.h"

enum {
    QUERY_TIMEOUT_MS = 5000,
    LIMIT_DEFAULT = 100,
    LIMIT_MAX = 10000,
    BODY_BYTES_MAX = 8 << 20, /* a page ends early rather than be larger, but for one row */
};

/* ---- What there is ---- */

static void put_store(mr_json_writer *json, const mr_store_spec *store)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf key = MR_BUF_NULL;
    mr_store_key_describe(store, &key);
    mr_json_open_object(json);
    mr_json_put_name(json, "store");
    mr_json_put_text(json, store->name);
    mr_json_put_name(json, "key");
    mr_json_put_text(json, mr_buf_text(&key));
    mr_json_put_name(json, "value");
    mr_json_put_text(json, mr_schema_name(store->value));
    mr_json_close_object(json);
}

static void answer_list(const mr_stage *stage, mr_http_answer *answer)
{
    mr_json_writer json = mr_json_writer_on(&answer->body);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "stores");
    mr_json_open_array(&json);
    for (size_t i = 0; i < stage->n_stores; i++) {
        if (!stage->stores[i].internal) {
            put_store(&json, &stage->stores[i]);
        }
    }
    mr_json_close_array(&json);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    mr_buf_append_byte(&answer->body, '\n');
}

static const mr_store_spec *find_store(const mr_stage *stage, const mr_http_target *target,
                                       mr_http_answer *answer)
{
    const char *name = mr_buf_text(&target->segments[1]);
    const mr_store_spec *store = mr_stage_store(stage, name);
    if (store != NULL && !store->internal) {
        return store;
    }
    const char *nearest = stage->n_stores == 0
                              ? NULL
                              : mr_text_nearest(name, (const char *const *)&stage->stores[0].name,
                                                stage->n_stores, sizeof(stage->stores[0]));
    mr_http_fail(answer, 404, "stage '%s' has no store '%.80s'%s%s%s", stage->name, name,
                 nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                 nearest == NULL ? "" : "'?");
    return NULL;
}

/* ---- Asking ---- */

static int status_of(const mr_error *err)
{
    return err->status == MR_ERR_USAGE ? 400 : err->action == MR_ACT_RETRY ? 503 : 500;
}

/* MR_OK, or the answer says what is wrong. */
static mr_status ask(mr_http_service *service, mr_query *query, mr_http_answer *answer)
{
    mr_processor *processor = atomic_load(&service->processor);
    mr_error err;
    if (processor == NULL) {
        mr_http_fail(answer, 503, "starting");
        return MR_TIMED_OUT;
    }
    query->partition = -1;
    query->timeout_ms = QUERY_TIMEOUT_MS;
    const mr_status status = mr_processor_query(processor, query, &err);
    if (status == MR_TIMED_OUT) {
        mr_http_fail(answer, 503, "a worker did not answer within %d ms", QUERY_TIMEOUT_MS);
    } else if (status != MR_OK) {
        mr_http_fail(answer, status_of(&err), "%s", err.message);
    }
    return status;
}

static bool is_restoring(const mr_query *query)
{
    for (size_t i = 0; i < query->n_positions; i++) {
        if (query->positions[i].restoring) {
            return true;
        }
    }
    return false;
}

static void put_positions(mr_json_writer *json, const mr_query *query)
{
    mr_json_put_name(json, "positions");
    mr_json_open_array(json);
    for (size_t i = 0; i < query->n_positions; i++) {
        mr_json_open_object(json);
        mr_json_put_name(json, "partition");
        mr_json_put_integer(json, query->positions[i].partition);
        mr_json_put_name(json, "offset");
        mr_json_put_integer(json, query->positions[i].offset);
        mr_json_close_object(json);
    }
    mr_json_close_array(json);
}

/* ---- Rows ---- */

/* "key": [...], "value": {...} */
static mr_status put_row(mr_json_writer *json, mr_codec *codec, const mr_store_spec *store,
                         const mr_query_row *row, mr_error *err)
{
    const mr_type *type = mr_schema_type(store->value);
    mr_json_put_name(json, "partition");
    mr_json_put_integer(json, row->partition);
    mr_json_put_name(json, "key");
    MR_TRY(mr_store_key_to_json(store, row->key, json, err));
    void *value = mr_value_new(type);
    const mr_status status = mr_codec_decode(codec, row->value, store->value, value, err);
    if (status == MR_OK) {
        mr_json_put_name(json, "value");
        mr_json_put_value(json, type, value);
    }
    mr_value_free(type, value);
    return status;
}

static mr_codec *codec_of(const mr_http_service *service)
{
    return mr_codec_new(service->stage->app->schemas, service->registry, service->framing);
}

static int64_t position_of(const mr_query *query, int32_t partition)
{
    for (size_t i = 0; i < query->n_positions; i++) {
        if (query->positions[i].partition == partition) {
            return query->positions[i].offset;
        }
    }
    return -1;
}

static void write_found(mr_http_service *service, const mr_store_spec *store, const mr_query *query,
                        mr_http_answer *answer)
{
    MR_CLEANUP(mr_codec_freep) mr_codec *codec = codec_of(service);
    mr_error err;
    mr_json_writer json = mr_json_writer_on(&answer->body);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "store");
    mr_json_put_text(&json, store->name);
    if (put_row(&json, codec, store, &query->rows[0], &err) != MR_OK) {
        mr_http_fail(answer, status_of(&err), "%s", err.message);
        return;
    }
    mr_json_put_name(&json, "offset");
    mr_json_put_integer(&json, position_of(query, query->rows[0].partition));
    mr_json_close_object(&json);
    mr_json_finish(&json);
    mr_buf_append_byte(&answer->body, '\n');
}

static void write_missing(const mr_store_spec *store, const mr_query *query, mr_http_answer *answer)
{
    answer->status = 404;
    mr_json_writer json = mr_json_writer_on(&answer->body);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "error");
    mr_json_put_text(&json, "there is no such row");
    mr_json_put_name(&json, "store");
    mr_json_put_text(&json, store->name);
    put_positions(&json, query);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    mr_buf_append_byte(&answer->body, '\n');
}

static void answer_get(mr_http_service *service, const mr_store_spec *store,
                       const mr_http_target *target, mr_http_answer *answer)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf key = MR_BUF_NULL;
    MR_CLEANUP(mr_query_deinit) mr_query query = {.limit = 1};
    mr_bytes parts[MR_TARGET_SEGMENTS_MAX];
    mr_error err;
    const size_t n = target->n_segments - 2;
    for (size_t i = 0; i < n; i++) {
        parts[i] = mr_buf_bytes(&target->segments[i + 2]);
    }
    if (mr_store_key_encode(store, parts, n, &key, &err) != MR_OK) {
        mr_http_fail(answer, 400, "%s", err.message);
        return;
    }
    query.store = (size_t)(store - service->stage->stores);
    query.key = mr_buf_bytes(&key);
    if (ask(service, &query, answer) != MR_OK) {
        return;
    }
    if (query.n_rows > 0) {
        write_found(service, store, &query, answer);
    } else if (is_restoring(&query)) {
        mr_http_fail(answer, 503, "restoring: the row may be in what is not there yet");
    } else {
        write_missing(store, &query, answer);
    }
}

/* ---- Pages ---- */

static mr_status read_page(const mr_store_spec *store, const mr_http_target *target,
                           mr_store_page *page, mr_error *err)
{
    static const char *const names[] = {"prefix", "from", "to", "limit", "cursor", "stage"};
    enum { N_NAMES = sizeof(names) / sizeof(names[0]) };
    for (size_t i = 0; i < target->n_parameters; i++) {
        const char *name = mr_buf_text(&target->parameters[i].name);
        size_t known = 0;
        while (known < N_NAMES && strcmp(names[known], name) != 0) {
            known++;
        }
        if (known == N_NAMES) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "unknown parameter '%.40s': there are prefix, from, to, limit, "
                                "cursor and stage",
                                name);
        }
    }
    const mr_store_page_request request = {
        .prefix = mr_http_target_parameter(target, "prefix"),
        .from = mr_http_target_parameter(target, "from"),
        .to = mr_http_target_parameter(target, "to"),
        .limit = mr_http_target_parameter(target, "limit"),
        .cursor = mr_http_target_parameter(target, "cursor"),
        .limit_preset = LIMIT_DEFAULT,
        .limit_max = LIMIT_MAX,
    };
    return mr_store_page_read(store, &request, page, err);
}

static void end_page(mr_json_writer *json, const mr_query *query, const mr_query_row *last,
                     mr_http_answer *answer)
{
    mr_json_close_array(json);
    mr_json_put_name(json, "cursor");
    if (last == NULL) {
        mr_json_put_null(json);
    } else {
        MR_CLEANUP(mr_buf_deinit) mr_buf cursor = MR_BUF_NULL;
        mr_store_page_cursor(last, &cursor);
        mr_json_put_text(json, mr_buf_text(&cursor));
    }
    put_positions(json, query);
    mr_json_close_object(json);
    mr_json_finish(json);
    mr_buf_append_byte(&answer->body, '\n');
}

static void write_page(mr_http_service *service, const mr_store_spec *store,
                       const mr_store_page *page, mr_query *query, mr_http_answer *answer)
{
    MR_CLEANUP(mr_codec_freep) mr_codec *codec = codec_of(service);
    mr_error err;
    mr_json_writer json = mr_json_writer_on(&answer->body);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "store");
    mr_json_put_text(&json, store->name);
    mr_json_put_name(&json, "rows");
    mr_json_open_array(&json);
    mr_store_page_sort(query);
    size_t n = 0;
    size_t i = mr_store_page_skip(page, query);
    while (i < query->n_rows && n < page->limit && (n == 0 || answer->body.len < BODY_BYTES_MAX)) {
        mr_json_open_object(&json);
        if (put_row(&json, codec, store, &query->rows[i], &err) != MR_OK) {
            mr_http_fail(answer, status_of(&err), "%s", err.message);
            return;
        }
        mr_json_close_object(&json);
        n++;
        i++;
    }
    end_page(&json, query, i < query->n_rows ? &query->rows[i - 1] : NULL, answer);
}

static void answer_scan(mr_http_service *service, const mr_store_spec *store,
                        const mr_http_target *target, mr_http_answer *answer)
{
    MR_CLEANUP(mr_store_page_deinit) mr_store_page page = {0};
    MR_CLEANUP(mr_query_deinit) mr_query query = {0};
    mr_error err;
    if (read_page(store, target, &page, &err) != MR_OK) {
        mr_http_fail(answer, 400, "%s", err.message);
        return;
    }
    query.store = (size_t)(store - service->stage->stores);
    query.from = mr_buf_bytes(&page.from);
    query.to = page.has_to ? mr_buf_bytes(&page.to) : MR_BYTES_NULL;
    /* One more than is answered tells whether there are more, and one is left out at a cursor. */
    query.limit = page.limit + 2;
    if (ask(service, &query, answer) != MR_OK) {
        return;
    }
    if (is_restoring(&query)) {
        mr_http_fail(answer, 503, "restoring: rows are missing");
        return;
    }
    write_page(service, store, &page, &query, answer);
}

void mr_http_stores_answer(mr_http_service *service, const mr_http_target *target,
                           mr_http_answer *answer)
{
    if (target->n_segments == 1) {
        answer_list(service->stage, answer);
        return;
    }
    const mr_store_spec *store = find_store(service->stage, target, answer);
    if (store == NULL) {
        return;
    }
    if (target->n_segments == 2) {
        answer_scan(service, store, target, answer);
    } else {
        answer_get(service, store, target, answer);
    }
}
