#include "kafka/list.h"

#include <inttypes.h>

#include "core/alloc.h"
#include "kafka/replay_mark.h"

/* The list owns it. */
static void set_mark(rd_kafka_topic_partition_t *element, const mr_topic_partition *partition)
{
    char mark[MR_REPLAY_MARK_SIZE];
    if (mr_replay_mark_write(partition, mark)) {
        element->metadata = mr_strdup(mark);
        element->metadata_size = strlen(mark);
    }
}

rd_kafka_topic_partition_list_t *mr_list_new(const mr_topic_partition *partitions, size_t n)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        rd_kafka_topic_partition_t *element =
            rd_kafka_topic_partition_list_add(list, partitions[i].topic, partitions[i].partition);
        element->offset = partitions[i].offset < 0 ? RD_KAFKA_OFFSET_INVALID : partitions[i].offset;
        set_mark(element, &partitions[i]);
    }
    return list;
}

void mr_list_freep(rd_kafka_topic_partition_list_t **list)
{
    if (*list != NULL) {
        rd_kafka_topic_partition_list_destroy(*list);
    }
}

mr_status mr_list_check(const rd_kafka_topic_partition_list_t *list, mr_kafka_step step,
                        const char *what, mr_error *err)
{
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *element = &list->elems[i];
        if (element->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return mr_kafka_fail_code(element->err, step, err, "%s of %s [%" PRId32 "]", what,
                                      element->topic, element->partition);
        }
    }
    return MR_OK;
}

void mr_list_offsets(const rd_kafka_topic_partition_list_t *list, mr_topic_partition *partitions,
                     size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* By name: librdkafka may have sorted its list. */
        partitions[i].offset = -1;
        partitions[i].replay_below = 0;
        partitions[i].replay_sends = false;
        for (int j = 0; j < list->cnt; j++) {
            const rd_kafka_topic_partition_t *element = &list->elems[j];
            if (element->partition == partitions[i].partition && element->offset >= 0 &&
                strcmp(element->topic, partitions[i].topic) == 0) {
                partitions[i].offset = element->offset;
                mr_replay_mark_read(mr_bytes_of(element->metadata, element->metadata_size),
                                    &partitions[i]);
            }
        }
    }
}
