/* A page of rows from a state directory whose processor does not run. */
#include "cli/row_source.h"

#include <stdlib.h>

#include "app/store_key.h"
#include "app/store_page.h"

enum { PAGE_ROWS = 5000 };

mr_status mr_row_source_offline_positions(const mr_cli *cli, const mr_stage *stage,
                                          const char *directory, mr_position_list *positions,
                                          mr_error *err)
{
    MR_CLEANUP(mr_query_deinit) mr_query query = {.partition = -1};
    query.from = mr_bytes_text("");
    const mr_status status = mr_offline_query(directory, stage, &cli->log, &query, err);
    for (size_t i = 0; i < query.n_positions && status == MR_OK; i++) {
        mr_position_list_put(positions, query.positions[i].partition, query.positions[i].offset);
    }
    return status;
}

static mr_status take_row(mr_row_source *source, const mr_query_row *found, mr_error *err)
{
    const mr_store_spec *store = source->request->store;
    const mr_type *type = mr_schema_type(store->value);
    mr_source_row *row = mr_row_source_add(source);
    row->partition = found->partition;
    mr_buf_append_bytes(&row->key, found->key);
    mr_json_writer json = mr_json_writer_on(&row->key_json);
    MR_TRY(mr_store_key_to_json(store, found->key, &json, err));
    void *value = mr_value_new(type);
    const mr_status status = mr_codec_decode(source->codec, found->value, store->value, value, err);
    if (status == MR_OK) {
        mr_value_to_json(type, value, &row->value_json);
    }
    mr_value_free(type, value);
    return status;
}

static mr_bytes text_or_null(const char *text)
{
    return text == NULL ? MR_BYTES_NULL : mr_bytes_text(text);
}

static mr_status build_scan(const mr_row_source *source, mr_store_page *page, mr_query *query,
                            mr_error *err)
{
    const mr_rows_request *request = source->request;
    const mr_store_page_request bounds = {.prefix = text_or_null(request->prefix),
                                          .from = text_or_null(request->from),
                                          .to = text_or_null(request->to),
                                          .limit_preset = PAGE_ROWS,
                                          .limit_max = PAGE_ROWS};
    MR_TRY(mr_store_page_read(request->store, &bounds, page, err));
    if (source->next_from.len > 0) {
        mr_buf_clear(&page->from);
        mr_buf_append_bytes(&page->from, mr_buf_bytes(&source->next_from));
    }
    query->from = mr_buf_bytes(&page->from);
    query->to = page->has_to ? mr_buf_bytes(&page->to) : MR_BYTES_NULL;
    query->limit = PAGE_ROWS;
    return MR_OK;
}

static mr_status build_get(const mr_row_source *source, mr_buf *key, mr_query *query, mr_error *err)
{
    const mr_rows_request *request = source->request;
    mr_bytes parts[MR_KEY_PARTS_MAX];
    size_t n = 0;
    while (n < request->n_parts && n < MR_KEY_PARTS_MAX) {
        parts[n] = mr_bytes_text(request->parts[n]);
        n++;
    }
    MR_TRY(mr_store_key_encode(request->store, parts, n, key, err));
    query->key = mr_buf_bytes(key);
    query->limit = 1;
    return MR_OK;
}

static mr_status take_page(mr_row_source *source, const mr_query *query, mr_error *err)
{
    for (size_t i = 0; i < query->n_rows; i++) {
        MR_TRY(take_row(source, &query->rows[i], err));
    }
    source->is_last_page = query->n_rows < PAGE_ROWS || !mr_bytes_is_null(query->key);
    if (!source->is_last_page) {
        /* The smallest key above the last one. */
        mr_buf_clear(&source->next_from);
        mr_buf_append_bytes(&source->next_from, query->rows[query->n_rows - 1].key);
        mr_buf_append_byte(&source->next_from, 0);
    }
    return MR_OK;
}

mr_status mr_row_source_read(mr_row_source *source, mr_error *err)
{
    const mr_rows_request *request = source->request;
    MR_CLEANUP(mr_store_page_deinit) mr_store_page page = {0};
    MR_CLEANUP(mr_buf_deinit) mr_buf key = MR_BUF_NULL;
    MR_CLEANUP(mr_query_deinit)
    mr_query query = {.store = (size_t)(request->store - request->stage->stores),
                      .partition = source->offline_partition};
    if (request->n_parts > 0) {
        MR_TRY(build_get(source, &key, &query, err));
    } else {
        MR_TRY(build_scan(source, &page, &query, err));
    }
    const mr_status status =
        mr_offline_query(source->directory, request->stage, &source->cli->log, &query, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(err, MR_ERR_STORE, "state directory '%s' is gone", source->directory);
    }
    return status == MR_OK ? take_page(source, &query, err) : status;
}
