/*
 * Making a fold: names become places in memory, and what does not fit together is said.
 */
#include "runtime/fold.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

/* ---- Types ---- */

enum { TYPE_TEXT_SIZE = 100 };

/* "long", "string or null", "shop.Line" */
static const char *describe(const mr_type *type, char text[TYPE_TEXT_SIZE])
{
    const mr_type *held = mr_type_optional(type);
    (void)snprintf(text, TYPE_TEXT_SIZE, "%.80s%s", held == NULL ? type->name : held->name,
                   held == NULL ? "" : " or null");
    return text;
}

static bool is_whole(const mr_type *type)
{
    return type->kind == MR_TYPE_INT || type->kind == MR_TYPE_LONG;
}

static bool is_real(const mr_type *type)
{
    return type->kind == MR_TYPE_FLOAT || type->kind == MR_TYPE_DOUBLE;
}

/* Whether values of both lie in memory alike: a name is defined in one way in all schemas of an
 * app. */
static bool is_same(const mr_type *a, const mr_type *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case MR_TYPE_RECORD:
    case MR_TYPE_ENUM:
    case MR_TYPE_FIXED:
        return strcmp(a->name, b->name) == 0;
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        return is_same(a->items, b->items);
    case MR_TYPE_UNION:
        for (size_t i = 0; i < a->n_branches && i < b->n_branches; i++) {
            if (!is_same(a->branches[i], b->branches[i])) {
                return false;
            }
        }
        return a->n_branches == b->n_branches;
    default:
        return true;
    }
}

static bool fits(const mr_type *from, const mr_type *to)
{
    return is_same(from, to) || (from->kind == MR_TYPE_INT && to->kind == MR_TYPE_LONG) ||
           (from->kind == MR_TYPE_FLOAT && to->kind == MR_TYPE_DOUBLE);
}

/* ---- Places ---- */

static mr_fold_place place_of(const mr_type *type, size_t offset)
{
    const mr_type *held = mr_type_optional(type);
    return (mr_fold_place){
        .type = type,
        .held = held == NULL ? type : held,
        .offset = offset,
        .held_offset = held == NULL ? offset : offset + type->payload,
        .null_branch = type->kind == MR_TYPE_UNION ? type->null_branch : -1,
        .is_optional = held != NULL,
    };
}

static mr_status find_field(const mr_schema *schema, const char *name, const mr_field **ret_field,
                            mr_error *err)
{
    const mr_type *type = mr_schema_type(schema);
    const int i = mr_type_field(type, mr_bytes_text(name));
    if (i < 0) {
        const char *nearest =
            type->n_fields == 0
                ? NULL
                : mr_text_nearest(name, &type->fields[0].name, type->n_fields, sizeof(mr_field));
        return mr_error_set(err, MR_ERR_USAGE, "'%s' has no field '%.80s'%s%s%s",
                            mr_schema_short_name(schema), name,
                            nearest == NULL ? "" : "; did you mean '",
                            nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    }
    *ret_field = &type->fields[i];
    return MR_OK;
}

static mr_status find_place(const mr_schema *schema, const char *name, mr_fold_place *ret_place,
                            mr_error *err)
{
    const mr_field *field = NULL;
    MR_TRY(find_field(schema, name, &field, err));
    *ret_place = place_of(field->type, field->offset);
    return MR_OK;
}

/* ---- Plans ---- */

static int initial_branch(const mr_field *field)
{
    return field->preset == NULL ? 0 : ((const mr_union *)field->preset)->branch;
}

/* In a new row the field is null, whatever its schema's default. */
static void begin_null(mr_fold_plan *plan, const mr_field *field)
{
    if (field->type->kind == MR_TYPE_UNION && field->type->null_branch >= 0 &&
        field->type->null_branch != initial_branch(field)) {
        MR_GROW(plan->nulls, plan->nulls_capacity, plan->n_nulls + 1);
        plan->nulls[plan->n_nulls++] = field;
    }
}

mr_fold_plan *mr_fold_plan_new(const mr_stage *stage, size_t store, const mr_schema *event)
{
    assert(store < stage->n_stores);
    assert(mr_schema_type(event)->kind == MR_TYPE_RECORD);
    mr_fold_plan *plan = mr_alloc_zero(1, sizeof(*plan));
    plan->event = event;
    plan->row = stage->stores[store].value;
    plan->store = store;
    plan->store_key = stage->stores[store].key;
    /* Without a default, a field that may be null is null in a row that says nothing of it. */
    const mr_type *row = mr_schema_type(plan->row);
    for (size_t i = 0; i < row->n_fields; i++) {
        if (row->fields[i].preset == NULL) {
            begin_null(plan, &row->fields[i]);
        }
    }
    return plan;
}

void mr_fold_plan_free(mr_fold_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < plan->n_actions; i++) {
        free(plan->actions[i].copies);
    }
    free(plan->actions);
    free(plan->nulls);
    free(plan);
}

