#include "serde/avro_plan.h"

#include "serde/value.h"

/*
 * What avro_value_read and avro_value_write call of an avro_value_iface; the other methods stay
 * NULL, which avro-c answers with an error. `self` is the memory of plan->target. mr_avro_check and
 * mr_avro_size have looked at everything before, so that nothing fails here; the few checks that
 * remain keep a mistake there from becoming a wild write.
 */

static const mr_plan *plan_of(const avro_value_iface_t *iface)
{
    return (const mr_plan *)(const void *)iface;
}

avro_value_t mr_plan_value(const mr_plan *plan, void *value)
{
    if (plan->reader_branch >= 0) {
        mr_union_select(plan->reader, value, plan->reader_branch);
        value = mr_union_payload(plan->reader, value);
    }
    /* avro-c hands the iface back to these methods only, which do not write to it. */
    return (avro_value_t){(avro_value_iface_t *)(uintptr_t)&plan->iface, value};
}

static void begin(const mr_plan *plan, void *value);

static void begin_record(const mr_plan *plan, void *self)
{
    for (size_t i = 0; i < plan->n_presets; i++) {
        const mr_field *field = plan->presets[i];
        mr_value_copy(field->type, (uint8_t *)self + field->offset, field->preset);
    }
    for (size_t i = 0; i < plan->writer->n_fields; i++) {
        if (!plan->fields[i].skip) {
            begin(plan->fields[i].plan, (uint8_t *)self + plan->fields[i].offset);
        }
    }
}

static void begin_target(const mr_plan *plan, void *self)
{
    if (plan->writer->kind == MR_TYPE_RECORD) {
        begin_record(plan, self);
    } else if (plan->writer->kind == MR_TYPE_ARRAY || plan->writer->kind == MR_TYPE_MAP) {
        mr_array_clear(plan->target, self);
    }
}

/*
 * Makes memory ready to be read into: fields that the writer lacks get their defaults, arrays and
 * maps are empty. Everything else will be written over, and a writer's union begins its branch
 * when it is known.
 */
static void begin(const mr_plan *plan, void *value)
{
    if (plan->reader_branch >= 0) {
        mr_union_select(plan->reader, value, plan->reader_branch);
        value = mr_union_payload(plan->reader, value);
    }
    begin_target(plan, value);
}

static int plan_reset(const avro_value_iface_t *iface, void *self)
{
    begin_target(plan_of(iface), self);
    return 0;
}

static avro_type_t plan_get_type(const avro_value_iface_t *iface, const void *self)
{
    static const avro_type_t types[] = {
        [MR_TYPE_NULL] = AVRO_NULL,   [MR_TYPE_BOOLEAN] = AVRO_BOOLEAN,
        [MR_TYPE_INT] = AVRO_INT32,   [MR_TYPE_LONG] = AVRO_INT64,
        [MR_TYPE_FLOAT] = AVRO_FLOAT, [MR_TYPE_DOUBLE] = AVRO_DOUBLE,
        [MR_TYPE_BYTES] = AVRO_BYTES, [MR_TYPE_STRING] = AVRO_STRING,
        [MR_TYPE_FIXED] = AVRO_FIXED, [MR_TYPE_ENUM] = AVRO_ENUM,
        [MR_TYPE_ARRAY] = AVRO_ARRAY, [MR_TYPE_MAP] = AVRO_MAP,
        [MR_TYPE_UNION] = AVRO_UNION, [MR_TYPE_RECORD] = AVRO_RECORD,
    };
    (void)self;
    return types[plan_of(iface)->writer->kind];
}

static avro_schema_t plan_get_schema(const avro_value_iface_t *iface, const void *self)
{
    (void)self;
    return plan_of(iface)->avro;
}

/* ---- Reading ---- */

static int plan_set_boolean(const avro_value_iface_t *iface, void *self, int value)
{
    (void)iface;
    *(bool *)self = value != 0;
    return 0;
}

static int plan_set_null(const avro_value_iface_t *iface, void *self)
{
    (void)iface;
    (void)self;
    return 0;
}

static int plan_set_double(const avro_value_iface_t *iface, void *self, double value)
{
    (void)iface;
    *(double *)self = value;
    return 0;
}

static int plan_set_float(const avro_value_iface_t *iface, void *self, float value)
{
    if (plan_of(iface)->target->kind == MR_TYPE_DOUBLE) {
        *(double *)self = value;
    } else {
        *(float *)self = value;
    }
    return 0;
}

