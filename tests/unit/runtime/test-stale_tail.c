/* Goal: which tails may lack a deletion, and that a broker is asked about those only that could.
 * Method: the question is answered here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/stale_tail.h"

enum { NOW_MS = 1000000, KEPT_MS = 1000, MANY = 16 };

static struct {
    size_t n;
    mr_topic_partition partitions[MANY];
    int64_t answers[MANY];
    bool fails;
} asked;

/* `used`: link-time optimisation sees no caller, which only the linker's --wrap makes. */
__attribute__((used)) mr_status __wrap_mr_reader_offsets_at(mr_reader *reader,
                                                            mr_topic_partition *partitions,
                                                            size_t n, int timeout_ms,
                                                            mr_error *err);

mr_status __wrap_mr_reader_offsets_at(mr_reader *reader, mr_topic_partition *partitions, size_t n,
                                      int timeout_ms, mr_error *err)
{
    (void)reader;
    assert_int_equal(asked.n, 0); /* once for all */
    assert_int_equal(timeout_ms, 7);
    asked.n = n;
    for (size_t i = 0; i < n; i++) {
        asked.partitions[i] = partitions[i];
        partitions[i].offset = asked.answers[i];
    }
    return asked.fails ? mr_error_set(err, MR_ERR_KAFKA, "away") : MR_OK;
}

/* Two stores; of the second's changelog it is not known how long deletions are kept. */
static mr_status check(bool exactly_once, int64_t now_ms, mr_tail *tails, size_t n)
{
    static char names[] = {'a', 0, 'b', 0}; /* `asked` keeps them */
    mr_store_spec stores[2] = {{.changelog = names}, {.changelog = names + 2}};
    const mr_stage stage = {.stores = stores, .n_stores = 2};
    mr_deletions_kept kept;
    mr_error err;
    mr_deletions_kept_unknown(&kept);
    kept.ms[0] = KEPT_MS;
    const mr_tail_check all = {.stage = &stage,
                               .kept = &kept,
                               .exactly_once = exactly_once,
                               .now_ms = now_ms,
                               .timeout_ms = 7};
    asked.n = 0;
    return mr_tails_check(&all, tails, n, &err);
}

static void nothing_is_asked_where_nothing_can_be_missed(void **state)
{
    (void)state;
    mr_tail tails[] = {
        {0, 0, -1, 50, true, 0}, /* nothing is on disk */
        {0, 1, 0, 50, true, 0},  /* it has read an empty changelog */
        {0, 2, 50, 50, true, 0}, /* it has all */
        {0, 3, 49, 50, true, 0}, /* all but the end mark of the last transaction */
        {0, 4, 60, 50, true, 0}, /* the topic was made anew: another check tells that */
        {1, 5, 10, 50, true, 0}, /* the broker does not tell */
    };
    enum { N = sizeof(tails) / sizeof(tails[0]) };
    assert_int_equal(check(true, NOW_MS, tails, N), MR_OK);
    assert_int_equal(asked.n, 0);
    for (size_t i = 0; i < N; i++) {
        assert_false(tails[i].is_stale);
    }
}

static void what_is_older_than_deletions_is_stale(void **state)
{
    (void)state;
    mr_tail tails[] = {
        {0, 0, 10, 50, false, 0}, {0, 1, 10, 50, true, 0},  {1, 2, 10, 50, true, 0},
        {0, 3, 10, 50, true, 0},  {0, 4, 10, 50, false, 0}, {0, 5, 10, 50, false, 0},
    };
    static const int64_t answers[] = {11, 10, 3, 50, -1};
    static const bool stale[] = {true, false, false, false, true, true};
    memcpy(asked.answers, answers, sizeof(answers));
    assert_int_equal(check(true, NOW_MS, tails, 6), MR_OK);
    assert_int_equal(asked.n, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(asked.partitions[i].topic, "a");
        assert_int_equal(asked.partitions[i].partition, i < 2 ? i : i + 1);
        assert_int_equal(asked.partitions[i].offset, NOW_MS - KEPT_MS);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(tails[i].is_stale, stale[i]);
    }
    assert_int_equal(tails[0].sure, 11);
    assert_int_equal(tails[5].sure, -1);
}

/* At least once there are no marks of the broker's. */
static void a_single_record_may_be_a_deletion(void **state)
{
    (void)state;
    mr_tail tail = {0, 0, 49, 50, false, 0};
    asked.answers[0] = -1;
    assert_int_equal(check(false, KEPT_MS / 2, &tail, 1), MR_OK);
    assert_int_equal(asked.n, 1);
    assert_int_equal(asked.partitions[0].offset, 0);
    assert_true(tail.is_stale);
}

static void nothing_is_stale_while_the_broker_is_away(void **state)
{
    (void)state;
    mr_tail tail = {0, 0, 10, 50, false, 0};
    asked.answers[0] = -1;
    asked.fails = true;
    assert_int_equal(check(true, NOW_MS, &tail, 1), MR_ERR_KAFKA);
    assert_false(tail.is_stale);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_where_nothing_can_be_missed),
        cmocka_unit_test(what_is_older_than_deletions_is_stale),
        cmocka_unit_test(a_single_record_may_be_a_deletion),
        cmocka_unit_test(nothing_is_stale_while_the_broker_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