/* ---- Keys ---- */

static mr_status add_key_part(mr_fold_plan *plan, const char *name, mr_error *err)
{
    const size_t number = plan->n_key;
    const bool is_text = plan->store_key.raw || plan->store_key.kinds[number] == MR_KEY_STRING;
    mr_fold_place place;
    char text[TYPE_TEXT_SIZE];
    MR_TRY(find_place(plan->event, name, &place, err));
    if (place.null_branch >= 0) {
        return mr_error_set(err, MR_ERR_USAGE, "'%s' of '%s' may be null, and a key may not", name,
                            mr_schema_short_name(plan->event));
    }
    if (is_text ? place.type->kind != MR_TYPE_STRING : !is_whole(place.type)) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "part %zu of the store's key is %s, and '%s' of '%s' is %s", number + 1,
                            is_text ? "string" : "long", name, mr_schema_short_name(plan->event),
                            describe(place.type, text));
    }
    plan->key[plan->n_key++] = place;
    return MR_OK;
}

mr_status mr_fold_plan_key(mr_fold_plan *plan, const char *const *fields, size_t n, mr_error *err)
{
    const mr_store_key *key = &plan->store_key;
    const size_t n_parts = key->raw ? 1 : key->n;
    if (n == 0 && (n_parts != 1 || (!key->raw && key->kinds[0] != MR_KEY_STRING))) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "a record's key is one string, and the store's keys are not: name the "
                            "fields of '%s' that make the row's key",
                            mr_schema_short_name(plan->event));
    }
    if (n != 0 && n != n_parts) {
        return mr_error_set(err, MR_ERR_USAGE, "the store has keys of %zu parts, not of %zu",
                            n_parts, n);
    }
    for (size_t i = 0; i < n; i++) {
        MR_TRY(add_key_part(plan, fields[i], err));
    }
    return MR_OK;
}

/* ---- Operators: what they check and note ---- */

static const char *const operator_names[] = {
    [MR_FOLD_COUNT] = "count", [MR_FOLD_SUM] = "sum",   [MR_FOLD_MIN] = "min",
    [MR_FOLD_MAX] = "max",     [MR_FOLD_LAST] = "last", [MR_FOLD_TOP] = "top",
};

/* What a rule is about, for the messages. */
typedef struct rule_names {
    const char *operator_name;
    const char *from; /* of the event */
    const char *event;
    const char *to; /* of the row */
    const char *row;
} rule_names;

static mr_status wrong_types(const rule_names *names, const mr_fold_copy *copy, const char *made,
                             mr_error *err)
{
    char from[TYPE_TEXT_SIZE];
    char to[TYPE_TEXT_SIZE];
    if (names->from == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "%s makes %s, and '%s' of '%s' is %s",
                            names->operator_name, made, names->to, names->row,
                            describe(copy->to.type, to));
    }
    return mr_error_set(err, MR_ERR_USAGE, "%s of '%s' (%s) makes %s, and '%s' of '%s' is %s",
                        names->operator_name, names->from, describe(copy->from.type, from), made,
                        names->to, names->row, describe(copy->to.type, to));
}

static mr_status expect_number(const rule_names *names, const mr_fold_place *from, mr_error *err)
{
    char text[TYPE_TEXT_SIZE];
    if (is_whole(from->held) || is_real(from->held)) {
        return MR_OK;
    }
    return mr_error_set(
        err, MR_ERR_USAGE, "%s takes int, long, float or double, and '%s' of '%s' is %s",
        names->operator_name, names->from, names->event, describe(from->type, text));
}

static mr_status check_count(const rule_names *names, const mr_fold_action *action, mr_error *err)
{
    return action->copy.to.held->kind == MR_TYPE_LONG
               ? MR_OK
               : wrong_types(names, &action->copy, "long", err);
}

static mr_status check_sum(const rule_names *names, const mr_fold_action *action, mr_error *err)
{
    const mr_fold_copy *copy = &action->copy;
    MR_TRY(expect_number(names, &copy->from, err));
    const bool whole = is_whole(copy->from.held);
    return copy->to.held->kind == (whole ? MR_TYPE_LONG : MR_TYPE_DOUBLE)
               ? MR_OK
               : wrong_types(names, copy, whole ? "long" : "double", err);
}

/* In a row that has seen nothing there would be a number that is the least of none. */
static mr_status check_extreme(const rule_names *names, const mr_fold_action *action, mr_error *err)
{
    MR_TRY(check_sum(names, action, err));
    if (action->copy.from.is_optional && !action->copy.to.is_optional) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "'%s' of '%s' may be null, so '%s' of '%s' must be a union with null, "
                            "too",
                            names->from, names->event, names->to, names->row);
    }
    return MR_OK;
}