static int plan_set_long(const avro_value_iface_t *iface, void *self, int64_t value)
{
    switch (plan_of(iface)->target->kind) {
    case MR_TYPE_LONG:
        *(int64_t *)self = value;
        return 0;
    case MR_TYPE_FLOAT:
        *(float *)self = (float)value;
        return 0;
    case MR_TYPE_DOUBLE:
        *(double *)self = (double)value;
        return 0;
    default:
        return EINVAL;
    }
}

static int plan_set_int(const avro_value_iface_t *iface, void *self, int32_t value)
{
    if (plan_of(iface)->target->kind == MR_TYPE_INT) {
        *(int32_t *)self = value;
        return 0;
    }
    return plan_set_long(iface, self, value);
}

static int plan_give_bytes(const avro_value_iface_t *iface, void *self, avro_wrapped_buffer_t *buf)
{
    (void)iface;
    mr_string_set(self, mr_bytes_of(buf->buf, buf->size));
    avro_wrapped_buffer_free(buf);
    return 0;
}

/* Here the size includes an end mark. */
static int plan_give_string(const avro_value_iface_t *iface, void *self, avro_wrapped_buffer_t *buf)
{
    (void)iface;
    mr_string_set(self, mr_bytes_of(buf->buf, buf->size - 1));
    avro_wrapped_buffer_free(buf);
    return 0;
}

static int plan_give_fixed(const avro_value_iface_t *iface, void *self, avro_wrapped_buffer_t *buf)
{
    const size_t size = plan_of(iface)->target->fixed_size;
    const bool fits = buf->size == size;
    if (fits && size > 0) {
        memcpy(self, buf->buf, size);
    }
    avro_wrapped_buffer_free(buf);
    return fits ? 0 : EINVAL;
}

static int plan_set_enum(const avro_value_iface_t *iface, void *self, int value)
{
    const mr_plan *plan = plan_of(iface);
    if (value < 0 || (size_t)value >= plan->writer->n_symbols || plan->symbols[value] < 0) {
        return EINVAL;
    }
    *(int32_t *)self = plan->symbols[value];
    return 0;
}

static int plan_set_branch(const avro_value_iface_t *iface, void *self, int discriminant,
                           avro_value_t *branch)
{
    const mr_plan *plan = plan_of(iface);
    if (discriminant < 0 || (size_t)discriminant >= plan->writer->n_branches ||
        plan->branches[discriminant] == NULL) {
        return EINVAL;
    }
    begin(plan->branches[discriminant], self);
    *branch = mr_plan_value(plan->branches[discriminant], self);
    return 0;
}

static int plan_append(const avro_value_iface_t *iface, void *self, avro_value_t *child,
                       size_t *new_index)
{
    const mr_plan *plan = plan_of(iface);
    if (new_index != NULL) {
        *new_index = ((mr_array *)self)->len;
    }
    void *element = mr_array_extend(plan->target, self);
    begin(plan->items, element);
    *child = mr_plan_value(plan->items, element);
    return 0;
}

static int plan_add(const avro_value_iface_t *iface, void *self, const char *key,
                    avro_value_t *child, size_t *index, int *is_new)
{
    const mr_plan *plan = plan_of(iface);
    if (index != NULL) {
        *index = ((mr_array *)self)->len;
    }
    if (is_new != NULL) {
        *is_new = 1;
    }
    void *value = mr_map_append(plan->target, self, mr_bytes_text(key));
    begin(plan->items, value);
    *child = mr_plan_value(plan->items, value);
    return 0;
}

/* ---- Writing ---- */

static int plan_get_boolean(const avro_value_iface_t *iface, const void *self, int *out)
{
    (void)iface;
    *out = *(const bool *)self;
    return 0;
}

static int plan_get_null(const avro_value_iface_t *iface, const void *self)
{
    (void)iface;
    (void)self;
    return 0;
}

static int plan_get_int(const avro_value_iface_t *iface, const void *self, int32_t *out)
{
    (void)iface;
    *out = *(const int32_t *)self;
    return 0;
}

static int plan_get_long(const avro_value_iface_t *iface, const void *self, int64_t *out)
{
    (void)iface;
    *out = *(const int64_t *)self;
    return 0;
}

static int plan_get_float(const avro_value_iface_t *iface, const void *self, float *out)
{
    (void)iface;
    *out = *(const float *)self;
    return 0;
}

static int plan_get_double(const avro_value_iface_t *iface, const void *self, double *out)
{
    (void)iface;
    *out = *(const double *)self;
    return 0;
}

