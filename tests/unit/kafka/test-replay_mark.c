/* Goal: a mark comes back as it was written, ends where the replay ends, and nobody else's metadata
 * is one. Method: tables of offsets and texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kafka/replay_mark.h"

static mr_topic_partition at(int64_t offset, int64_t below, bool sends)
{
    return (mr_topic_partition){
        .topic = "t", .offset = offset, .replay_below = below, .replay_sends = sends};
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    static const struct {
        int64_t offset;
        int64_t below;
        bool sends;
        const char *text;
    } lines[] = {
        {0, 1, false, "millrace-replay-below=1"},
        {7, 4711, true, "millrace-replay-below=4711;sends"},
        {0, INT64_MAX, true, "millrace-replay-below=9223372036854775807;sends"},
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char text[MR_REPLAY_MARK_SIZE];
        const mr_topic_partition from = at(lines[i].offset, lines[i].below, lines[i].sends);
        assert_true(mr_replay_mark_write(&from, text));
        assert_string_equal(text, lines[i].text);
        mr_topic_partition to = at(lines[i].offset, 5, !lines[i].sends);
        mr_replay_mark_read(mr_bytes_text(text), &to);
        assert_int_equal(to.replay_below, lines[i].below);
        assert_int_equal(to.replay_sends, lines[i].sends);
    }
}

static void it_ends_where_the_replay_ends(void **state)
{
    (void)state;
    char text[MR_REPLAY_MARK_SIZE];
    static const int64_t offsets[][2] = {{10, 10}, {11, 10}, {-1, 10}, {0, 0}};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        const mr_topic_partition partition = at(offsets[i][0], offsets[i][1], false);
        assert_false(mr_replay_mark_write(&partition, text));
    }
    mr_topic_partition over = at(10, 0, false);
    mr_replay_mark_read(mr_bytes_text("millrace-replay-below=10"), &over);
    assert_int_equal(over.replay_below, 0);
}

static void other_metadata_is_no_mark(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "millrace-replay-below",
        "millrace-replay-below=",
        "millrace-replay-below=x",
        "millrace-replay-below=5x",
        "millrace-replay-below=5;sendsx",
        "millrace-replay-below=;sends",
        "millrace-replay-below=99999999999999999999",
        "millrace-replay-below=-5",
        "millrace-replay-above=5",
        "reset by hand, millrace-replay-below=5",
        "millrace-replay-below=5 and much that is longer than any mark can ever be at all",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        mr_topic_partition partition = at(0, 3, true);
        mr_replay_mark_read(mr_bytes_text(texts[i]), &partition);
        assert_int_equal(partition.replay_below, 0);
        assert_false(partition.replay_sends);
    }
    mr_topic_partition none = at(0, 3, true);
    mr_replay_mark_read(MR_BYTES_NULL, &none);
    assert_int_equal(none.replay_below, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_comes_back),
        cmocka_unit_test(it_ends_where_the_replay_ends),
        cmocka_unit_test(other_metadata_is_no_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
