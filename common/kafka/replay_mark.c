#include "kafka/replay_mark.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/text.h"

static const char name[] = "millrace-replay-below=";
static const char sends[] = ";sends";

bool mr_replay_mark_write(const mr_topic_partition *partition, char ret_text[MR_REPLAY_MARK_SIZE])
{
    if (partition->offset < 0 || partition->offset >= partition->replay_below) {
        return false;
    }
    (void)snprintf(ret_text, MR_REPLAY_MARK_SIZE, "%s%" PRId64 "%s", name, partition->replay_below,
                   partition->replay_sends ? sends : "");
    return true;
}

static bool ends_with_sends(mr_bytes text)
{
    const size_t len = sizeof(sends) - 1;
    return text.len >= len && memcmp(text.data + text.len - len, sends, len) == 0;
}

void mr_replay_mark_read(mr_bytes metadata, mr_topic_partition *partition)
{
    char text[MR_REPLAY_MARK_SIZE];
    const size_t at = sizeof(name) - 1;
    partition->replay_below = 0;
    partition->replay_sends = false;
    if (metadata.len <= at || metadata.len >= sizeof(text) ||
        memcmp(metadata.data, name, at) != 0) {
        return;
    }
    const bool is_sending = ends_with_sends(metadata);
    const size_t len = metadata.len - at - (is_sending ? sizeof(sends) - 1 : 0);
    memcpy(text, metadata.data + at, len);
    text[len] = '\0';
    int64_t below = 0;
    if (mr_parse_int64(text, &below) == MR_OK && below > partition->offset) {
        partition->replay_below = below;
        partition->replay_sends = is_sending;
    }
}
