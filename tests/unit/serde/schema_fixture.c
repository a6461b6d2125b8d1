#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "schema_fixture.h"

char *double_quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return copy;
}

const mr_schema *must_add(mr_schemas *schemas, const char *json)
{
    char *text = double_quoted(json);
    mr_error err = {0};
    const mr_schema *schema = NULL;
    if (mr_schemas_add(schemas, text, "test", &schema, &err) != MR_OK) {
        fail_msg("%s: %s", text, err.message);
    }
    free(text);
    assert_non_null(schema);
    return schema;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void append_hex(mr_buf *buf, const char *hex)
{
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ') {
            continue;
        }
        assert_true(digit(hex[0]) >= 0 && digit(hex[1]) >= 0);
        mr_buf_append_byte(buf, (uint8_t)(digit(hex[0]) << 4 | digit(hex[1])));
        hex++;
    }
}

void append_framed(mr_buf *buf, const mr_schema *writer, mr_bytes body)
{
    mr_buf_append(buf, "\xc3\x01", 2);
    for (int i = 0; i < 8; i++) {
        mr_buf_append_byte(buf, (uint8_t)(mr_schema_fingerprint(writer) >> (8 * i)));
    }
    mr_buf_append_bytes(buf, body);
}

void *must_read_json(const mr_type *type, const char *json)
{
    void *value = mr_value_new(type);
    mr_error err = {0};
    if (mr_value_from_json(type, mr_bytes_text(json), value, &err) != MR_OK) {
        fail_msg("%s: %s", json, err.message);
    }
    return value;
}
