#include "kafka/client.h"

/*
 * Kafka's own murmur2 (32 bits, seed 0x9747b28c): the hash that the Java client's default
 * partitioner and librdkafka's `murmur2_random` use, so that topics written by either are
 * copartitioned. Bytes are read little-endian.
 */
static uint32_t murmur2(const uint8_t *data, size_t len)
{
    const uint32_t multiplier = 0x5bd1e995U;
    uint32_t hash = 0x9747b28cU ^ (uint32_t)len;
    size_t i = 0;
    for (; len - i >= 4; i += 4) {
        uint32_t word = (uint32_t)data[i] | (uint32_t)data[i + 1] << 8 |
                        (uint32_t)data[i + 2] << 16 | (uint32_t)data[i + 3] << 24;
        word *= multiplier;
        word ^= word >> 24;
        word *= multiplier;
        hash *= multiplier;
        hash ^= word;
    }
    if (len > i) {
        for (size_t rest = len - i; rest > 0; rest--) {
            hash ^= (uint32_t)data[i + rest - 1] << (8 * (rest - 1));
        }
        hash *= multiplier;
    }
    hash ^= hash >> 13;
    hash *= multiplier;
    hash ^= hash >> 15;
    return hash;
}

int32_t mr_partition_of_key(mr_bytes key, int32_t n_partitions)
{
    assert(n_partitions > 0);
    return (int32_t)((murmur2(key.data, key.len) & 0x7fffffffU) % (uint32_t)n_partitions);
}