static int plan_get_bytes(const avro_value_iface_t *iface, const void *self, const void **buf,
                          size_t *size)
{
    (void)iface;
    const mr_bytes bytes = mr_string_bytes(self);
    *buf = bytes.data;
    *size = bytes.len;
    return 0;
}

/* The size includes an end mark, which avro_value_write does not look at. */
static int plan_get_string(const avro_value_iface_t *iface, const void *self, const char **text,
                           size_t *size)
{
    (void)iface;
    const mr_bytes bytes = mr_string_bytes(self);
    *text = (const char *)bytes.data;
    *size = bytes.len + 1;
    return 0;
}

static int plan_get_fixed(const avro_value_iface_t *iface, const void *self, const void **buf,
                          size_t *size)
{
    *buf = self;
    *size = plan_of(iface)->target->fixed_size;
    return 0;
}

static int plan_get_enum(const avro_value_iface_t *iface, const void *self, int *out)
{
    (void)iface;
    *out = *(const int32_t *)self;
    return 0;
}

static int plan_get_discriminant(const avro_value_iface_t *iface, const void *self, int *out)
{
    (void)iface;
    *out = ((const mr_union *)self)->branch;
    return 0;
}

static int plan_get_current_branch(const avro_value_iface_t *iface, const void *self,
                                   avro_value_t *branch)
{
    const mr_plan *plan = plan_of(iface);
    const mr_plan *inner = plan->branches[((const mr_union *)self)->branch];
    /* The branch is selected already: nothing is written. */
    *branch = mr_plan_value(inner, (void *)(uintptr_t)self);
    return 0;
}

/* ---- Both ---- */

static int plan_get_size(const avro_value_iface_t *iface, const void *self, size_t *size)
{
    const mr_type *writer = plan_of(iface)->writer;
    *size = writer->kind == MR_TYPE_RECORD ? writer->n_fields : ((const mr_array *)self)->len;
    return 0;
}

static int get_field(const mr_plan *plan, const void *self, size_t index, avro_value_t *child)
{
    const mr_plan_field *field = &plan->fields[index];
    if (field->skip) {
        /* avro_value_read skips it then. */
        *child = (avro_value_t){NULL, NULL};
        return 0;
    }
    *child = mr_plan_value(field->plan, (uint8_t *)(uintptr_t)self + field->offset);
    return 0;
}

static int plan_get_by_index(const avro_value_iface_t *iface, const void *self, size_t index,
                             avro_value_t *child, const char **name)
{
    const mr_plan *plan = plan_of(iface);
    if (plan->writer->kind == MR_TYPE_RECORD) {
        return get_field(plan, self, index, child);
    }
    const mr_type *type = plan->target;
    uint8_t *element = mr_array_at(type, self, index);
    if (type->kind == MR_TYPE_MAP) {
        if (name != NULL) {
            /* mr_string_set has put an end mark behind it. */
            *name = (const char *)mr_string_bytes((const mr_string *)(const void *)element).data;
        }
        element += type->entry_value;
    }
    *child = mr_plan_value(plan->items, element);
    return 0;
}

static const avro_value_iface_t plan_iface_ops = {
    .reset = plan_reset,
    .get_type = plan_get_type,
    .get_schema = plan_get_schema,
    .get_boolean = plan_get_boolean,
    .get_bytes = plan_get_bytes,
    .get_double = plan_get_double,
    .get_float = plan_get_float,
    .get_int = plan_get_int,
    .get_long = plan_get_long,
    .get_null = plan_get_null,
    .get_string = plan_get_string,
    .get_enum = plan_get_enum,
    .get_fixed = plan_get_fixed,
    .set_boolean = plan_set_boolean,
    .give_bytes = plan_give_bytes,
    .set_double = plan_set_double,
    .set_float = plan_set_float,
    .set_int = plan_set_int,
    .set_long = plan_set_long,
    .set_null = plan_set_null,
    .give_string_len = plan_give_string,
    .set_enum = plan_set_enum,
    .give_fixed = plan_give_fixed,
    .get_size = plan_get_size,
    .get_by_index = plan_get_by_index,
    .get_discriminant = plan_get_discriminant,
    .get_current_branch = plan_get_current_branch,
    .append = plan_append,
    .add = plan_add,
    .set_branch = plan_set_branch,
};

void mr_plan_iface_init(mr_plan *plan)
{
    plan->iface = plan_iface_ops;
}
