#include "serde/json_scalar.h"
#include "serde/json_scan.h"

/* Steps from the opening quote of a string behind its closing one. */
static size_t skip_string(mr_bytes text, size_t i)
{
    for (i++; i < text.len && text.data[i] != '"'; i++) {
        i += text.data[i] == '\\';
    }
    return i + 1;
}

/* The next name of the open object: *at is behind it then. False at the object's end. */
static bool next_name(mr_bytes text, size_t *at, mr_bytes *ret_name)
{
    size_t depth = 0;
    bool name_next = *at == 0;
    for (size_t i = *at; i < text.len;) {
        const uint8_t c = text.data[i];
        if (c == '"') {
            const size_t end = skip_string(text, i);
            if (name_next && end <= text.len) {
                *ret_name = mr_bytes_of(text.data + i + 1, end - i - 2);
                *at = end;
                return true;
            }
            i = end;
            continue;
        }
        if ((c == '}' || c == ']') && depth-- == 0) {
            return false;
        }
        depth += c == '{' || c == '[';
        name_next = name_next || (c == ',' && depth == 0);
        i++;
    }
    return false;
}

/* Names with escapes fit nothing: Avro's names need none. */
bool mr_json_names_fit(const mr_type *record, mr_bytes rest)
{
    size_t n_missing = 0;
    for (size_t i = 0; i < record->n_fields; i++) {
        n_missing += mr_json_is_required(&record->fields[i]);
    }
    size_t at = 0;
    mr_bytes name;
    while (next_name(rest, &at, &name)) {
        const int field = mr_type_field(record, name);
        if (field < 0) {
            return false;
        }
        if (mr_json_is_required(&record->fields[field])) {
            n_missing--;
        }
    }
    /* A name that is there twice is refused when it is read. */
    return n_missing == 0;
}
