/* JSON without a schema: answers of a registry or of another instance, lines for `emit`. What is
 * accepted is printed as JSON that is read as the same. */
#include <mr/json.h>

#include "fuzz.h"

static void check_same(const mr_json *a, const mr_json *b)
{
    mr_bytes text_a = MR_BYTES_NULL;
    mr_bytes text_b = MR_BYTES_NULL;
    int64_t number_a = 0;
    int64_t number_b = 0;
    assert(mr_json_kind_of(a) == mr_json_kind_of(b));
    assert(mr_bytes_equal(mr_json_name_of(a), mr_json_name_of(b)));
    assert(mr_json_string(a, &text_a) == mr_json_string(b, &text_b));
    assert(mr_bytes_equal(text_a, text_b));
    assert(mr_json_integer(a, &number_a) == mr_json_integer(b, &number_b));
    assert(number_a == number_b);
    const mr_json *item_b = mr_json_first(b);
    for (const mr_json *item_a = mr_json_first(a); item_a != NULL; item_a = mr_json_next(item_a)) {
        assert(item_b != NULL);
        check_same(item_a, item_b);
        item_b = mr_json_next(item_b);
    }
    assert(item_b == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mr_buf first = MR_BUF_NULL;
    mr_buf second = MR_BUF_NULL;
    mr_json *json = NULL;
    mr_error err;
    if (mr_json_parse(mr_bytes_of(data, size), &json, &err) == MR_OK) {
        mr_json *again = NULL;
        mr_json_raw(json, &first);
        const mr_status status = mr_json_parse(mr_buf_bytes(&first), &again, &err);
        assert(status == MR_OK);
        check_same(json, again);
        mr_json_raw(again, &second);
        assert(mr_bytes_equal(mr_buf_bytes(&first), mr_buf_bytes(&second)));
        mr_json_free(again);
    }
    mr_json_free(json);
    mr_buf_deinit(&first);
    mr_buf_deinit(&second);
    return 0;
}
