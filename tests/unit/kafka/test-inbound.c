/* Goal: the keys that are told to come are those of the records that come. Method: a batch in hand,
 * made here; no librdkafka handle is asked for anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kafka/inbound.h"

enum { N = 4 };

static rd_kafka_message_t messages[N];

static mr_inbound batch_at(size_t at)
{
    static char keys[] = "abcd";
    mr_inbound inbound = {.batch_at = at, .n_batch = N};
    for (int32_t i = 0; i < N; i++) {
        messages[i] = (rd_kafka_message_t){.partition = i, .key = &keys[i], .key_len = 1};
        inbound.batch[i] = &messages[i];
    }
    return inbound;
}

static void the_rest_of_a_batch_is_told_at_its_first_record(void **state)
{
    (void)state;
    mr_upcoming upcoming[MR_FEED_BATCH];
    const mr_inbound inbound = batch_at(1);
    assert_int_equal(mr_inbound_upcoming(&inbound, upcoming), N - 1);
    for (int32_t i = 1; i < N; i++) {
        assert_int_equal(upcoming[i - 1].partition, i);
        assert_ptr_equal(upcoming[i - 1].key.data, messages[i].key);
        assert_int_equal(upcoming[i - 1].key.len, 1);
    }
}

static void it_is_told_once(void **state)
{
    (void)state;
    mr_upcoming upcoming[MR_FEED_BATCH];
    for (size_t at = 2; at <= N; at++) {
        const mr_inbound inbound = batch_at(at);
        assert_int_equal(mr_inbound_upcoming(&inbound, upcoming), 0);
    }
    const mr_inbound none = {0};
    assert_int_equal(mr_inbound_upcoming(&none, upcoming), 0);
}

static void records_without_a_key_and_errors_are_left_out(void **state)
{
    (void)state;
    mr_upcoming upcoming[MR_FEED_BATCH];
    const mr_inbound inbound = batch_at(1);
    messages[1].key = NULL;
    messages[2].err = RD_KAFKA_RESP_ERR__PARTITION_EOF;
    assert_int_equal(mr_inbound_upcoming(&inbound, upcoming), 1);
    assert_int_equal(upcoming[0].partition, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_of_a_batch_is_told_at_its_first_record),
        cmocka_unit_test(it_is_told_once),
        cmocka_unit_test(records_without_a_key_and_errors_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
