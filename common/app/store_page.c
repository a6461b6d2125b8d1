#include "app/store_page.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/store_key.h"
#include "core/text.h"

void mr_store_page_deinit(mr_store_page *page)
{
    mr_buf_deinit(&page->from);
    mr_buf_deinit(&page->to);
    mr_buf_deinit(&page->after_key);
    *page = (mr_store_page){0};
}

static void raise_from(mr_store_page *page, mr_bytes key)
{
    if (mr_bytes_compare(key, mr_buf_bytes(&page->from)) > 0) {
        mr_buf_clear(&page->from);
        mr_buf_append_bytes(&page->from, key);
    }
}

static void lower_to(mr_store_page *page, mr_bytes key)
{
    if (!page->has_to || mr_bytes_compare(key, mr_buf_bytes(&page->to)) < 0) {
        mr_buf_clear(&page->to);
        mr_buf_append_bytes(&page->to, key);
        page->has_to = true;
    }
}

static mr_status read_prefix(const mr_store_spec *store, mr_bytes text, mr_store_page *page,
                             mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf prefix = MR_BUF_NULL;
    MR_CLEANUP(mr_buf_deinit) mr_buf end = MR_BUF_NULL;
    MR_TRY(mr_store_key_prefix(store, text, &prefix, err));
    raise_from(page, mr_buf_bytes(&prefix));
    if (mr_key_successor(mr_buf_bytes(&prefix), &end) == MR_OK) {
        lower_to(page, mr_buf_bytes(&end));
    }
    return MR_OK;
}

static mr_status read_bounds(const mr_store_spec *store, const mr_store_page_request *request,
                             mr_store_page *page, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf bound = MR_BUF_NULL;
    if (!mr_bytes_is_null(request->prefix)) {
        MR_TRY(read_prefix(store, request->prefix, page, err));
    }
    if (!mr_bytes_is_null(request->from)) {
        MR_TRY(mr_store_key_bound(store, request->from, &bound, err));
        raise_from(page, mr_buf_bytes(&bound));
    }
    if (!mr_bytes_is_null(request->to)) {
        mr_buf_clear(&bound);
        MR_TRY(mr_store_key_bound(store, request->to, &bound, err));
        lower_to(page, mr_buf_bytes(&bound));
    }
    return MR_OK;
}

static mr_status read_limit(const mr_store_page_request *request, mr_store_page *page,
                            mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    int64_t limit = (int64_t)request->limit_preset;
    if (!mr_bytes_is_null(request->limit)) {
        mr_buf_append_bytes(&text, request->limit);
        if (strlen(mr_buf_text(&text)) != text.len ||
            mr_parse_int64(mr_buf_text(&text), &limit) != MR_OK) {
            limit = 0;
        }
    }
    if (limit < 1 || limit > (int64_t)request->limit_max) {
        return mr_error_set(err, MR_ERR_USAGE, "limit is a whole number from 1 to %zu",
                            request->limit_max);
    }
    page->limit = (size_t)limit;
    return MR_OK;
}

/* ---- Cursor ---- */

static mr_status wrong_cursor(mr_error *err)
{
    return mr_error_set(err, MR_ERR_USAGE, "cursor is none that a page before gave");
}

static mr_status read_cursor(mr_bytes cursor, mr_store_page *page, mr_error *err)
{
    enum { NUMBER_SIZE = 12 };
    const uint8_t *dash = cursor.len == 0 ? NULL : memchr(cursor.data, '-', cursor.len);
    const size_t len = dash == NULL ? NUMBER_SIZE : (size_t)(dash - cursor.data);
    char number[NUMBER_SIZE];
    int64_t partition;
    if (len >= sizeof(number)) {
        return wrong_cursor(err);
    }
    memcpy(number, cursor.data, len);
    number[len] = '\0';
    const mr_bytes hex = mr_bytes_of(dash + 1, cursor.len - len - 1);
    if (mr_parse_int64(number, &partition) != MR_OK || partition < 0 || partition > INT32_MAX ||
        hex.len % 2 != 0) {
        return wrong_cursor(err);
    }
    /* The digits are a percent-encoded text without its percent signs. */
    MR_CLEANUP(mr_buf_deinit) mr_buf encoded = MR_BUF_NULL;
    for (size_t i = 0; i < hex.len; i += 2) {
        mr_buf_append_byte(&encoded, '%');
        mr_buf_append(&encoded, hex.data + i, 2);
    }
    if (mr_percent_decode(mr_buf_bytes(&encoded), false, &page->after_key, err) != MR_OK) {
        return wrong_cursor(err);
    }
    page->after_partition = (int32_t)partition;
    page->has_after = true;
    raise_from(page, mr_buf_bytes(&page->after_key));
    return MR_OK;
}

void mr_store_page_cursor(const mr_query_row *last, mr_buf *cursor)
{
    mr_buf_printf(cursor, "%" PRId32 "-", last->partition);
    for (size_t i = 0; i < last->key.len; i++) {
        mr_buf_printf(cursor, "%02x", last->key.data[i]);
    }
}

mr_status mr_store_page_read(const mr_store_spec *store, const mr_store_page_request *request,
                             mr_store_page *page, mr_error *err)
{
    MR_TRY(read_limit(request, page, err));
    MR_TRY(read_bounds(store, request, page, err));
    if (!mr_bytes_is_null(request->cursor)) {
        MR_TRY(read_cursor(request->cursor, page, err));
    }
    if (page->has_to && mr_bytes_compare(mr_buf_bytes(&page->to), mr_buf_bytes(&page->from)) < 0) {
        mr_buf_clear(&page->to); /* nothing, said as a range that is none but in order */
        mr_buf_append_bytes(&page->to, mr_buf_bytes(&page->from));
    }
    return MR_OK;
}

/* ---- Order ---- */

static int compare_position(mr_bytes key_a, int32_t partition_a, mr_bytes key_b,
                            int32_t partition_b)
{
    const int order = mr_bytes_compare(key_a, key_b);
    return order != 0 ? order : (partition_a > partition_b) - (partition_a < partition_b);
}

static int compare_rows(const void *a, const void *b)
{
    const mr_query_row *row_a = a;
    const mr_query_row *row_b = b;
    return compare_position(row_a->key, row_a->partition, row_b->key, row_b->partition);
}

void mr_store_page_sort(mr_query *query)
{
    if (query->n_rows > 1) {
        qsort(query->rows, query->n_rows, sizeof(query->rows[0]), compare_rows);
    }
}

size_t mr_store_page_skip(const mr_store_page *page, const mr_query *query)
{
    size_t i = 0;
    while (page->has_after && i < query->n_rows &&
           compare_position(query->rows[i].key, query->rows[i].partition,
                            mr_buf_bytes(&page->after_key), page->after_partition) <= 0) {
        i++;
    }
    return i;
}