static mr_status check_last(const rule_names *names, const mr_fold_action *action, mr_error *err)
{
    char text[TYPE_TEXT_SIZE];
    const mr_fold_copy *copy = &action->copy;
    return fits(copy->from.held, copy->to.held)
               ? MR_OK
               : wrong_types(names, copy, describe(copy->from.held, text), err);
}

/* ---- top ---- */

static void add_copy(mr_fold_action *action, mr_fold_place from, mr_fold_place to)
{
    action->copies = mr_realloc(action->copies, (action->n_copies + 1) * sizeof(action->copies[0]));
    action->copies[action->n_copies++] = (mr_fold_copy){.from = from, .to = to};
}

static mr_status plan_element_field(const mr_fold_plan *plan, const rule_names *names,
                                    const mr_field *field, mr_fold_action *action, mr_error *err)
{
    char event[TYPE_TEXT_SIZE];
    char element[TYPE_TEXT_SIZE];
    const mr_fold_place to = place_of(field->type, field->offset);
    mr_fold_place from;
    if (find_place(plan->event, field->name, &from, err) != MR_OK) {
        return mr_error_prefix(err, "the elements of '%s' have fields of the event", names->to);
    }
    const bool is_rank = strcmp(field->name, names->from) == 0;
    const bool may_be_null = from.is_optional && !is_rank; /* an event without rank is no element */
    if (!fits(from.held, to.held) || (may_be_null && !to.is_optional) ||
        (is_rank && to.is_optional)) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "'%s' of '%s' is %s, and in the elements of '%s' it is %s", field->name,
                            names->event, describe(from.type, event), names->to,
                            describe(to.type, element));
    }
    if (is_rank) {
        action->rank = to;
    }
    add_copy(action, from, to);
    return MR_OK;
}

static mr_status plan_top(const mr_fold_plan *plan, const rule_names *names, mr_fold_action *action,
                          mr_error *err)
{
    char text[TYPE_TEXT_SIZE];
    const mr_fold_copy *copy = &action->copy;
    MR_TRY(expect_number(names, &copy->from, err));
    if (copy->to.type->kind != MR_TYPE_ARRAY) {
        return wrong_types(names, copy, "array", err);
    }
    const mr_type *items = copy->to.type->items;
    if (items->kind != MR_TYPE_RECORD) {
        action->rank = place_of(items, 0);
        add_copy(action, copy->from, action->rank);
        return fits(copy->from.held, items)
                   ? MR_OK
                   : mr_error_set(err, MR_ERR_USAGE,
                                  "'%s' of '%s' is %s, and an element of '%s' is %s", names->from,
                                  names->event, copy->from.held->name, names->to,
                                  describe(items, text));
    }
    for (size_t i = 0; i < items->n_fields; i++) {
        MR_TRY(plan_element_field(plan, names, &items->fields[i], action, err));
    }
    if (action->rank.type == NULL) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "the elements of '%s' have no field '%s', which orders them", names->to,
                            names->from);
    }
    return MR_OK;
}

/* ---- Rules ---- */

static mr_status plan_action(const mr_fold_plan *plan, const rule_names *names,
                             mr_fold_action *action, mr_error *err)
{
    switch (action->operation) {
    case MR_FOLD_COUNT:
        return check_count(names, action, err);
    case MR_FOLD_SUM:
        return check_sum(names, action, err);
    case MR_FOLD_MIN:
    case MR_FOLD_MAX:
        return check_extreme(names, action, err);
    case MR_FOLD_LAST:
        return check_last(names, action, err);
    case MR_FOLD_TOP:
        return plan_top(plan, names, action, err);
    }
    return MR_OK;
}

mr_status mr_fold_plan_set(mr_fold_plan *plan, const char *row_field, const mr_fold_rule *rule,
                           mr_error *err)
{
    const mr_field *to;
    mr_fold_place from = {.null_branch = -1};
    MR_TRY(find_field(plan->row, row_field, &to, err));
    if (rule->field != NULL) {
        MR_TRY(find_place(plan->event, rule->field, &from, err));
    }
    MR_GROW(plan->actions, plan->actions_capacity, plan->n_actions + 1);
    mr_fold_action *action = &plan->actions[plan->n_actions++];
    *action = (mr_fold_action){
        .step = mr_fold_step_of(rule->operation),
        .operation = rule->operation,
        .is_real = rule->field != NULL && is_real(from.held),
        .name = to->name,
        .copy = {.from = from, .to = place_of(to->type, to->offset)},
        .limit = rule->limit,
    };
    const bool of_nothing_null = rule->operation == MR_FOLD_MIN || rule->operation == MR_FOLD_MAX ||
                                 rule->operation == MR_FOLD_LAST;
    if (of_nothing_null && to->preset != NULL) {
        begin_null(plan, to);
    }
    const rule_names names = {
        .operator_name = operator_names[rule->operation],
        .from = rule->field,
        .event = mr_schema_short_name(plan->event),
        .to = to->name,
        .row = mr_schema_short_name(plan->row),
    };
    return plan_action(plan, &names, action, err);
}
