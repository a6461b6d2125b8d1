/* A page of rows from a processor. */
#include "cli/row_source.h"

#include <stdlib.h>

#include "app/store_key.h"
#include "cli/instances.h"

static void append_parameter(mr_buf *target, const char *name, const char *value)
{
    if (value != NULL) {
        mr_buf_printf(target, "&%s=", name);
        mr_percent_encode(mr_bytes_text(value), target);
    }
}

static void append_target(const mr_row_source *source, mr_buf *target)
{
    const mr_rows_request *request = source->request;
    mr_buf_append_text(target, "/stores/");
    mr_percent_encode(mr_bytes_text(request->store->name), target);
    for (size_t i = 0; i < request->n_parts; i++) {
        mr_buf_append_byte(target, '/');
        mr_percent_encode(mr_bytes_text(request->parts[i]), target);
    }
    if (request->n_parts == 0) {
        mr_buf_append_text(target, "?limit=1000");
        append_parameter(target, "prefix", request->prefix);
        append_parameter(target, "from", request->from);
        append_parameter(target, "to", request->to);
        append_parameter(target, "cursor",
                         source->cursor.len == 0 ? NULL : mr_buf_text(&source->cursor));
    }
}

static mr_status take_row(mr_row_source *source, const mr_json *item, mr_error *err)
{
    mr_source_row *row = mr_row_source_add(source);
    int64_t partition;
    if (mr_json_integer(mr_json_get(item, "partition"), &partition) != MR_OK ||
        mr_json_get(item, "value") == NULL) {
        return mr_error_set(err, MR_ERR_DATA, "http://%s: an answer that is none of a processor",
                            source->address);
    }
    row->partition = (int32_t)partition;
    MR_TRY(
        mr_store_key_from_json(source->request->store, mr_json_get(item, "key"), &row->key, err));
    mr_json_raw(mr_json_get(item, "key"), &row->key_json);
    mr_json_raw(mr_json_get(item, "value"), &row->value_json);
    return MR_OK;
}

static void take_positions(mr_row_source *source, const mr_json *list)
{
    for (const mr_json *item = mr_json_first(list); item != NULL; item = mr_json_next(item)) {
        int64_t partition;
        int64_t offset;
        if (mr_json_integer(mr_json_get(item, "partition"), &partition) == MR_OK &&
            mr_json_integer(mr_json_get(item, "offset"), &offset) == MR_OK) {
            mr_position_list_put(&source->positions, (int32_t)partition, offset);
        }
    }
}

static mr_status take_page(mr_row_source *source, const mr_json *answer, mr_error *err)
{
    const mr_json *rows = mr_json_get(answer, "rows");
    for (const mr_json *item = mr_json_first(rows); item != NULL; item = mr_json_next(item)) {
        MR_TRY(take_row(source, item, err));
    }
    take_positions(source, mr_json_get(answer, "positions"));
    mr_bytes cursor;
    source->is_last_page = mr_json_string(mr_json_get(answer, "cursor"), &cursor) != MR_OK;
    if (!source->is_last_page) {
        mr_buf_clear(&source->cursor);
        mr_buf_append_bytes(&source->cursor, cursor);
    }
    return MR_OK;
}

/* The answer to a get is the row itself, with its partition's offset. */
static mr_status take_found(mr_row_source *source, const mr_json *answer, mr_error *err)
{
    int64_t offset = -1;
    MR_TRY(take_row(source, answer, err));
    if (mr_json_integer(mr_json_get(answer, "offset"), &offset) == MR_OK) {
        mr_position_list_put(&source->positions, source->rows[source->n_rows - 1].partition,
                             offset);
    }
    source->is_last_page = true;
    return MR_OK;
}

static mr_status refused(mr_row_source *source, int http_status, const mr_json *answer,
                         mr_error *err)
{
    mr_bytes reason;
    if (mr_json_string(mr_json_get(answer, "error"), &reason) != MR_OK) {
        reason = mr_bytes_text("no reason given");
    }
    const mr_status status = http_status == 400 ? MR_ERR_USAGE : MR_ERR_SYSTEM;
    (void)mr_error_set(err, status, "http://%s answers %d: %.*s", source->address, http_status,
                       (int)(reason.len < 300 ? reason.len : 300), (const char *)reason.data);
    source->is_busy = http_status == 503;
    return source->is_busy ? MR_TIMED_OUT : status;
}

mr_status mr_row_source_fetch(mr_row_source *source, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf target = MR_BUF_NULL;
    append_target(source, &target);
    int http_status = 0;
    mr_json *parsed = NULL;
    const mr_status status = mr_instance_ask(source->http, source->address, source->request->stage,
                                             mr_buf_text(&target), &http_status, &parsed, err);
    if (status != MR_OK) {
        return status;
    }
    MR_CLEANUP(mr_json_freep) mr_json *answer = parsed;
    const bool is_get = source->request->n_parts > 0;
    if (http_status == 404 && is_get && mr_json_get(answer, "positions") != NULL) {
        take_positions(source, mr_json_get(answer, "positions"));
        source->is_last_page = true;
        return MR_OK;
    }
    if (http_status != 200) {
        return refused(source, http_status, answer, err);
    }
    return is_get ? take_found(source, answer, err) : take_page(source, answer, err);
}
