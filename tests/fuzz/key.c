/* Two encoded store keys; the first byte is the length of the first. What is read as parts is
 * written as the same bytes; keys sort as their parts do; a prefix ends before its successor. */
#include <mr/keys.h>

#include "fuzz.h"

typedef struct parsed_key {
    mr_buf scratch;
    mr_key_part parts[MR_KEY_PARTS_MAX];
    size_t n;
    bool good;
} parsed_key;

static parsed_key parse(mr_bytes key)
{
    parsed_key parsed = {.scratch = MR_BUF_NULL};
    mr_error err;
    mr_buf again = MR_BUF_NULL;
    parsed.good = mr_key_parse(key, &parsed.scratch, parsed.parts, &parsed.n, &err) == MR_OK;
    if (parsed.good) {
        for (size_t i = 0; i < parsed.n; i++) {
            mr_key_append(&again, &parsed.parts[i]);
        }
        assert(mr_bytes_compare(mr_buf_bytes(&again), key) == 0);
    }
    mr_buf_deinit(&again);
    return parsed;
}

static int compare_parts(const mr_key_part *a, const mr_key_part *b)
{
    if (a->kind != b->kind) {
        return a->kind == MR_KEY_STRING ? -1 : 1;
    }
    return a->kind == MR_KEY_STRING ? mr_bytes_compare(a->text, b->text)
                                    : (a->number > b->number) - (a->number < b->number);
}

static int compare(const parsed_key *a, const parsed_key *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        const int order = compare_parts(&a->parts[i], &b->parts[i]);
        if (order != 0) {
            return order;
        }
    }
    return (a->n > b->n) - (a->n < b->n);
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void check_successor(mr_bytes prefix, mr_bytes key)
{
    mr_buf successor = MR_BUF_NULL;
    if (mr_key_successor(prefix, &successor) == MR_OK) {
        const bool in_range = mr_bytes_compare(key, prefix) >= 0 &&
                              mr_bytes_compare(key, mr_buf_bytes(&successor)) < 0;
        assert(in_range == mr_bytes_starts_with(key, prefix));
    }
    mr_buf_deinit(&successor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] >= size) {
        return 0;
    }
    const mr_bytes first = mr_bytes_of(data + 1, data[0]);
    const mr_bytes second = mr_bytes_of(data + 1 + data[0], size - 1 - data[0]);
    parsed_key a = parse(first);
    parsed_key b = parse(second);
    if (a.good && b.good) {
        assert(sign(compare(&a, &b)) == sign(mr_bytes_compare(first, second)));
    }
    check_successor(first, second);
    mr_buf_deinit(&a.scratch);
    mr_buf_deinit(&b.scratch);
    return 0;
}
