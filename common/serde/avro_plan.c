#include "serde/avro_plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"

/*
 * Avro 1.11 specification, "Schema Resolution". avro-c's own avro_resolved_writer is not used: it
 * stores an enum by the writer's index, refuses a reader's field that the writer lacks even when it
 * has a default, and knows neither aliases nor string <-> bytes.
 */

/* Of unions with a thousand records each only a mistake or an attack makes more pairs. */
enum { PLANS_MAX = 16384 };

struct mr_plan_set {
    mr_plan **plans; /* one for each pair of types that was met */
    size_t n;
    size_t capacity;
    mr_plan *top;
};

typedef struct builder {
    mr_plan_set *set;
    mr_avro_path path;
    char reason[256]; /* why the last pair did not resolve */
} builder;

/* NULL: they do not resolve, and b->reason says why. */
static const mr_plan *resolve(builder *b, const mr_type *writer, const mr_type *reader);

/* ---- The set ---- */

static void free_plan(mr_plan *plan)
{
    free((void *)(uintptr_t)plan->fields);
    free((void *)(uintptr_t)plan->branches);
    free((void *)(uintptr_t)plan->symbols);
    free(plan->presets);
    free(plan);
}

void mr_plan_set_free(mr_plan_set *set)
{
    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < set->n; i++) {
        free_plan(set->plans[i]);
    }
    free(set->plans);
    free(set);
}

const mr_plan *mr_plan_set_top(const mr_plan_set *set)
{
    return set->top;
}

static mr_plan *find(const mr_plan_set *set, const mr_type *writer, const mr_type *reader)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->plans[i]->writer == writer && set->plans[i]->reader == reader) {
            return set->plans[i];
        }
    }
    return NULL;
}

static mr_plan *add(mr_plan_set *set, const mr_type *writer, const mr_type *reader)
{
    mr_plan *plan = mr_alloc_zero(1, sizeof(*plan));
    plan->writer = writer;
    plan->reader = reader;
    plan->target = reader;
    plan->reader_branch = -1;
    MR_GROW(set->plans, set->capacity, set->n + 1);
    set->plans[set->n++] = plan;
    return plan;
}

/*
 * Forgets plans made while a pair was tried that does not resolve: they may lead to it. That it
 * does not is remembered, so that no pair is tried twice.
 */
static void roll_back(mr_plan_set *set, size_t n_before)
{
    size_t n = n_before;
    for (size_t i = n_before; i < set->n; i++) {
        if (set->plans[i]->failed) {
            set->plans[n++] = set->plans[i];
        } else {
            free_plan(set->plans[i]);
        }
    }
    set->n = n;
}

/* ---- Names ---- */

static bool is_alias(const mr_type *reader, const char *full_name)
{
    const mr_type_info *info = mr_type_info_of(reader);
    for (size_t i = 0; i < info->n_aliases; i++) {
        if (strcmp(info->aliases[i], full_name) == 0) {
            return true;
        }
    }
    return false;
}

/* The specification compares unqualified names. */
static bool names_match(const mr_type *writer, const mr_type *reader)
{
    return strcmp(mr_short_name(writer->name), mr_short_name(reader->name)) == 0 ||
           is_alias(reader, writer->name);
}

/* The writer's field that is meant by the reader's: of its name, else of one of its aliases. */
static int find_field(const mr_type *writer, const mr_type *reader, size_t i)
{
    int found = mr_type_field(writer, mr_bytes_text(reader->fields[i].name));
    const mr_field_info *info = &mr_type_info_of(reader)->field_infos[i];
    for (size_t j = 0; j < info->n_aliases && found < 0; j++) {
        const mr_bytes alias = mr_bytes_text(info->aliases[j]);
        /* A field of the reader that has the name itself goes before. */
        found = mr_type_field(reader, alias) >= 0 ? -1 : mr_type_field(writer, alias);
    }
    return found;
}

/* ---- Kinds ---- */

MR_PRINTF(2, 3)
static bool fail(builder *b, const char *format, ...)
{
    char path[MR_AVRO_PATH_TEXT];
    const int len =
        snprintf(b->reason, sizeof(b->reason), "%s: ", mr_avro_path_text(&b->path, path));
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(b->reason + len, sizeof(b->reason) - (size_t)len, format, arguments);
    va_end(arguments);
    return false;
}

