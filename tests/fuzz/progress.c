/* The progress record of a task: bytes of the state directory. Read as they are; and as numbers
 * that are written, which no change of one byte may survive. */
#include "store/progress.h"

#include "fuzz.h"

static void check_bytes(mr_bytes bytes)
{
    mr_progress progress;
    mr_error err;
    mr_buf again = MR_BUF_NULL;
    if (mr_progress_decode(bytes, &progress, &err) == MR_OK) {
        mr_progress_encode(&progress, &again);
        assert(mr_bytes_equal(mr_buf_bytes(&again), bytes));
    }
    mr_buf_deinit(&again);
}

static void check_numbers(mr_bytes numbers)
{
    mr_progress progress = mr_progress_none();
    mr_progress again;
    mr_error err;
    mr_buf bytes = MR_BUF_NULL;
    const uint8_t number_of_stores = numbers.data[0];
    const uint8_t at = numbers.data[1];
    const uint8_t change = numbers.data[2];
    progress.n_stores = number_of_stores % (MR_STORES_MAX + 1);
    for (size_t i = 3; i < numbers.len; i++) {
        int64_t *number = &progress.changelog_offset[i % (MR_STORES_MAX)];
        *number = (int64_t)((uint64_t)*number << 8 | numbers.data[i]);
    }
    progress.input_offset = progress.changelog_offset[at % MR_STORES_MAX];
    progress.commit = progress.changelog_offset[change % MR_STORES_MAX];
    mr_progress_encode(&progress, &bytes);
    const mr_status status = mr_progress_decode(mr_buf_bytes(&bytes), &again, &err);
    assert(status == MR_OK);
    assert(again.n_stores == progress.n_stores && again.commit == progress.commit &&
           again.input_offset == progress.input_offset);
    for (size_t i = 0; i < progress.n_stores; i++) {
        assert(again.changelog_offset[i] == progress.changelog_offset[i]);
    }
    if (change != 0) {
        bytes.data[at % bytes.len] ^= change;
        const mr_status changed = mr_progress_decode(mr_buf_bytes(&bytes), &again, &err);
        assert(changed == MR_ERR_STORE);
    }
    mr_buf_deinit(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_bytes(mr_bytes_of(data, size));
    if (size > 3) {
        check_numbers(mr_bytes_of(data, size));
    }
    return 0;
}
