#include "runtime/replay.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

/* Rows of one commit that are not certain yet. */
typedef struct mr_held {
    mr_row_pile *rows;
    char id[48]; /* "<attempt>/<number>", empty: nothing held */
    int64_t number;
    int64_t first_offset;
} mr_held;

struct mr_replay {
    const mr_store_spec *store;
    mr_row_pile *rows;
    mr_held open;     /* its marker was not read yet */
    mr_held complete; /* not known yet whether the other stores have it */
    int64_t commit;
    int64_t input_offset;
    int64_t previous_input_offset; /* of the commit before `complete` */
    int64_t offset;
    int64_t count;
};

mr_replay *mr_replay_new(const mr_store_spec *store, int64_t offset, int64_t commit,
                         int64_t input_offset)
{
    mr_replay *replay = mr_alloc_zero(1, sizeof(*replay));
    replay->store = store;
    replay->rows = mr_row_pile_new();
    replay->open.rows = mr_row_pile_new();
    replay->complete.rows = mr_row_pile_new();
    replay->offset = offset;
    replay->commit = commit;
    replay->input_offset = input_offset;
    replay->previous_input_offset = input_offset;
    return replay;
}

void mr_replay_free(mr_replay *replay)
{
    if (replay == NULL) {
        return;
    }
    mr_row_pile_free(replay->rows);
    mr_row_pile_free(replay->open.rows);
    mr_row_pile_free(replay->complete.rows);
    free(replay);
}

static void forget(mr_held *held)
{
    mr_row_pile_clear(held->rows);
    held->id[0] = '\0';
}

static void release(mr_replay *replay, mr_held *held)
{
    mr_row_pile_put_all(replay->rows, held->rows);
    forget(held);
}

/* "<attempt>/<number>" */
static mr_status parse_commit(mr_bytes header, char id[48], int64_t *ret_number, mr_error *err)
{
    if (header.len >= 48) {
        return mr_error_set(err, MR_ERR_STORE, "header " MR_COMMIT_HEADER " is too long");
    }
    memcpy(id, header.data, header.len);
    id[header.len] = '\0';
    const char *slash = strchr(id, '/');
    if (slash == NULL || mr_parse_int64(slash + 1, ret_number) != MR_OK) {
        return mr_error_set(err, MR_ERR_STORE,
                            "header " MR_COMMIT_HEADER " '%s' is not "
                            "<attempt>/<number>",
                            id);
    }
    return MR_OK;
}

/* The first record of a commit; the one before was never finished. */
static void begin(mr_replay *replay, const char *id, int64_t number, int64_t offset)
{
    forget(&replay->open);
    memcpy(replay->open.id, id, strlen(id) + 1);
    replay->open.number = number;
    replay->open.first_offset = offset;
}

static void hold(mr_replay *replay, const mr_record *record, const char *id, int64_t number)
{
    if (strcmp(replay->open.id, id) != 0) {
        begin(replay, id, number, record->offset);
    }
    mr_row_pile_put(replay->open.rows, record->key, record->value);
}

static mr_status end_commit(mr_replay *replay, const char *id, int64_t number, int64_t offset,
                            mr_bytes input, mr_error *err)
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
    if (number > replay->commit) {
        release(replay, &replay->complete);
        replay->previous_input_offset = replay->input_offset;
    } else {
        forget(&replay->complete); /* the other stores never had it: it was done again */
    }
    if (strcmp(replay->open.id, id) != 0) {
        /* No row of this store is of it; but who reads on from here has to read its marker. */
        begin(replay, id, number, offset);
    }
    const mr_held complete = replay->complete;
    replay->complete = replay->open;
    replay->open = complete;
    forget(&replay->open);
    replay->commit = number;
    replay->input_offset = input_offset;
    return MR_OK;
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
        mr_row_pile_put(replay->rows, record->key, record->value);
    } else {
        char id[48];
        int64_t number;
        MR_TRY(parse_commit(commit, id, &number, err));
        const mr_bytes input = mr_record_header(record, MR_INPUT_HEADER);
        if (mr_bytes_is_null(input)) {
            hold(replay, record, id, number);
        } else {
            MR_TRY(end_commit(replay, id, number, record->offset, input, err));
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
    if (replay->complete.id[0] != '\0') {
        return replay->complete.first_offset;
    }
    return replay->open.id[0] != '\0' ? replay->open.first_offset : replay->offset;
}

int64_t mr_replay_count(const mr_replay *replay)
{
    return replay->count;
}

int64_t mr_replay_commit(const mr_replay *replay)
{
    return replay->commit;
}

int64_t mr_replay_input_offset(const mr_replay *replay)
{
    return replay->input_offset;
}

void mr_replay_finish(mr_replay *replay, int64_t commit, int64_t end)
{
    forget(&replay->open);
    if (replay->commit <= commit) {
        release(replay, &replay->complete);
    } else {
        forget(&replay->complete);
        replay->commit = commit;
        replay->input_offset = replay->previous_input_offset;
    }
    replay->offset = end;
}
