/*
 * A fold on the record path: no name is compared and nothing is allocated for a record, but for
 * rows that grow.
 */
#include "runtime/fold.h"

#include <math.h>

/* ---- Fields ---- */

static bool is_null(const mr_fold_place *place, const uint8_t *record)
{
    return place->null_branch >= 0 &&
           ((const mr_union *)(const void *)(record + place->offset))->branch == place->null_branch;
}

static const void *held_by(const mr_fold_place *place, const uint8_t *record)
{
    return record + place->held_offset;
}

/* What the field holds, to be set; of a field that is null so far its initial value. */
static void *open_place(const mr_fold_place *place, uint8_t *record)
{
    if (place->is_optional) {
        mr_union_select(place->type, record + place->offset, 1 - place->null_branch);
    }
    return record + place->held_offset;
}

static int64_t whole_at(const mr_fold_place *place, const uint8_t *record)
{
    const void *held = held_by(place, record);
    return place->held->kind == MR_TYPE_INT ? *(const int32_t *)held : *(const int64_t *)held;
}

static double real_at(const mr_fold_place *place, const uint8_t *record)
{
    const void *held = held_by(place, record);
    return place->held->kind == MR_TYPE_FLOAT ? (double)*(const float *)held
                                              : *(const double *)held;
}

static void copy_field(const mr_fold_copy *copy, const uint8_t *event, uint8_t *record)
{
    if (copy->to.is_optional && is_null(&copy->from, event)) {
        mr_union_select(copy->to.type, record + copy->to.offset, copy->to.null_branch);
        return;
    }
    void *to = open_place(&copy->to, record);
    if (copy->from.held->kind == copy->to.held->kind) {
        mr_value_copy(copy->to.held, to, held_by(&copy->from, event));
    } else if (copy->to.held->kind == MR_TYPE_LONG) {
        *(int64_t *)to = whole_at(&copy->from, event);
    } else {
        *(double *)to = real_at(&copy->from, event);
    }
}

/* ---- Operators ---- */

static bool count_one(const mr_fold_action *action, const uint8_t *event, uint8_t *row, bool is_new)
{
    (void)is_new;
    if (is_null(&action->copy.from, event)) {
        return true;
    }
    int64_t *count = open_place(&action->copy.to, row);
    return !__builtin_add_overflow(*count, 1, count);
}

static bool add(const mr_fold_action *action, const uint8_t *event, uint8_t *row, bool is_new)
{
    (void)is_new;
    if (is_null(&action->copy.from, event)) {
        return true;
    }
    void *sum = open_place(&action->copy.to, row);
    if (action->is_real) {
        *(double *)sum += real_at(&action->copy.from, event);
        return true;
    }
    int64_t *whole = sum;
    return !__builtin_add_overflow(*whole, whole_at(&action->copy.from, event), whole);
}

/* Whether the event's number is below (above) the row's. NaN is neither, and gives way to any. */
static bool is_beyond(const mr_fold_action *action, const uint8_t *event, const uint8_t *row)
{
    const bool least = action->operation == MR_FOLD_MIN;
    if (action->is_real) {
        const double value = real_at(&action->copy.from, event);
        const double held = real_at(&action->copy.to, row);
        return isnan(held) || (least ? value < held : value > held);
    }
    const int64_t value = whole_at(&action->copy.from, event);
    const int64_t held = whole_at(&action->copy.to, row);
    return least ? value < held : value > held;
}

static bool keep_extreme(const mr_fold_action *action, const uint8_t *event, uint8_t *row,
                         bool is_new)
{
    if (!is_null(&action->copy.from, event) &&
        (is_new || is_null(&action->copy.to, row) || is_beyond(action, event, row))) {
        copy_field(&action->copy, event, row);
    }
    return true;
}

static bool keep_last(const mr_fold_action *action, const uint8_t *event, uint8_t *row, bool is_new)
{
    (void)is_new;
    if (!is_null(&action->copy.from, event)) {
        copy_field(&action->copy, event, row);
    }
    return true;
}

/* The first element that is less than the event's number: equal ones keep their order. */
static size_t rank_of(const mr_fold_action *action, const mr_array *list, const uint8_t *event)
{
    size_t from = 0;
    size_t to = list->len;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const uint8_t *element = mr_array_at(action->copy.to.type, list, middle);
        const bool is_less =
            action->is_real
                ? real_at(&action->rank, element) < real_at(&action->copy.from, event)
                : whole_at(&action->rank, element) < whole_at(&action->copy.from, event);
        if (is_less) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return from;
}