static bool does_not_fit(builder *b, const mr_type *writer, const mr_type *reader)
{
    return fail(b, "%s cannot be read as %s", writer->name, reader->name);
}

static bool is_promotion(mr_type_kind writer, mr_type_kind reader)
{
    switch (writer) {
    case MR_TYPE_INT:
        return reader == MR_TYPE_LONG || reader == MR_TYPE_FLOAT || reader == MR_TYPE_DOUBLE;
    case MR_TYPE_LONG:
        return reader == MR_TYPE_FLOAT || reader == MR_TYPE_DOUBLE;
    case MR_TYPE_FLOAT:
        return reader == MR_TYPE_DOUBLE;
    case MR_TYPE_STRING:
        return reader == MR_TYPE_BYTES;
    case MR_TYPE_BYTES:
        return reader == MR_TYPE_STRING;
    default:
        return false;
    }
}

static const mr_plan *resolve_below(builder *b, const char *step, const mr_type *writer,
                                    const mr_type *reader)
{
    b->path.steps[b->path.depth++] = step;
    const mr_plan *plan = resolve(b, writer, reader);
    b->path.depth--;
    return plan;
}

/* Fields that the writer lacks get the reader's default. */
static bool list_presets(builder *b, mr_plan *plan, const mr_type *writer, const mr_type *reader)
{
    free(plan->presets);
    plan->n_presets = 0;
    plan->presets = mr_alloc(reader->n_fields * sizeof(const mr_field *));
    for (size_t i = 0; i < reader->n_fields; i++) {
        const mr_field *field = &reader->fields[i];
        if (find_field(writer, reader, i) >= 0) {
            continue;
        }
        if (field->preset == NULL) {
            return fail(b, "the writer has no field '%s', and the reader's has no default",
                        field->name);
        }
        plan->presets[plan->n_presets++] = field;
    }
    return true;
}

