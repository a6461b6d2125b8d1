#include <mr/value.h>

#include <inttypes.h>

#include "core/text.h"
#include "serde/json_scan.h"

static const void *at(const void *value, size_t offset)
{
    return (const uint8_t *)value + offset;
}

/* One character a byte, \u0000 to \u00ff: ASCII as it is, so that texts in bytes can be read. */
static void write_bytes(mr_bytes bytes, mr_buf *json)
{
    mr_buf_append_byte(json, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t c = bytes.data[i];
        if (c < 0x20 || c >= 0x7f) {
            mr_buf_printf(json, "\\u%04x", c);
        } else {
            if (c == '"' || c == '\\') {
                mr_buf_append_byte(json, '\\');
            }
            mr_buf_append_byte(json, c);
        }
    }
    mr_buf_append_byte(json, '"');
}

static void write_record(const mr_type *type, const void *value, mr_buf *json)
{
    for (size_t i = 0; i < type->n_fields; i++) {
        const mr_field *field = &type->fields[i];
        mr_buf_append_text(json, i == 0 ? "{\"" : ",\"");
        mr_buf_append_text(json, field->name); /* Avro names need no escapes */
        mr_buf_append_text(json, "\":");
        mr_value_to_json(field->type, at(value, field->offset), json);
    }
    mr_buf_append_text(json, type->n_fields == 0 ? "{}" : "}");
}

static void write_array(const mr_type *type, const mr_array *array, mr_buf *json)
{
    mr_buf_append_byte(json, '[');
    for (size_t i = 0; i < array->len; i++) {
        mr_buf_append_text(json, i == 0 ? "" : ",");
        mr_value_to_json(type->items, mr_array_at(type, array, i), json);
    }
    mr_buf_append_byte(json, ']');
}

static void write_map(const mr_type *type, const mr_array *map, mr_buf *json)
{
    mr_buf_append_byte(json, '{');
    for (size_t i = 0; i < map->len; i++) {
        const void *entry = mr_array_at(type, map, i);
        mr_buf_append_text(json, i == 0 ? "" : ",");
        mr_text_append_json(json, mr_string_bytes(entry));
        mr_buf_append_byte(json, ':');
        mr_value_to_json(type->items, at(entry, type->entry_value), json);
    }
    mr_buf_append_byte(json, '}');
}

void mr_value_to_json(const mr_type *type, const void *value, mr_buf *json)
{
    switch (type->kind) {
    case MR_TYPE_NULL:
        mr_buf_append_text(json, "null");
        break;
    case MR_TYPE_BOOLEAN:
        mr_buf_append_text(json, *(const bool *)value ? "true" : "false");
        break;
    case MR_TYPE_INT:
        mr_buf_printf(json, "%" PRId32, *(const int32_t *)value);
        break;
    case MR_TYPE_LONG:
        mr_buf_printf(json, "%" PRId64, *(const int64_t *)value);
        break;
    case MR_TYPE_FLOAT:
        mr_json_append_float(json, *(const float *)value);
        break;
    case MR_TYPE_DOUBLE:
        mr_json_append_double(json, *(const double *)value);
        break;
    case MR_TYPE_BYTES:
        write_bytes(mr_string_bytes(value), json);
        break;
    case MR_TYPE_FIXED:
        write_bytes(mr_bytes_of(value, type->fixed_size), json);
        break;
    case MR_TYPE_STRING:
        mr_text_append_json(json, mr_string_bytes(value));
        break;
    case MR_TYPE_ENUM:
        mr_text_append_json(json, mr_bytes_text(type->symbols[*(const int32_t *)value]));
        break;
    case MR_TYPE_ARRAY:
        write_array(type, value, json);
        break;
    case MR_TYPE_MAP:
        write_map(type, value, json);
        break;
    case MR_TYPE_UNION: {
        const mr_union *chosen = value;
        mr_value_to_json(type->branches[chosen->branch], at(value, type->payload), json);
        break;
    }
    case MR_TYPE_RECORD:
        write_record(type, value, json);
        break;
    }
}
