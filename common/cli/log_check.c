#include "cli/log_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include <mr/json.h>

#include "core/alloc.h"
#include "core/hash.h"

enum { TOLD_MAX = 20 };

typedef struct aggregate {
    UT_hash_handle hh;
    char *id;
    size_t len;
    int64_t version; /* of its last event */
    bool is_broken;  /* told already */
    bool is_stored;
} aggregate;

struct mr_log_check {
    const mr_cli *cli;
    const mr_stage *stage;
    mr_fold fold;
    aggregate *aggregates; /* by ID, in the order of their first event */
    int64_t n_events;
    int64_t n_differences;
};

static void differ(mr_log_check *check, mr_bytes id, const char *format, ...) MR_PRINTF(3, 4);

static void differ(mr_log_check *check, mr_bytes id, const char *format, ...)
{
    char text[512];
    va_list arguments;
    check->n_differences++;
    if (check->n_differences > TOLD_MAX) {
        if (check->n_differences == TOLD_MAX + 1) {
            mr_cli_note("stage %s: further differences are only counted", check->stage->name);
        }
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    mr_cli_note("stage %s '%.*s': %s", check->stage->name, (int)id.len, (const char *)id.data,
                text);
}

mr_status mr_log_check_new(const mr_cli *cli, const mr_stage *stage, mr_log_check **ret_check,
                           mr_error *err)
{
    MR_CLEANUP(mr_log_check_freep) mr_log_check *check = mr_alloc_zero(1, sizeof(*check));
    check->cli = cli;
    check->stage = stage;
    MR_TRY(mr_fold_init(&check->fold, cli, stage, err));
    *ret_check = MR_STEAL(&check);
    return MR_OK;
}

void mr_log_check_free(mr_log_check *check)
{
    if (check == NULL) {
        return;
    }
    aggregate *item;
    aggregate *next;
    HASH_ITER(hh, check->aggregates, item, next)
    {
        HASH_DEL(check->aggregates, item);
        free(item->id);
        free(item);
    }
    mr_fold_deinit(&check->fold);
    free(check);
}

static aggregate *find(const mr_log_check *check, mr_bytes id)
{
    aggregate *item = NULL;
    HASH_FIND(hh, check->aggregates, id.data, id.len, item);
    return item;
}

static aggregate *find_or_add(mr_log_check *check, mr_bytes id)
{
    aggregate *item = find(check, id);
    if (item == NULL) {
        item = mr_alloc_zero(1, sizeof(*item));
        item->id = mr_strndup((const char *)id.data, id.len);
        item->len = id.len;
        item->version = -1;
        HASH_ADD_KEYPTR(hh, check->aggregates, item->id, item->len, item);
    }
    return item;
}

static mr_bytes id_of(const aggregate *item)
{
    return mr_bytes_of(item->id, item->len);
}

/* ---- The log ---- */

static mr_status take_event(void *context, const mr_record *record, const mr_envelope *envelope,
                            mr_error *err)
{
    mr_log_check *check = context;
    check->n_events++;
    if (mr_bytes_is_null(envelope->subject)) {
        differ(check, mr_bytes_text(""),
               "partition %" PRId32 " offset %" PRId64 ": an event without ce_subject",
               record->partition, record->offset);
        return MR_OK;
    }
    aggregate *item = find_or_add(check, envelope->subject);
    if (envelope->sequence == MR_VERSION_NONE) {
        differ(check, envelope->subject,
               "partition %" PRId32 " offset %" PRId64 ": an event without ce_sequence",
               record->partition, record->offset);
        return MR_OK;
    }
    if (envelope->sequence != item->version + 1) {
        differ(check, envelope->subject,
               "partition %" PRId32 " offset %" PRId64 ": version %" PRId64 " comes after %" PRId64,
               record->partition, record->offset, envelope->sequence, item->version);
        item->is_broken = true;
    }
    item->version = envelope->sequence;
    if (!item->is_broken && mr_fold_event(&check->fold, record, envelope, err) != MR_OK) {
        differ(check, envelope->subject, "version %" PRId64 " cannot be folded: %s",
               envelope->sequence, err->message);
        item->is_broken = true;
    }
    return MR_OK;
}

mr_status mr_log_check_read(mr_log_check *check, mr_error *err)
{
    return mr_log_read_stage(check->cli, check->stage, take_event, check, err);
}

/* ---- The store ---- */

static void compare_state(mr_log_check *check, const aggregate *item, const mr_json *row,
                          mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf folded = MR_BUF_NULL;
    MR_CLEANUP(mr_buf_deinit) mr_buf stored = MR_BUF_NULL;
    if (mr_fold_state(&check->fold, id_of(item), &folded, err) != MR_OK) {
        mr_buf_append_text(&folded, "null");
    }
    mr_json_raw(mr_json_get(row, "State"), &stored);
    if (!mr_bytes_equal(mr_buf_bytes(&folded), mr_buf_bytes(&stored))) {
        differ(check, id_of(item),
               "version %" PRId64 ": the stored state is not the fold of the "
               "events: %.150s, folded %.150s",
               item->version, mr_buf_text(&stored), mr_buf_text(&folded));
    }
}

static void compare(mr_log_check *check, mr_bytes id, const mr_json *row, mr_error *err)
{
    int64_t version = -1;
    aggregate *item = find(check, id);
    if (mr_json_integer(mr_json_get(row, "Version"), &version) != MR_OK) {
        differ(check, id, "the stored row has no Version");
        return;
    }
    if (item == NULL) {
        /* Refused before its first event: remembered commands, no state. */
        if (version >= 0) {
            differ(check, id, "stored version %" PRId64 ", but the log has no event", version);
        }
        return;
    }
    item->is_stored = true;
    if (item->is_broken) {
        return;
    }
    if (version != item->version) {
        differ(check, id, "stored version %" PRId64 ", the log is at %" PRId64, version,
               item->version);
        return;
    }
    compare_state(check, item, row, err);
}

mr_status mr_log_check_row(mr_log_check *check, const mr_rows_item *item, mr_error *err)
{
    mr_json *row = NULL;
    MR_TRY(mr_json_parse(item->value_json, &row, err));
    compare(check, item->key, row, err); /* the key is raw: the ID itself */
    mr_json_free(row);
    return MR_OK;
}

void mr_log_check_end(mr_log_check *check)
{
    for (const aggregate *item = check->aggregates; item != NULL; item = item->hh.next) {
        if (!item->is_stored) {
            differ(check, id_of(item), "the log is at version %" PRId64 ", nothing is stored",
                   item->version);
        }
    }
}

int64_t mr_log_check_aggregates(const mr_log_check *check)
{
    return (int64_t)HASH_COUNT(check->aggregates);
}

int64_t mr_log_check_events(const mr_log_check *check)
{
    return check->n_events;
}

int64_t mr_log_check_differences(const mr_log_check *check)
{
    return check->n_differences;
}
