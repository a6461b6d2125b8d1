#include "cli/state_diff.h"

#include <stdlib.h>

#include <mr/value.h>

#include "app/store_key.h"
#include "core/alloc.h"

/* The next row of one side of one task. */
typedef struct head {
    mr_cursor *cursor; /* NULL: at its end */
    mr_bytes key;
    mr_bytes value;
} head;

typedef struct walk {
    const mr_store_spec *store;
    mr_codec *codec;
    void *value; /* of the store's type */
    head *live;  /* one a task */
    head *built;
    size_t first;
    size_t n;
    mr_digest *live_digest;
    mr_digest *built_digest;
    mr_buf key_json;
    mr_buf live_json;
    mr_buf built_json;
} walk;

static mr_status advance(head *h, mr_error *err)
{
    const mr_status status = mr_cursor_next(h->cursor, &h->key, &h->value, err);
    if (status == MR_END) {
        mr_cursor_close(h->cursor);
        h->cursor = NULL;
        return MR_OK;
    }
    return status;
}

static mr_status open_heads(const walk *w, const mr_side *side, head *heads, mr_error *err)
{
    for (size_t i = 0; i < w->n; i++) {
        MR_TRY(mr_cursor_open(side->partitions[w->first + i], w->store->number, MR_BYTES_NULL,
                              MR_BYTES_NULL, &heads[i].cursor, err));
        MR_TRY(advance(&heads[i], err));
    }
    return MR_OK;
}

static void close_heads(const walk *w, head *heads)
{
    for (size_t i = 0; i < w->n && heads != NULL; i++) {
        mr_cursor_close(heads[i].cursor);
    }
    free(heads);
}

static void walk_deinit(walk *w)
{
    close_heads(w, w->live);
    close_heads(w, w->built);
    mr_value_free(mr_schema_type(w->store->value), w->value);
    mr_codec_free(w->codec);
    mr_digest_free(w->live_digest);
    mr_digest_free(w->built_digest);
    mr_buf_deinit(&w->key_json);
    mr_buf_deinit(&w->live_json);
    mr_buf_deinit(&w->built_json);
}
MR_DEFINE_CLEANUP(walk, walk_deinit)

/* ---- The next row ---- */

static bool is_before(const head *h, const mr_bytes *key)
{
    return h->cursor != NULL && (mr_bytes_is_null(*key) || mr_bytes_compare(h->key, *key) < 0);
}

/* The task with the smallest key; of equal ones the first. w->n: all are at their end. */
static size_t smallest(const walk *w)
{
    size_t found = w->n;
    mr_bytes key = MR_BYTES_NULL;
    for (size_t i = 0; i < w->n; i++) {
        const head *sides[] = {&w->live[i], &w->built[i]};
        for (size_t s = 0; s < 2; s++) {
            if (is_before(sides[s], &key)) {
                key = sides[s]->key;
                found = i;
            }
        }
    }
    return found;
}

static mr_status decode(walk *w, mr_bytes value, mr_buf *json, mr_error *err)
{
    mr_buf_clear(json);
    MR_TRY(mr_codec_decode(w->codec, value, w->store->value, w->value, err));
    mr_value_to_json(mr_schema_type(w->store->value), w->value, json);
    return MR_OK;
}

static bool has_key(const head *h, mr_bytes key)
{
    return h->cursor != NULL && mr_bytes_compare(h->key, key) == 0;
}

/* What is there of the next row of task i. Key and values are the cursors' own. */
static mr_status take_row(walk *w, size_t i, mr_diff_row *row, mr_error *err)
{
    const head *live = &w->live[i];
    const head *built = &w->built[i];
    const bool live_first = built->cursor == NULL ||
                            (live->cursor != NULL && mr_bytes_compare(live->key, built->key) <= 0);
    *row = (mr_diff_row){.partition = (int32_t)(w->first + i),
                         .key = live_first ? live->key : built->key};
    mr_buf_clear(&w->key_json);
    mr_json_writer json = mr_json_writer_on(&w->key_json);
    MR_TRY(mr_store_key_to_json(w->store, row->key, &json, err));
    row->key_json = mr_buf_bytes(&w->key_json);
    if (has_key(live, row->key)) {
        row->live = live->value;
        MR_TRY(decode(w, row->live, &w->live_json, err));
        row->live_json = mr_buf_bytes(&w->live_json);
        mr_digest_add(w->live_digest, row->key_json, row->live_json);
    }
    if (has_key(built, row->key)) {
        row->built = built->value;
        MR_TRY(decode(w, row->built, &w->built_json, err));
        row->built_json = mr_buf_bytes(&w->built_json);
        mr_digest_add(w->built_digest, row->key_json, row->built_json);
    }
    return MR_OK;
}

/* Counts the row; whether it differs. */
static bool count(const mr_diff_row *row, mr_diff *diff)
{
    if (mr_bytes_is_null(row->live)) {
        diff->only_built++;
    } else if (mr_bytes_is_null(row->built)) {
        diff->only_live++;
    } else if (mr_bytes_compare(row->live_json, row->built_json) != 0) {
        diff->different++;
    } else {
        diff->same++;
        return false;
    }
    return true;
}

static mr_status walk_all(walk *w, mr_diff_visitor visit, void *argument, mr_diff *diff,
                          mr_error *err)
{
    for (size_t i = smallest(w); i < w->n; i = smallest(w)) {
        mr_diff_row row;
        MR_TRY(take_row(w, i, &row, err));
        if (count(&row, diff)) {
            MR_TRY(visit(argument, &row, err));
        }
        if (!mr_bytes_is_null(row.live)) {
            MR_TRY(advance(&w->live[i], err));
        }
        if (!mr_bytes_is_null(row.built)) {
            MR_TRY(advance(&w->built[i], err));
        }
    }
    return MR_OK;
}

mr_status mr_state_diff(const mr_cli *cli, const mr_rebuilt_states *states, size_t store,
                        size_t first, size_t n, mr_diff_visitor visit, void *argument,
                        mr_diff *ret_diff, mr_error *err)
{
    const mr_store_spec *spec = &states->live.stage->stores[store];
    MR_CLEANUP(walk_deinit)
    walk w = {
        .store = spec,
        .codec = mr_cli_codec(cli),
        .value = mr_value_new(mr_schema_type(spec->value)),
        .live = mr_alloc_zero(n + 1, sizeof(head)),
        .built = mr_alloc_zero(n + 1, sizeof(head)),
        .first = first,
        .n = n,
        .live_digest = mr_digest_new(),
        .built_digest = mr_digest_new(),
    };
    *ret_diff = (mr_diff){0};
    MR_TRY(open_heads(&w, &states->live, w.live, err));
    MR_TRY(open_heads(&w, &states->built, w.built, err));
    MR_TRY(walk_all(&w, visit, argument, ret_diff, err));
    mr_digest_end(w.live_digest, ret_diff->live_digest);
    mr_digest_end(w.built_digest, ret_diff->built_digest);
    return MR_OK;
}
