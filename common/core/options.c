#include <mr/config.h>

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

typedef struct unit {
    const char *name;
    int64_t factor;
} unit;

/* Largest first, so that the first one that divides a value prints it shortest. */
static const unit duration_units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                      {"s", 1000},     {"ms", 1},      {NULL, 0}};
static const unit size_units[] = {{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {NULL, 0}};

static const char secret_mask[] = "********";

static void *field_of(const mr_option *option, void *target)
{
    return (uint8_t *)target + option->offset;
}

/* ---- Reading ---- */

/* A whole number, with or without a unit behind it. */
static mr_status parse_with_unit(const char *text, const unit *units, int64_t *ret_value)
{
    const size_t len = strspn(text, "-0123456789");
    int64_t factor = text[len] == '\0' ? 1 : 0;
    for (; units->name != NULL && factor == 0; units++) {
        if (strcmp(text + len, units->name) == 0) {
            factor = units->factor;
        }
    }
    char number[24];
    if (factor == 0 || len >= sizeof(number)) {
        return MR_NOT_FOUND;
    }
    memcpy(number, text, len);
    number[len] = '\0';
    int64_t value;
    if (mr_parse_int64(number, &value) != MR_OK || __builtin_mul_overflow(value, factor, &value)) {
        return MR_NOT_FOUND;
    }
    *ret_value = value;
    return MR_OK;
}

static mr_status parse_number(const mr_option *option, const char *text, int64_t *ret_value)
{
    if (option->kind == MR_OPTION_DURATION) {
        return parse_with_unit(text, duration_units, ret_value);
    }
    if (option->kind == MR_OPTION_SIZE) {
        return parse_with_unit(text, size_units, ret_value);
    }
    return mr_parse_int64(text, ret_value);
}

static bool is_limited(const mr_option *option)
{
    return option->min != 0 || option->max != 0;
}

static bool in_range(const mr_option *option, int64_t value)
{
    if (is_limited(option)) {
        return value >= option->min && value <= option->max;
    }
    return value >= 0 || option->kind == MR_OPTION_INT;
}

static size_t count_choices(const mr_option *option)
{
    size_t n = 0;
    while (option->choices[n] != NULL) {
        n++;
    }
    return n;
}

/* Sets the field; MR_NOT_FOUND when the text is no allowed value, and the field is then untouched.
 */
static mr_status set_field(const mr_option *option, const char *text, void *target)
{
    void *field = field_of(option, target);
    int64_t number;
    switch (option->kind) {
    case MR_OPTION_TEXT:
        if (*text == '\0' && option->preset == NULL) {
            text = NULL;
        } else if (is_limited(option) && !in_range(option, (int64_t)strlen(text))) {
            return MR_NOT_FOUND;
        }
        *(const char **)field = text;
        return MR_OK;
    case MR_OPTION_INT:
    case MR_OPTION_DURATION:
    case MR_OPTION_SIZE:
        if (parse_number(option, text, &number) != MR_OK || !in_range(option, number)) {
            return MR_NOT_FOUND;
        }
        *(int64_t *)field = number;
        return MR_OK;
    case MR_OPTION_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
            return MR_NOT_FOUND;
        }
        *(bool *)field = *text == 't';
        return MR_OK;
    case MR_OPTION_CHOICE:
        for (int i = 0; option->choices[i] != NULL; i++) {
            if (strcmp(text, option->choices[i]) == 0) {
                *(int *)field = i;
                return MR_OK;
            }
        }
        return MR_NOT_FOUND;
    }
    return MR_NOT_FOUND;
}

static void set_preset(const mr_option *option, void *target)
{
    const char *text = option->preset;
    if (text == NULL) {
        text = option->kind == MR_OPTION_TEXT     ? ""
               : option->kind == MR_OPTION_BOOL   ? "false"
               : option->kind == MR_OPTION_CHOICE ? option->choices[0]
                                                  : "0";
    }
    const mr_status status = set_field(option, text, target);
    assert(status == MR_OK);
    (void)status;
}

/* ---- Printing ---- */

static void append_number(const mr_option *option, int64_t value, mr_buf *out)
{
    const unit *units = option->kind == MR_OPTION_DURATION ? duration_units
                        : option->kind == MR_OPTION_SIZE   ? size_units
                                                           : NULL;
    for (; units != NULL && units->name != NULL; units++) {
        if (value != 0 && value % units->factor == 0) {
            mr_buf_printf(out, "%" PRId64 "%s", value / units->factor, units->name);
            return;
        }
    }
    mr_buf_printf(out, "%" PRId64, value);
}

