#include "runtime/replay.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

/* Rows of one commit that is not proven yet. */
typedef struct mr_held {
    mr_commit_id id;
    int64_t first_offset;
    mr_row_pile *rows;
} mr_held;

struct mr_replay {
    const mr_store_spec *store;
    mr_row_pile *rows;
    mr_row_pile *unsure; /* NULL: none */
    mr_held *held;       /* in the order of the log */
    size_t n_held;
    size_t held_capacity;
    mr_commit_id commit;
    int64_t input_offset;
    int64_t marker_offset; /* of the newest marker; -1: none is needed */
    int64_t offset;
    int64_t count;
};

mr_replay *mr_replay_new(const mr_store_spec *store, int64_t offset, int64_t commit,
                         int64_t input_offset)
{
    mr_replay *replay = mr_alloc_zero(1, sizeof(*replay));
    replay->store = store;
    replay->rows = mr_row_pile_new();
    replay->offset = offset;
    replay->commit = (mr_commit_id){-1, commit};
    replay->input_offset = input_offset;
    replay->marker_offset = -1;
    return replay;
}

void mr_replay_free(mr_replay *replay)
{
    if (replay == NULL) {
        return;
    }
    for (size_t i = 0; i < replay->n_held; i++) {
        mr_row_pile_free(replay->held[i].rows);
    }
    free(replay->held);
    mr_row_pile_free(replay->unsure);
    mr_row_pile_free(replay->rows);
    free(replay);
}

int mr_commit_id_compare(mr_commit_id a, mr_commit_id b)
{
    if (a.attempt != b.attempt) {
        return a.attempt < b.attempt ? -1 : 1;
    }
    return a.number < b.number ? -1 : a.number > b.number;
}

/* ---- What is held ---- */

/* `commit` is proven: what is held of it and of those before it are rows now. A former attempt at
 * it, or beyond it, was given up. */
static void settle(mr_replay *replay, mr_commit_id commit)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < replay->n_held; i++) {
        mr_held *held = &replay->held[i];
        if (mr_commit_id_compare(held->id, commit) > 0) {
            replay->held[n_kept++] = *held;
            continue;
        }
        if (held->id.attempt == commit.attempt || held->id.number < commit.number) {
            mr_row_pile_put_all(replay->rows, held->rows);
        }
        mr_row_pile_free(held->rows);
    }
    replay->n_held = n_kept;
}

/* Whether `next` shows that `held` was completed, or was given up and made good. A new attempt
 * shows that only of the commit before the last: of the last it may not have seen the marker. */
static bool is_proven_by(const mr_held *held, mr_commit_id next)
{
    const int64_t between = held->id.attempt == next.attempt ? 0 : 1;
    return held->id.number < next.number - between;
}

static mr_held *begin(mr_replay *replay, mr_commit_id id, int64_t offset)
{
    for (size_t i = replay->n_held; i > 0; i--) {
        if (is_proven_by(&replay->held[i - 1], id)) {
            settle(replay, replay->held[i - 1].id);
            break;
        }
    }
    MR_GROW(replay->held, replay->held_capacity, replay->n_held + 1);
    mr_held *held = &replay->held[replay->n_held++];
    *held = (mr_held){.id = id, .first_offset = offset, .rows = mr_row_pile_new()};
    return held;
}

static void hold(mr_replay *replay, const mr_record *record, mr_commit_id id)
{
    mr_held *held = NULL;
    for (size_t i = 0; held == NULL && i < replay->n_held; i++) {
        if (mr_commit_id_compare(replay->held[i].id, id) == 0) {
            held = &replay->held[i];
        }
    }
    held = held == NULL ? begin(replay, id, record->offset) : held;
    mr_row_pile_put(held->rows, record->key, record->value);
}

/* ---- Records ---- */

