/* The target of a request, as it is answered: the store's key from the path, the page from the
 * query. A key is the same when it goes through JSON, a page goes on behind the cursor that it
 * gave. */
#include "app/http_target.h"

#include "app/store_key.h"
#include "app/store_page.h"
#include "core/text.h"
#include "fuzz.h"

enum { LIMIT_PRESET = 100, LIMIT_MAX = 1000, STORES = 3 };

static mr_store_page_request request_of(const mr_http_target *target)
{
    return (mr_store_page_request){.prefix = mr_http_target_parameter(target, "prefix"),
                                   .from = mr_http_target_parameter(target, "from"),
                                   .to = mr_http_target_parameter(target, "to"),
                                   .limit = mr_http_target_parameter(target, "limit"),
                                   .cursor = mr_http_target_parameter(target, "cursor"),
                                   .limit_preset = LIMIT_PRESET,
                                   .limit_max = LIMIT_MAX};
}

static void check_cursor(const mr_store_spec *store, mr_bytes key)
{
    const mr_query_row last = {.partition = 7, .key = key};
    mr_buf cursor = MR_BUF_NULL;
    mr_store_page page = {0};
    mr_error err;
    mr_store_page_cursor(&last, &cursor);
    const mr_store_page_request request = {
        .cursor = mr_buf_bytes(&cursor), .limit_preset = LIMIT_PRESET, .limit_max = LIMIT_MAX};
    const mr_status status = mr_store_page_read(store, &request, &page, &err);
    assert(status == MR_OK && page.has_after && page.after_partition == last.partition);
    assert(mr_bytes_compare(mr_buf_bytes(&page.after_key), key) == 0);
    mr_store_page_deinit(&page);
    mr_buf_deinit(&cursor);
}

static void check_page(const mr_store_spec *store, const mr_http_target *target)
{
    const mr_store_page_request request = request_of(target);
    mr_store_page page = {0};
    mr_error err;
    const mr_status status = mr_store_page_read(store, &request, &page, &err);
    assert(status == MR_OK || status == MR_ERR_USAGE);
    if (status == MR_OK) {
        assert(page.limit >= 1 && page.limit <= LIMIT_MAX);
        assert(!page.has_to ||
               mr_bytes_compare(mr_buf_bytes(&page.from), mr_buf_bytes(&page.to)) <= 0);
    }
    mr_store_page_deinit(&page);
}

/* Text that is no UTF-8 is shown with replacement characters: then it is another key. */
static void check_json(const mr_store_spec *store, mr_bytes key, bool is_utf8)
{
    mr_buf text = MR_BUF_NULL;
    mr_buf again = MR_BUF_NULL;
    mr_json *json = NULL;
    mr_error err;
    mr_json_writer writer = mr_json_writer_on(&text);
    mr_status status = mr_store_key_to_json(store, key, &writer, &err);
    assert(status == MR_OK);
    mr_json_finish(&writer);
    status = mr_json_parse(mr_buf_bytes(&text), &json, &err);
    assert(status == MR_OK);
    status = mr_store_key_from_json(store, json, &again, &err);
    assert(status == MR_OK);
    assert(!is_utf8 || mr_bytes_compare(key, mr_buf_bytes(&again)) == 0);
    mr_json_free(json);
    mr_buf_deinit(&text);
    mr_buf_deinit(&again);
}

static void check_key(const mr_store_spec *store, const mr_http_target *target)
{
    mr_bytes parts[MR_TARGET_SEGMENTS_MAX];
    mr_buf key = MR_BUF_NULL;
    mr_error err;
    bool is_utf8 = true;
    for (size_t i = 0; i < target->n_segments; i++) {
        parts[i] = mr_buf_bytes(&target->segments[i]);
        is_utf8 = is_utf8 && mr_text_is_utf8(parts[i]);
    }
    const mr_status status = mr_store_key_encode(store, parts, target->n_segments, &key, &err);
    assert(status == MR_OK || status == MR_ERR_USAGE);
    if (status == MR_OK) {
        check_json(store, mr_buf_bytes(&key), is_utf8);
        check_cursor(store, mr_buf_bytes(&key));
    }
    mr_buf_deinit(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[] = "rows";
    const mr_store_spec stores[STORES] = {
        {.name = name, .key = {.raw = true}},
        {.name = name, .key = {.kinds = {MR_KEY_STRING}, .n = 1}},
        {.name = name, .key = {.kinds = {MR_KEY_STRING, MR_KEY_LONG, MR_KEY_STRING}, .n = 3}},
    };
    mr_buf text = MR_BUF_NULL;
    mr_http_target target;
    mr_error err;
    mr_buf_append(&text, data, size);
    const mr_status status = mr_http_target_parse(mr_buf_text(&text), &target, &err);
    assert(status == MR_OK || status == MR_ERR_USAGE);
    for (size_t i = 0; status == MR_OK && i < STORES; i++) {
        check_page(&stores[i], &target);
        check_key(&stores[i], &target);
    }
    mr_http_target_deinit(&target);
    mr_buf_deinit(&text);
    return 0;
}
