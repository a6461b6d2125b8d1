/* Where a replay begins, as people and kafka-consumer-groups write it: the first line a time, the
 * second a duration, the rest a file of offsets. What is accepted can be an offset or a time. */
#include "cli/replay_start.h"

#include "fuzz.h"

static void check_times(mr_bytes datetime, mr_bytes duration)
{
    int64_t ms = -1;
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_bytes(&text, datetime);
    (void)(mr_replay_datetime(mr_buf_text(&text), &ms) == MR_OK);
    mr_buf_clear(&text);
    mr_buf_append_bytes(&text, duration);
    assert(mr_replay_duration(mr_buf_text(&text), &ms) != MR_OK || ms >= 0);
    mr_buf_deinit(&text);
}

static void check_file(mr_bytes file)
{
    mr_error err;
    mr_replay_start start = {.kind = MR_REPLAY_FILE};
    if (mr_replay_read_csv(&start, file, "fuzz.csv", &err) == MR_OK) {
        for (size_t i = 0; i < start.n; i++) {
            const mr_topic_partition *each = &start.partitions[i];
            assert(each->topic[0] != '\0' && each->partition >= 0 && each->offset >= 0);
            assert(each->replay_below == 0 && !each->replay_sends);
        }
    }
    mr_replay_start_deinit(&start);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mr_bytes rest = mr_bytes_of(data, size);
    mr_bytes datetime = MR_BYTES_NULL;
    mr_bytes duration = MR_BYTES_NULL;
    if (fuzz_take(&rest, '\n', &datetime) == MR_OK && fuzz_take(&rest, '\n', &duration) == MR_OK) {
        check_times(datetime, duration);
        check_file(rest);
    }
    return 0;
}
