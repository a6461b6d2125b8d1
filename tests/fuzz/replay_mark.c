/* Metadata of a committed offset, which anybody may have written: a mark of a replay that is read
 * is written as one that is read as the same, and lies ahead of the offset. */
#include "kafka/replay_mark.h"

#include "fuzz.h"

enum { OFFSET = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[MR_REPLAY_MARK_SIZE];
    mr_topic_partition partition = {.topic = "in", .offset = OFFSET};
    mr_topic_partition again = partition;
    mr_replay_mark_read(mr_bytes_of(data, size), &partition);
    assert(partition.offset == OFFSET);
    if (partition.replay_below == 0) {
        assert(!partition.replay_sends && !mr_replay_mark_write(&partition, text));
        return 0;
    }
    assert(partition.replay_below > OFFSET);
    const bool written = mr_replay_mark_write(&partition, text);
    assert(written);
    mr_replay_mark_read(mr_bytes_text(text), &again);
    assert(again.replay_below == partition.replay_below &&
           again.replay_sends == partition.replay_sends);
    return 0;
}
