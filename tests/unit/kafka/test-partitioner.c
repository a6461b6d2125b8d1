/*
 * Goal: a key goes to the partition that the Java client gives it. Method: 10,000 IDs against a
 * table made with kafka-clients 4.1.1 (tests/support/partitioner), by our function and by
 * librdkafka's partitioner of the name that producers are configured with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include <librdkafka/rdkafka.h>

#include "kafka/client.h"

enum { N_IDS = 10000, ID_MAX = 64 };

static uint64_t mix(uint64_t i)
{
    uint64_t z = i * 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static size_t take_bytes(int i, size_t len, uint8_t *id)
{
    for (size_t j = 0; j < len; j++) {
        id[j] = (uint8_t)(mix((uint64_t)i * 64 + j + 1) >> 32);
    }
    return len;
}

/* The same as in Partitions.java. */
static size_t make_id(int i, uint8_t id[ID_MAX])
{
    char *text = (char *)id;
    const uint64_t a = mix(2 * (uint64_t)i);
    const uint64_t b = mix(2 * (uint64_t)i + 1);
    switch (i % 5) {
    case 0:
        return (size_t)snprintf(text, ID_MAX, "cart-%d", i);
    case 1:
        return (size_t)snprintf(
            text, ID_MAX, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
            a >> 32, a >> 16 & 0xffff, a & 0xffff, b >> 48, b & 0xffffffffffffU);
    case 2:
        return take_bytes(i, 16, id);
    case 3:
        return (size_t)snprintf(text, ID_MAX,
                                "\u00fcn\u00efc\u00f6d\u00e9 %d \u6f22\u5b57 \U0001f600", i);
    default:
        return take_bytes(i, (size_t)(i / 5 % 40), id);
    }
}

static void partitions_are_those_of_the_java_client(void **state)
{
    (void)state;
    FILE *file = fopen(MR_TEST_DATA "/partitions.txt", "r");
    assert_non_null(file);
    int n_lines = 0;
    int n = 0;
    while (fscanf(file, "%d: ", &n) == 1) {
        n_lines++;
        for (int i = 0; i < N_IDS; i++) {
            uint8_t id[ID_MAX];
            const size_t len = make_id(i, id);
            int expected = -1;
            assert_int_equal(fscanf(file, "%2d", &expected), 1);
            assert_int_equal(mr_partition_of_key(mr_bytes_of(id, len), n), expected);
            assert_int_equal(rd_kafka_msg_partitioner_murmur2_random(NULL, id, len, n, NULL, NULL),
                             expected);
        }
    }
    assert_int_equal(n_lines, 4);
    assert_int_equal(fclose(file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_those_of_the_java_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