/* As a value in a properties file. */
static void append_escaped(const char *text, mr_buf *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        const bool edge = c == text || c[1] == '\0';
        if (*c == '\\' || (*c == ' ' && edge)) {
            mr_buf_append_byte(out, '\\');
            mr_buf_append_byte(out, (uint8_t)*c);
        } else if ((uint8_t)*c < 0x20 || *c == 0x7f) {
            mr_buf_printf(out, "\\u%04x", (unsigned)*c);
        } else {
            mr_buf_append_byte(out, (uint8_t)*c);
        }
    }
}

static void append_value(const mr_option *option, const void *target, mr_buf *out)
{
    const void *field = (const uint8_t *)target + option->offset;
    switch (option->kind) {
    case MR_OPTION_TEXT:
        if (*(const char *const *)field != NULL) {
            append_escaped(option->secret ? secret_mask : *(const char *const *)field, out);
        }
        break;
    case MR_OPTION_INT:
    case MR_OPTION_DURATION:
    case MR_OPTION_SIZE:
        append_number(option, *(const int64_t *)field, out);
        break;
    case MR_OPTION_BOOL:
        mr_buf_append_text(out, *(const bool *)field ? "true" : "false");
        break;
    case MR_OPTION_CHOICE:
        mr_buf_append_text(out, option->choices[*(const int *)field]);
        break;
    }
}

/* ---- What a person is told ---- */

static void append_range(const mr_option *option, const char *what, mr_buf *out)
{
    mr_buf_append_text(out, what);
    if (!is_limited(option)) {
        return;
    }
    mr_buf_append_text(out, " from ");
    append_number(option, option->min, out);
    mr_buf_append_text(out, " to ");
    append_number(option, option->max, out);
}

static void append_choices(const mr_option *option, const char *text, mr_buf *out)
{
    mr_buf_append_text(out, "one of");
    for (size_t i = 0; option->choices[i] != NULL; i++) {
        mr_buf_printf(out, "%s %s", i == 0 ? "" : ",", option->choices[i]);
    }
    const char *nearest =
        mr_text_nearest(text, option->choices, count_choices(option), sizeof(option->choices[0]));
    if (nearest != NULL) {
        mr_buf_printf(out, "; did you mean '%s'?", nearest);
    }
}

static void append_allowed(const mr_option *option, const char *text, mr_buf *out)
{
    switch (option->kind) {
    case MR_OPTION_TEXT:
        mr_buf_printf(out, "a text of %" PRId64 " to %" PRId64 " bytes", option->min, option->max);
        break;
    case MR_OPTION_INT:
        append_range(option, "a whole number", out);
        break;
    case MR_OPTION_DURATION:
        append_range(option, "a duration such as 100ms, 5s, 2m, 1h or 7d", out);
        break;
    case MR_OPTION_SIZE:
        append_range(option, "a size in bytes such as 65536, 64k, 256m or 1g", out);
        break;
    case MR_OPTION_BOOL:
        mr_buf_append_text(out, "true or false");
        break;
    case MR_OPTION_CHOICE:
        append_choices(option, text, out);
        break;
    }
}

static mr_status refuse(const mr_option *option, const mr_property *property, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf allowed = MR_BUF_NULL;
    append_allowed(option, property->value, &allowed);
    return mr_error_set(err, MR_ERR_USAGE, "%s: %s is '%.80s', expected %s", property->origin,
                        property->name, option->secret ? secret_mask : property->value,
                        mr_buf_text(&allowed));
}

/* ---- The table ---- */

mr_status mr_options_apply(const mr_option *options, size_t n_options,
                           const mr_properties *properties, void *target, mr_error *err)
{
    for (size_t i = 0; i < n_options; i++) {
        set_preset(&options[i], target);
    }
    for (size_t i = 0; i < properties->n; i++) {
        const mr_property *property = &properties->items[i];
        const mr_option *option = mr_options_find(options, n_options, property->name);
        if (option != NULL && set_field(option, property->value, target) != MR_OK) {
            return refuse(option, property, err);
        }
    }
    return MR_OK;
}

void mr_options_dump(const mr_option *options, size_t n_options, const void *target, mr_buf *out)
{
    for (size_t i = 0; i < n_options; i++) {
        mr_buf_printf(out, "%s=", options[i].name);
        append_value(&options[i], target, out);
        mr_buf_append_byte(out, '\n');
    }
}

const mr_option *mr_options_find(const mr_option *options, size_t n_options, const char *name)
{
    for (size_t i = 0; i < n_options; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

const char *mr_options_nearest(const mr_option *options, size_t n_options, const char *name)
{
    return n_options == 0 ? NULL
                          : mr_text_nearest(name, &options[0].name, n_options, sizeof(options[0]));
}

bool mr_property_is_secret(const char *name)
{
    static const char *const words[] = {
        "password", "secret", "user.info", "key.pem", "jaas", "oauthbearer.config", "passphrase"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(name, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}