static bool keep_top(const mr_fold_action *action, const uint8_t *event, uint8_t *row, bool is_new)
{
    (void)is_new;
    const mr_fold_place *from = &action->copy.from;
    const mr_fold_place *to = &action->copy.to;
    if (is_null(from, event) || (action->is_real && isnan(real_at(from, event)))) {
        return true;
    }
    mr_array *list = open_place(to, row);
    const size_t at = rank_of(action, list, event);
    if (at >= action->limit) {
        return true;
    }
    while (list->len >= action->limit) { /* more than one when the limit was greater before */
        mr_array_remove(to->type, list, list->len - 1);
    }
    uint8_t *element = mr_array_insert(to->type, list, at);
    for (size_t i = 0; i < action->n_copies; i++) {
        copy_field(&action->copies[i], event, element);
    }
    return true;
}

mr_fold_step mr_fold_step_of(mr_fold_operator operation)
{
    static const mr_fold_step steps[] = {
        [MR_FOLD_COUNT] = count_one,  [MR_FOLD_SUM] = add,        [MR_FOLD_MIN] = keep_extreme,
        [MR_FOLD_MAX] = keep_extreme, [MR_FOLD_LAST] = keep_last, [MR_FOLD_TOP] = keep_top,
    };
    return steps[operation];
}

/* ---- Rows ---- */

const mr_fold_plan *mr_stage_fold(const mr_stage *stage, const mr_schema *event)
{
    for (size_t i = 0; i < stage->n_folds; i++) {
        if (stage->folds[i]->event == event) {
            return stage->folds[i];
        }
    }
    return NULL;
}

static void append_part(const mr_fold_plan *plan, const mr_key_part *part, mr_buf *key)
{
    if (plan->store_key.raw) {
        mr_buf_append_bytes(key, part->text);
    } else {
        mr_key_append(key, part);
    }
}

static mr_bytes row_key(const mr_fold_plan *plan, const mr_context *context, const uint8_t *event,
                        mr_buf *key)
{
    mr_buf_clear(key);
    if (plan->n_key == 0) {
        append_part(plan, &(mr_key_part){.text = mr_context_record(context)->key}, key);
    }
    for (size_t i = 0; i < plan->n_key; i++) {
        const mr_fold_place *place = &plan->key[i];
        mr_key_part part = {.kind = MR_KEY_LONG};
        if (place->held->kind == MR_TYPE_STRING) {
            part.kind = MR_KEY_STRING;
            part.text = mr_string_bytes(held_by(place, event));
        } else {
            part.number = whole_at(place, event);
        }
        append_part(plan, &part, key);
    }
    return mr_buf_bytes(key);
}

/* The row's working copy, a new one where there is none. */
static mr_status open_row(const mr_fold_plan *plan, mr_context *context, mr_bytes key,
                          uint8_t **ret_row, bool *ret_is_new, mr_error *err)
{
    void *row;
    const mr_status found = mr_context_edit(context, plan->store, key, &row, err);
    if (found < 0) {
        return found;
    }
    *ret_is_new = found == MR_NOT_FOUND;
    if (*ret_is_new) {
        MR_TRY(mr_context_put(context, plan->store, key, &row, err));
        for (size_t i = 0; i < plan->n_nulls; i++) {
            const mr_field *field = plan->nulls[i];
            mr_union_select(field->type, (uint8_t *)row + field->offset, field->type->null_branch);
        }
    }
    *ret_row = row;
    return MR_OK;
}

mr_status mr_fold_run(const mr_fold_plan *plan, mr_context *context, const void *event, mr_buf *key,
                      mr_error *err)
{
    if (event == NULL) {
        return mr_error_record(err, MR_ERR_DATA, "validate",
                               "on %s: a tombstone (no value) has no fields to fold",
                               mr_schema_short_name(plan->event));
    }
    uint8_t *row;
    bool is_new;
    MR_TRY(open_row(plan, context, row_key(plan, context, event, key), &row, &is_new, err));
    for (size_t i = 0; i < plan->n_actions; i++) {
        const mr_fold_action *action = &plan->actions[i];
        if (!action->step(action, event, row, is_new)) {
            return mr_error_record(err, MR_ERR_HANDLER, "overflow",
                                   "on %s: %s of '%s' would be more than a long holds",
                                   mr_schema_short_name(plan->event), action->name,
                                   mr_context_stage(context)->stores[plan->store].name);
        }
    }
    return MR_OK;
}
