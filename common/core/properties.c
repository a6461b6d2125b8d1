#include <mr/config.h>

#include <stdlib.h>

#include "core/alloc.h"
#include "core/file.h"
#include "core/text.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* ---- The set ---- */

static mr_property *find(const mr_properties *properties, const char *name)
{
    for (size_t i = 0; i < properties->n; i++) {
        if (strcmp(properties->items[i].name, name) == 0) {
            return &properties->items[i];
        }
    }
    return NULL;
}

void mr_properties_deinit(mr_properties *properties)
{
    for (size_t i = 0; i < properties->n; i++) {
        free(properties->items[i].name);
        free(properties->items[i].value);
        free(properties->items[i].origin);
    }
    free(properties->items);
    *properties = (mr_properties){0};
}

void mr_properties_set(mr_properties *properties, const char *name, const char *value,
                       const char *origin)
{
    /* Copied first: the texts may be those of the property that is replaced. */
    const mr_property added = {mr_strdup(name), mr_strdup(value), mr_strdup(origin)};
    mr_property *property = find(properties, name);
    if (property == NULL) {
        MR_GROW(properties->items, properties->capacity, properties->n + 1);
        property = &properties->items[properties->n++];
    } else {
        free(property->name);
        free(property->value);
        free(property->origin);
    }
    *property = added;
}

const char *mr_properties_get(const mr_properties *properties, const char *name)
{
    const mr_property *property = find(properties, name);
    return property == NULL ? NULL : property->value;
}

/* ---- Files (the format that java.util.Properties reads) ---- */

typedef struct reader {
    const char *path;
    const char *at; /* of zero-terminated text that holds no other zero */
    int line;       /* of `at`, from 1 */
    int first_line; /* of the logical line being read */
    mr_error *err;
} reader;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c)
{
    return c == '\n' || c == '\r' || c == '\0';
}

static void skip_blanks(reader *r)
{
    while (is_blank(*r->at)) {
        r->at++;
    }
}

/* Steps over one line end, "\r\n" being one. */
static void skip_line_end(reader *r)
{
    if (r->at[0] == '\r' && r->at[1] == '\n') {
        r->at++;
    }
    if (*r->at != '\0') {
        r->at++;
        r->line++;
    }
}

static void skip_line(reader *r)
{
    while (!is_line_end(*r->at)) {
        r->at++;
    }
    skip_line_end(r);
}

/* A backslash at the end of a line joins the next one without the blanks that it begins with. */
static bool skip_continuation(reader *r)
{
    if (r->at[0] != '\\' || !is_line_end(r->at[1])) {
        return false;
    }
    r->at++;
    skip_line_end(r);
    skip_blanks(r);
    return true;
}

static bool take_hex4(reader *r, uint32_t *ret_code)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++) {
        const char c = *r->at;
        const bool digit = c >= '0' && c <= '9';
        const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!digit && !letter) {
            return false;
        }
        code = code * 16 + (uint32_t)(digit ? c - '0' : (c | 0x20) - 'a' + 10);
        r->at++;
    }
    *ret_code = code;
    return true;
}

/* The hexadecimal digits after \u; characters above U+FFFF are written as a pair of surrogates. */
static mr_status take_unicode(reader *r, mr_buf *text)
{
    uint32_t code = 0;
    bool good = take_hex4(r, &code) && code != 0 && (code & 0xfc00) != 0xdc00;
    if (good && (code & 0xfc00) == 0xd800) {
        uint32_t low = 0;
        good = r->at[0] == '\\' && r->at[1] == 'u';
        if (good) {
            r->at += 2;
            good = take_hex4(r, &low) && (low & 0xfc00) == 0xdc00;
            code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
        }
    }
    if (!good) {
        return mr_error_set(r->err, MR_ERR_USAGE,
                            "%s:%d: '\\u' needs the four hexadecimal digits "
                            "of a character",
                            r->path, r->line);
    }
    mr_text_append_code_point(text, code);
    return MR_OK;
}

/* One character, escaped or not, that is no line end. */
static mr_status take_character(reader *r, mr_buf *text)
{
    if (*r->at != '\\') {
        mr_buf_append_byte(text, (uint8_t)*r->at++);
        return MR_OK;
    }
    r->at++;
    const char c = *r->at++;
    switch (c) {
    case 'u':
        return take_unicode(r, text);
    case 't':
        mr_buf_append_byte(text, '\t');
        break;
    case 'n':
        mr_buf_append_byte(text, '\n');
        break;
    case 'r':
        mr_buf_append_byte(text, '\r');
        break;
    case 'f':
        mr_buf_append_byte(text, '\f');
        break;
    default:
        mr_buf_append_byte(text, (uint8_t)c);
        break;
    }
    return MR_OK;
}