/* "<attempt>/<number>" */
static mr_status parse_commit(mr_bytes header, mr_commit_id *ret_id, mr_error *err)
{
    char text[48];
    if (header.len >= sizeof(text)) {
        return mr_error_set(err, MR_ERR_STORE, "header " MR_COMMIT_HEADER " is too long");
    }
    memcpy(text, header.data, header.len);
    text[header.len] = '\0';
    char *slash = strchr(text, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    if (slash == NULL || mr_parse_int64(text, &ret_id->attempt) != MR_OK ||
        mr_parse_int64(slash + 1, &ret_id->number) != MR_OK || ret_id->attempt < 0 ||
        ret_id->number < 0) {
        return mr_error_set(err, MR_ERR_STORE,
                            "header " MR_COMMIT_HEADER " '%.*s' is not <attempt>/<number>",
                            (int)header.len, (const char *)header.data);
    }
    return MR_OK;
}

static mr_status end_commit(mr_replay *replay, mr_commit_id id, int64_t offset, mr_bytes input,
                            mr_error *err)
{
    char text[24];
    int64_t input_offset;
    if (input.len >= sizeof(text)) {
        return mr_error_set(err, MR_ERR_STORE, "header " MR_INPUT_HEADER " is too long");
    }
    memcpy(text, input.data, input.len);
    text[input.len] = '\0';
    if (mr_parse_int64(text, &input_offset) != MR_OK) {
        return mr_error_set(err, MR_ERR_STORE, "header " MR_INPUT_HEADER " '%s' is no offset",
                            text);
    }
    settle(replay, id);
    if (mr_commit_id_compare(id, replay->commit) >= 0) {
        replay->commit = id;
        replay->input_offset = input_offset;
        replay->marker_offset = offset;
    }
    return MR_OK;
}

/* No commit's: written exactly once, or by a rewrite. Who did that had a complete state. */
static void put_certain(mr_replay *replay, const mr_record *record)
{
    settle(replay, (mr_commit_id){INT64_MAX, INT64_MAX});
    replay->marker_offset = -1;
    mr_row_pile_put(replay->rows, record->key, record->value);
}

mr_status mr_replay_add(mr_replay *replay, const mr_record *record, mr_error *err)
{
    replay->count++;
    if (mr_bytes_is_null(record->key)) {
        return mr_error_set(err, MR_ERR_STORE,
                            "it has no key, so no millrace wrote it: who else writes to this "
                            "changelog?");
    }
    const mr_bytes commit = mr_record_header(record, MR_COMMIT_HEADER);
    if (mr_bytes_is_null(commit)) {
        put_certain(replay, record);
    } else {
        mr_commit_id id;
        MR_TRY(parse_commit(commit, &id, err));
        const mr_bytes input = mr_record_header(record, MR_INPUT_HEADER);
        if (mr_bytes_is_null(input)) {
            hold(replay, record, id);
        } else {
            MR_TRY(end_commit(replay, id, record->offset, input, err));
        }
    }
    replay->offset = record->offset + 1;
    return MR_OK;
}

mr_row_pile *mr_replay_rows(mr_replay *replay)
{
    return replay->rows;
}

mr_row_pile *mr_replay_take(mr_replay *replay)
{
    mr_row_pile *rows = replay->rows;
    replay->rows = mr_row_pile_new();
    return rows;
}

int64_t mr_replay_offset(const mr_replay *replay)
{
    const int64_t at = replay->n_held > 0 ? replay->held[0].first_offset : replay->offset;
    return replay->marker_offset >= 0 && replay->marker_offset < at ? replay->marker_offset : at;
}

int64_t mr_replay_count(const mr_replay *replay)
{
    return replay->count;
}

mr_commit_id mr_replay_commit(const mr_replay *replay)
{
    return replay->commit;
}

int64_t mr_replay_input_offset(const mr_replay *replay)
{
    return replay->input_offset;
}

void mr_replay_finish(mr_replay *replay, mr_commit_id commit, int64_t end)
{
    settle(replay, commit);
    replay->marker_offset = -1;
    replay->offset = end;
    if (replay->n_held == 0) {
        return;
    }
    replay->offset = replay->held[0].first_offset;
    replay->unsure = mr_row_pile_new();
    for (size_t i = 0; i < replay->n_held; i++) {
        mr_row_pile_put_all(replay->unsure, replay->held[i].rows);
        mr_row_pile_free(replay->held[i].rows);
    }
    replay->n_held = 0;
}

mr_row_pile *mr_replay_take_unsure(mr_replay *replay)
{
    mr_row_pile *unsure = replay->unsure;
    replay->unsure = NULL;
    return unsure;
}
