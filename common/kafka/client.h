/* What every librdkafka handle of a process shares: configuration, its check, the version. */
#pragma once

#include <mr/config.h>
#include <mr/log.h>

typedef struct mr_topic_partition {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t offset; /* -1: none */
    /* Of a committed offset: a replay is under way up to here (kafka/replay_mark.h); 0: none. */
    int64_t replay_below;
    bool replay_sends; /* and sends its outputs again */
} mr_topic_partition;

/* librdkafka's version as 0xMMmmrr00 (RD_KAFKA_VERSION's form), of the library that runs. */
int mr_client_version(void);
const char *mr_client_version_text(void);

/*
 * Checks everything that is not in `options` (the program's own table) the way the handles will use
 * it: names that the runtime owns (enable.auto.commit, isolation.level, transactional.id, group.id,
 * enable.idempotence, partitioner, ...) are refused with the reason; unknown names with a
 * did-you-mean over both tables; values with librdkafka's own reason. MR_ERR_USAGE naming origin
 * and property.
 */
mr_status mr_client_check_settings(const mr_properties *properties, const mr_option *options,
                                   size_t n_options, mr_error *err) MR_MUST_USE;
/* The same, and bootstrap.servers must be set. */
mr_status mr_client_check(const mr_properties *properties, const mr_option *options,
                          size_t n_options, mr_error *err) MR_MUST_USE;

/* Is a broker there? Asks for metadata once, at most `timeout_ms`. MR_ERR_KAFKA names
 * bootstrap.servers and the last transport error; action STOP. */
mr_status mr_client_probe(const mr_properties *properties, const mr_option *options,
                          size_t n_options, int timeout_ms, const mr_log *log,
                          mr_error *err) MR_MUST_USE;

/* Partition of a key as the Java client's default partitioner: murmur2(key) & 0x7fffffff % n. */
int32_t mr_partition_of_key(mr_bytes key, int32_t n_partitions);