static mr_status take_name(reader *r, mr_buf *name)
{
    for (;;) {
        if (skip_continuation(r)) {
            continue;
        }
        const char c = *r->at;
        if (is_line_end(c) || is_blank(c) || c == '=' || c == ':') {
            return MR_OK;
        }
        MR_TRY(take_character(r, name));
    }
}

static void skip_blanks_and_continuations(reader *r)
{
    do {
        skip_blanks(r);
    } while (skip_continuation(r));
}

/* Kafka's own clients drop the blanks that a value ends with; those that are escaped stay here. */
static mr_status take_value(reader *r, mr_buf *value)
{
    skip_blanks_and_continuations(r);
    if (*r->at == '=' || *r->at == ':') {
        r->at++;
        skip_blanks_and_continuations(r);
    }
    size_t kept = 0;
    while (!is_line_end(*r->at)) {
        if (skip_continuation(r)) {
            continue;
        }
        const bool blank = is_blank(*r->at);
        MR_TRY(take_character(r, value));
        kept = blank ? kept : value->len;
    }
    value->len = kept;
    mr_buf_append(value, "", 0);
    skip_line_end(r);
    return MR_OK;
}

static mr_status take_line(reader *r, mr_properties *properties, mr_buf *name, mr_buf *value)
{
    mr_buf_clear(name);
    mr_buf_clear(value);
    r->first_line = r->line;
    MR_TRY(take_name(r, name));
    MR_TRY(take_value(r, value));
    if (name->len == 0) {
        return mr_error_set(r->err, MR_ERR_USAGE, "%s:%d: there is no name before the value '%s'",
                            r->path, r->first_line, mr_buf_text(value));
    }
    char *origin = mr_asprintf("%s:%d", r->path, r->first_line);
    mr_properties_set(properties, mr_buf_text(name), mr_buf_text(value), origin);
    free(origin);
    return MR_OK;
}

static mr_status read_lines(reader *r, mr_properties *properties)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf name = MR_BUF_NULL;
    MR_CLEANUP(mr_buf_deinit) mr_buf value = MR_BUF_NULL;
    while (*r->at != '\0') {
        skip_blanks(r);
        if (*r->at == '#' || *r->at == '!') {
            skip_line(r);
        } else if (is_line_end(*r->at)) {
            skip_line_end(r);
        } else {
            MR_TRY(take_line(r, properties, &name, &value));
        }
    }
    return MR_OK;
}

mr_status mr_properties_load(mr_properties *properties, const char *path, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf contents = MR_BUF_NULL;
    const mr_status status = mr_file_read(path, FILE_BYTES_MAX, &contents, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(err, MR_ERR_USAGE, "there is no configuration file '%s'", path);
    }
    if (status < 0) {
        return mr_error_prefix(err, "configuration");
    }
    const char *text = mr_buf_text(&contents);
    if (strlen(text) != contents.len || !mr_text_is_utf8(mr_buf_bytes(&contents))) {
        return mr_error_set(err, MR_ERR_USAGE, "configuration file '%s' is no UTF-8 text", path);
    }
    reader r = {.path = path, .at = text, .line = 1, .first_line = 1, .err = err};
    if (strncmp(r.at, "\xef\xbb\xbf", 3) == 0) {
        r.at += 3; /* the mark that some editors put first */
    }
    return read_lines(&r, properties);
}

/* ---- Environment and command line ---- */

void mr_properties_load_environment(mr_properties *properties, char *const *environment)
{
    static const char prefix[] = "MILLRACE_";
    const size_t prefix_len = sizeof(prefix) - 1;
    for (; environment != NULL && *environment != NULL; environment++) {
        const char *equals = strchr(*environment, '=');
        if (equals == NULL || strncmp(*environment, prefix, prefix_len) != 0 ||
            *environment + prefix_len == equals) {
            continue;
        }
        char *origin = mr_strndup(*environment, (size_t)(equals - *environment));
        char *name = mr_strdup(origin + prefix_len);
        for (char *c = name; *c != '\0'; c++) {
            *c = (char)(*c == '_' ? '.' : *c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
        }
        mr_properties_set(properties, name, equals + 1, origin);
        free(name);
        free(origin);
    }
}

mr_status mr_properties_parse(mr_properties *properties, const char *assignment, mr_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        return mr_error_set(err, MR_ERR_USAGE, "-X '%s': expected name=value", assignment);
    }
    char *name = mr_strndup(assignment, (size_t)(equals - assignment));
    mr_properties_set(properties, name, equals + 1, "-X");
    free(name);
    return MR_OK;
}
