#include "runtime/parking.h"

const char mr_parking_schema_json[] =
    "{\"type\":\"record\",\"name\":\"ParkedKey\",\"namespace\":\"millrace\",\"fields\":["
    "{\"name\":\"Topic\",\"type\":\"string\"},"
    "{\"name\":\"Partition\",\"type\":\"int\"},"
    "{\"name\":\"Offset\",\"type\":\"long\"},"
    "{\"name\":\"Class\",\"type\":\"string\"},"
    "{\"name\":\"Behind\",\"type\":\"long\"}]}";

/* A row in memory, field for field as the schema above lays it out. */
enum { FIELD_TOPIC, FIELD_PARTITION, FIELD_OFFSET, FIELD_CLASS, FIELD_BEHIND, FIELDS };

static const void *field(const mr_context *context, size_t store, const void *row, size_t i)
{
    const mr_type *type = mr_schema_type(mr_context_stage(context)->stores[store].value);
    assert(type->n_fields == FIELDS);
    return (const uint8_t *)row + type->fields[i].offset;
}

mr_status mr_parking_check(mr_context *context, size_t store, mr_bytes key, mr_error *err)
{
    const void *row;
    MR_TRY(mr_context_peek(context, store, key, &row, err));
    if (row == NULL) {
        return MR_OK;
    }
    const mr_string *topic = field(context, store, row, FIELD_TOPIC);
    const mr_string *error_class = field(context, store, row, FIELD_CLASS);
    return mr_error_record(
        err, MR_ERR_DATA, "parked", "waits behind %.*s partition %d offset %lld (%.*s)",
        (int)topic->len, topic->data, *(const int32_t *)field(context, store, row, FIELD_PARTITION),
        (long long)*(const int64_t *)field(context, store, row, FIELD_OFFSET),
        (int)error_class->len, error_class->data);
}

mr_status mr_parking_add(mr_context *context, size_t store, const mr_error *cause, mr_error *err)
{
    const mr_record *record = mr_context_record(context);
    void *row;
    mr_status status = mr_context_edit(context, store, record->key, &row, err);
    if (status == MR_NOT_FOUND) {
        MR_TRY(mr_context_put(context, store, record->key, &row, err));
        const mr_type *type = mr_schema_type(mr_context_stage(context)->stores[store].value);
        mr_string_set(mr_field_at(type, row, FIELD_TOPIC), mr_bytes_text(record->topic));
        *(int32_t *)mr_field_at(type, row, FIELD_PARTITION) = record->partition;
        *(int64_t *)mr_field_at(type, row, FIELD_OFFSET) = record->offset;
        mr_string_set(mr_field_at(type, row, FIELD_CLASS),
                      mr_bytes_text(cause->error_class == NULL ? "handler" : cause->error_class));
        return MR_OK;
    }
    if (status != MR_OK) {
        return status;
    }
    const mr_type *type = mr_schema_type(mr_context_stage(context)->stores[store].value);
    ++*(int64_t *)mr_field_at(type, row, FIELD_BEHIND);
    return MR_OK;
}