static bool resolve_record(builder *b, mr_plan *plan, const mr_type *writer, const mr_type *reader)
{
    if (!list_presets(b, plan, writer, reader)) {
        return false;
    }
    mr_plan_field *fields = mr_alloc_zero(writer->n_fields, sizeof(*fields));
    plan->fields = fields;
    for (size_t i = 0; i < writer->n_fields; i++) {
        fields[i].skip = true;
    }
    for (size_t i = 0; i < reader->n_fields; i++) {
        const int found = find_field(writer, reader, i);
        if (found < 0) {
            continue;
        }
        const mr_field *field = &writer->fields[found];
        if (!fields[found].skip) {
            return fail(b, "two of the reader's fields mean the writer's '%s'", field->name);
        }
        fields[found].skip = false;
        fields[found].offset = reader->fields[i].offset;
        fields[found].plan = resolve_below(b, field->name, field->type, reader->fields[i].type);
        if (fields[found].plan == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < writer->n_fields; i++) {
        const mr_field *field = &writer->fields[i];
        if (fields[i].skip) {
            fields[i].plan = resolve_below(b, field->name, field->type, field->type);
        }
        if (fields[i].plan == NULL) {
            return false;
        }
    }
    return true;
}

static bool resolve_enum(mr_plan *plan, const mr_type *writer, const mr_type *reader)
{
    int32_t *symbols = mr_alloc(writer->n_symbols * sizeof(*symbols));
    for (size_t i = 0; i < writer->n_symbols; i++) {
        const int symbol = mr_type_symbol(reader, mr_bytes_text(writer->symbols[i]));
        symbols[i] = symbol >= 0 ? symbol : mr_type_info_of(reader)->default_symbol;
    }
    plan->symbols = symbols;
    return true;
}

/* Neither is a union. */
static bool resolve_plain(builder *b, mr_plan *plan, const mr_type *writer, const mr_type *reader)
{
    if (writer->kind != reader->kind) {
        return is_promotion(writer->kind, reader->kind) || does_not_fit(b, writer, reader);
    }
    if (mr_type_is_named(writer) && !names_match(writer, reader)) {
        return does_not_fit(b, writer, reader);
    }
    switch (writer->kind) {
    case MR_TYPE_RECORD:
        return resolve_record(b, plan, writer, reader);
    case MR_TYPE_ENUM:
        return resolve_enum(plan, writer, reader);
    case MR_TYPE_FIXED:
        return writer->fixed_size == reader->fixed_size ||
               fail(b, "%s of %zu bytes cannot be read as one of %zu", writer->name,
                    writer->fixed_size, reader->fixed_size);
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        plan->items = resolve_below(b, "[]", writer->items, reader->items);
        return plan->items != NULL;
    default:
        return true;
    }
}

/* ---- Unions ---- */

static bool is_same_branch(const mr_type *writer, const mr_type *reader)
{
    return writer->kind == reader->kind && strcmp(writer->name, reader->name) == 0;
}

/* Makes the plan one for a branch of the reader's union; tried on a plan that holds nothing. */
static bool try_branch(builder *b, mr_plan *plan, int branch)
{
    const size_t n_before = b->set->n;
    const mr_type *target = plan->reader->branches[branch];
    plan->reader_branch = branch;
    plan->target = target;
    if (resolve_plain(b, plan, plan->writer, target)) {
        return true;
    }
    free((void *)(uintptr_t)plan->fields);
    free((void *)(uintptr_t)plan->symbols);
    plan->fields = NULL;
    plan->symbols = NULL;
    plan->items = NULL;
    roll_back(b->set, n_before);
    return false;
}

/* The branch of the same type, else the first that takes the writer (so too in Java). */
static bool resolve_into_union(builder *b, mr_plan *plan)
{
    const mr_type *writer = plan->writer;
    const mr_type *reader = plan->reader;
    for (size_t i = 0; i < reader->n_branches; i++) {
        if (is_same_branch(writer, reader->branches[i]) && try_branch(b, plan, (int)i)) {
            return true;
        }
    }
    for (size_t i = 0; i < reader->n_branches; i++) {
        if (!is_same_branch(writer, reader->branches[i]) && try_branch(b, plan, (int)i)) {
            return true;
        }
    }
    return fail(b, "no branch of the reader's union takes %s", writer->name);
}

/* Branches that do not resolve are errors of the values that have them. */
static bool resolve_from_union(builder *b, mr_plan *plan)
{
    const mr_type *writer = plan->writer;
    const mr_plan **branches = mr_alloc_zero(writer->n_branches, sizeof(const mr_plan *));
    plan->branches = branches;
    bool any = false;
    for (size_t i = 0; i < writer->n_branches; i++) {
        branches[i] = resolve(b, writer->branches[i], plan->reader);
        any = any || branches[i] != NULL;
    }
    return any;
}

static const mr_plan *resolve(builder *b, const mr_type *writer, const mr_type *reader)
{
    mr_plan *plan = find(b->set, writer, reader);
    if (plan != NULL) {
        if (plan->failed) {
            (void)does_not_fit(b, writer, reader);
        }
        return plan->failed ? NULL : plan;
    }
    if (b->path.depth == MR_AVRO_DEPTH_MAX || b->set->n == PLANS_MAX) {
        /* Only two schemas that refer back to themselves in different ways come so deep. */
        (void)fail(b, "too many types within each other");
        return NULL;
    }
    plan = add(b->set, writer, reader);
    const size_t n_before = b->set->n;
    bool resolved;
    if (writer->kind == MR_TYPE_UNION) {
        resolved = resolve_from_union(b, plan);
    } else if (reader->kind == MR_TYPE_UNION) {
        resolved = resolve_into_union(b, plan);
    } else {
        resolved = resolve_plain(b, plan, writer, reader);
    }
    if (!resolved) {
        plan->failed = true;
        roll_back(b->set, n_before);
        return NULL;
    }
    return plan;
}

mr_status mr_plan_set_new(const mr_type *writer, const mr_type *reader, mr_plan_set **ret_set,
                          mr_error *err)
{
    MR_CLEANUP(mr_plan_set_freep) mr_plan_set *set = mr_alloc_zero(1, sizeof(*set));
    builder b = {.set = set};
    const mr_plan *top = resolve(&b, writer, reader);
    if (top == NULL) {
        return mr_error_record(err, MR_ERR_DATA, "validate",
                               "the reader's schema '%s' does not take the "
                               "writer's '%s': %s",
                               reader->name, writer->name, b.reason);
    }
    set->top = (mr_plan *)(uintptr_t)top;
    *ret_set = MR_STEAL(&set);
    return MR_OK;
}
