#include "moment.h"

#include <string.h>

#include "support.h"

enum { STORES = 3, KEYS_PER_STORE = 5, VALUE_BYTES = 400 };

/* Every row has the number; a row that is there only for odd numbers shows that deleting counts. */
mr_status moment_write(mr_partition *partition, int64_t number, mr_error *err)
{
    uint8_t value[VALUE_BYTES];
    mr_row rows[STORES * (KEYS_PER_STORE + 1)];
    uint8_t keys[KEYS_PER_STORE] = {0};
    size_t n = 0;
    memset(value, (int)(number & 0x7f), sizeof(value));
    memcpy(value, &number, sizeof(number));
    for (uint8_t store = 1; store <= STORES; store++) {
        for (uint8_t i = 0; i < KEYS_PER_STORE; i++) {
            keys[i] = i;
            rows[n++] =
                (mr_row){store, mr_bytes_of(&keys[i], 1), mr_bytes_of(value, sizeof(value))};
        }
        rows[n++] = (mr_row){store, mr_bytes_text("odd"),
                             number % 2 == 1 ? mr_bytes_of(value, sizeof(value)) : MR_BYTES_NULL};
    }
    const mr_progress progress = {.input_offset = number,
                                  .commit = number,
                                  .changelog_offset = {number, number, number},
                                  .n_stores = STORES};
    return mr_partition_write(partition, rows, n, &progress, err);
}

static int64_t number_of(mr_bytes value)
{
    int64_t number = 0;
    assert_int_equal(value.len, VALUE_BYTES);
    memcpy(&number, value.data, sizeof(number));
    return number;
}

int64_t moment_read(mr_partition *partition)
{
    mr_error err;
    mr_progress progress;
    assert_ok(mr_partition_progress(partition, &progress, &err));
    const int64_t number = progress.input_offset < 0 ? 0 : progress.input_offset;
    for (uint8_t store = 1; store <= STORES; store++) {
        size_t n = 0;
        mr_cursor *cursor = NULL;
        mr_bytes key = MR_BYTES_NULL;
        mr_bytes value = MR_BYTES_NULL;
        assert_ok(mr_cursor_open(partition, store, MR_BYTES_NULL, MR_BYTES_NULL, &cursor, &err));
        mr_status status = mr_cursor_next(cursor, &key, &value, &err);
        for (; status == MR_OK; n++) {
            assert_true(number_of(value) == number);
            status = mr_cursor_next(cursor, &key, &value, &err);
        }
        assert_int_equal(status, MR_END);
        mr_cursor_close(cursor);
        assert_int_equal(n, number == 0 ? 0 : KEYS_PER_STORE + (size_t)(number % 2));
        assert_true(number == 0 || progress.changelog_offset[store - 1] == number);
    }
    return number;
}
