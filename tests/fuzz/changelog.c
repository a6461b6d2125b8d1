/*
 * Records of a changelog, a line each: "key|value|commit|input", what is missing being null. The
 * position never goes back and never passes what was read; rows that no commit holds back are the
 * last ones of their keys; a finished replay is at the end, or before what is unsure.
 */
#include "runtime/replay.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "fuzz.h"
#include "row_model.h"

enum { COMMIT = 17, INPUT_OFFSET = 3 };

static mr_status add_line(mr_replay *replay, mr_bytes line, int64_t offset, row_model *model,
                          bool *ret_has_commit)
{
    mr_bytes fields[4] = {MR_BYTES_NULL, MR_BYTES_NULL, MR_BYTES_NULL, MR_BYTES_NULL};
    for (size_t i = 0; i < 4 && fuzz_take(&line, '|', &fields[i]) == MR_OK; i++) {
    }
    const mr_header headers[] = {{MR_COMMIT_HEADER, fields[2]}, {MR_INPUT_HEADER, fields[3]}};
    const mr_record record = {.topic = "changelog",
                              .offset = offset,
                              .key = fields[0],
                              .value = fields[1],
                              .headers = headers,
                              .n_headers = 2};
    const int64_t before = mr_replay_offset(replay);
    mr_error err;
    const mr_status status = mr_replay_add(replay, &record, &err);
    assert(status == MR_OK || status == MR_ERR_STORE);
    assert(mr_replay_offset(replay) >= before);
    assert(mr_replay_offset(replay) <= offset + (status == MR_OK ? 1 : 0));
    assert(status != MR_OK || !mr_bytes_is_null(fields[0]));
    *ret_has_commit = !mr_bytes_is_null(fields[2]);
    if (status == MR_OK && !*ret_has_commit) {
        row_model_put(model, record.key, record.value);
    }
    return status;
}

/* Every row of the model is in the replay's rows, unless a commit has written the key again. */
static void check_rows(mr_row_pile *pile, row_model *model, bool is_all)
{
    enum { STORE = 1 };
    const size_t n = mr_row_pile_count(pile);
    mr_row *rows = mr_alloc_zero(n + 1, sizeof(*rows));
    mr_row_pile_rows(pile, STORE, rows);
    mr_row *expected = NULL;
    const size_t n_expected = row_model_rows(model, &expected);
    size_t at = 0;
    for (size_t i = 0; i < n_expected; i++) {
        while (at < n && mr_bytes_compare(rows[at].key, expected[i].key) < 0) {
            at++;
        }
        assert(at < n && mr_bytes_equal(rows[at].key, expected[i].key));
        assert(!is_all || mr_bytes_equal(rows[at].value, expected[i].value));
    }
    assert(!is_all || n == n_expected);
    free(expected);
    free(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mr_bytes lines = mr_bytes_of(data, size);
    mr_bytes line;
    mr_status status = MR_OK;
    int64_t offset = 0;
    bool has_commits = false;
    mr_replay *replay = mr_replay_new(NULL, 0, COMMIT, INPUT_OFFSET);
    row_model *model = row_model_new();
    while (status == MR_OK && fuzz_take(&lines, '\n', &line) == MR_OK) {
        bool has_commit;
        status = add_line(replay, line, offset++, model, &has_commit);
        has_commits |= has_commit;
    }
    assert(mr_replay_count(replay) == offset);
    if (status == MR_OK) {
        mr_replay_finish(replay, mr_replay_commit(replay), offset);
        MR_CLEANUP(mr_row_pile_freep) mr_row_pile *unsure = mr_replay_take_unsure(replay);
        assert(unsure == NULL ? mr_replay_offset(replay) == offset
                              : mr_replay_offset(replay) < offset);
        MR_CLEANUP(mr_row_pile_freep) mr_row_pile *rows = mr_replay_take(replay);
        check_rows(rows, model, !has_commits);
    }
    row_model_free(model);
    mr_replay_free(replay);
    return 0;
}
