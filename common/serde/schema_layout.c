#include "serde/schema.h"

/*
 * Sizes and offsets. Record fields lie in the order of the schema, each at the next multiple of
 * its alignment; a union is its branch number and room for the largest branch; arrays and maps are
 * headers of one size, which is why only they may refer back to a type that is being laid out.
 */

typedef struct layouter {
    const mr_schema_file *file;
    mr_error *err;
} layouter;

static mr_status lay(const layouter *l, mr_type_info *info) MR_MUST_USE;

static mr_status too_large(const layouter *l, const mr_type_info *info)
{
    return mr_error_set(l->err, MR_ERR_DATA, "%s: a value of '%s' would take more than %d bytes",
                        l->file->origin, info->type.name, MR_TYPE_SIZE_MAX);
}

static void include(mr_type *outer, const mr_type *inner)
{
    outer->align = inner->align > outer->align ? inner->align : outer->align;
    outer->flat = outer->flat && inner->flat;
}

static mr_status lay_record(const layouter *l, mr_type_info *info)
{
    mr_type *type = &info->type;
    size_t end = 0;
    type->flat = true;
    info->weightless = true;
    for (size_t i = 0; i < type->n_fields; i++) {
        mr_field *field = &info->fields[i];
        mr_type_info *inner = mr_type_info_edit(field->type);
        if (inner->state == MR_TYPE_LAYING) {
            return mr_error_set(l->err, MR_ERR_DATA,
                                "%s: field '%s' of '%s' holds '%s' within itself: it has no size "
                                "(only an array or a map may refer back)",
                                l->file->origin, field->name, type->name, inner->type.name);
        }
        MR_TRY(lay(l, inner));
        include(type, field->type);
        info->weightless = info->weightless && inner->weightless;
        field->offset = mr_align_up(end, field->type->align);
        end = field->offset + field->type->size;
        if (end > MR_TYPE_SIZE_MAX) {
            return too_large(l, info);
        }
    }
    /* Never empty: a value has an address of its own, and nesting costs something. */
    type->size = mr_align_up(end == 0 ? 1 : end, type->align);
    return MR_OK;
}

static mr_status lay_union(const layouter *l, mr_type_info *info)
{
    mr_type *type = &info->type;
    size_t size = 0;
    size_t align = 1;
    type->flat = true;
    type->align = _Alignof(mr_union);
    for (size_t i = 0; i < type->n_branches; i++) {
        mr_type_info *inner = mr_type_info_edit(type->branches[i]);
        if (inner->state == MR_TYPE_LAYING) {
            return mr_error_set(l->err, MR_ERR_DATA,
                                "%s: '%s' holds itself in a union: it has no size (only an array "
                                "or a map may refer back)",
                                l->file->origin, inner->type.name);
        }
        MR_TRY(lay(l, inner));
        include(type, type->branches[i]);
        align = inner->type.align > align ? inner->type.align : align;
        size = inner->type.size > size ? inner->type.size : size;
    }
    type->payload = mr_align_up(sizeof(mr_union), align);
    type->size = mr_align_up(type->payload + size, type->align);
    return type->size > MR_TYPE_SIZE_MAX ? too_large(l, info) : MR_OK;
}

static mr_status lay(const layouter *l, mr_type_info *info)
{
    if (info->state != MR_TYPE_PARSED) {
        return MR_OK;
    }
    mr_type *type = &info->type;
    info->state = MR_TYPE_LAYING;
    switch (type->kind) {
    case MR_TYPE_RECORD:
        MR_TRY(lay_record(l, info));
        break;
    case MR_TYPE_UNION:
        MR_TRY(lay_union(l, info));
        break;
    case MR_TYPE_ARRAY:
    case MR_TYPE_MAP:
        type->size = sizeof(mr_array);
        type->align = _Alignof(mr_array);
        break;
    case MR_TYPE_ENUM:
        type->size = sizeof(int32_t);
        type->align = _Alignof(int32_t);
        type->flat = true;
        break;
    default:
        assert(type->kind == MR_TYPE_FIXED);
        type->size = type->fixed_size;
        type->flat = true;
        info->weightless = type->fixed_size == 0;
        break;
    }
    info->state = MR_TYPE_LAID;
    return MR_OK;
}

/* Needs the elements' sizes, which may be those of the record around. */
static void lay_elements(mr_type *type)
{
    const size_t size = type->items->size;
    if (type->kind == MR_TYPE_ARRAY) {
        type->stride = size == 0 ? 1 : size;
        return;
    }
    const size_t align =
        type->items->align > _Alignof(mr_string) ? type->items->align : _Alignof(mr_string);
    type->entry_value = mr_align_up(sizeof(mr_string), type->items->align);
    type->stride = mr_align_up(type->entry_value + size, align);
}

mr_status mr_schema_layout(mr_schema_file *file, mr_error *err)
{
    const layouter l = {file, err};
    for (size_t i = 0; i < file->n_types; i++) {
        MR_TRY(lay(&l, file->types[i]));
    }
    for (size_t i = 0; i < file->n_types; i++) {
        mr_type *type = &file->types[i]->type;
        if (type->kind == MR_TYPE_ARRAY || type->kind == MR_TYPE_MAP) {
            lay_elements(type);
        }
    }
    return MR_OK;
}
