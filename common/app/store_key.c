#include "app/store_key.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/text.h"

/* ---- Percent-encoding ---- */

static int digit_of(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

mr_status mr_percent_decode(mr_bytes text, bool form, mr_buf *out, mr_error *err)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '+' && form) {
            c = ' ';
        } else if (c == '%') {
            const int high = i + 2 < text.len ? digit_of(text.data[i + 1]) : -1;
            const int low = i + 2 < text.len ? digit_of(text.data[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return mr_error_set(err, MR_ERR_USAGE, "'%%' without two hexadecimal digits");
            }
            c = (uint8_t)(high * 16 + low);
            i += 2;
        }
        mr_buf_append_byte(out, c);
    }
    return MR_OK;
}

void mr_percent_encode(mr_bytes text, mr_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        if ((c < 0x80 && isalnum(c) != 0) || (c != 0 && strchr("-._~", c) != NULL)) {
            mr_buf_append_byte(out, c);
        } else {
            mr_buf_printf(out, "%%%02X", c);
        }
    }
}

/* ---- Parts ---- */

static size_t n_parts_of(const mr_store_spec *store)
{
    return store->key.raw ? 1 : store->key.n;
}

static mr_key_kind kind_of(const mr_store_spec *store, size_t part)
{
    return store->key.raw ? MR_KEY_STRING : store->key.kinds[part];
}

void mr_store_key_describe(const mr_store_spec *store, mr_buf *out)
{
    for (size_t i = 0; i < n_parts_of(store); i++) {
        mr_buf_printf(out, "%s%s", i == 0 ? "" : "/",
                      kind_of(store, i) == MR_KEY_STRING ? "string" : "long");
    }
}

static mr_status wrong_count(const mr_store_spec *store, size_t n, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf description = MR_BUF_NULL;
    mr_store_key_describe(store, &description);
    return mr_error_set(err, MR_ERR_USAGE, "a key of store '%s' is %s: %zu parts, not %zu",
                        store->name, mr_buf_text(&description), n_parts_of(store), n);
}

static void append_text(const mr_store_spec *store, mr_bytes text, mr_buf *key)
{
    if (store->key.raw) {
        mr_buf_append_bytes(key, text);
        return;
    }
    const mr_key_part part = {.kind = MR_KEY_STRING, .text = text};
    mr_key_append(key, &part);
}

static mr_status append_number(const mr_store_spec *store, size_t i, mr_bytes text, mr_buf *key,
                               mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf number = MR_BUF_NULL;
    mr_buf_append_bytes(&number, text);
    mr_key_part part = {.kind = MR_KEY_LONG};
    if (strlen(mr_buf_text(&number)) != text.len ||
        mr_parse_int64(mr_buf_text(&number), &part.number) != MR_OK) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "part %zu of a key of store '%s' is a whole number, not '%.80s'", i + 1,
                            store->name, mr_buf_text(&number));
    }
    mr_key_append(key, &part);
    return MR_OK;
}

static mr_status append_part(const mr_store_spec *store, size_t i, mr_bytes text, mr_buf *key,
                             mr_error *err)
{
    if (kind_of(store, i) == MR_KEY_LONG) {
        return append_number(store, i, text, key, err);
    }
    append_text(store, text, key);
    return MR_OK;
}

mr_status mr_store_key_encode(const mr_store_spec *store, const mr_bytes *parts, size_t n,
                              mr_buf *key, mr_error *err)
{
    if (n != n_parts_of(store)) {
        return wrong_count(store, n, err);
    }
    for (size_t i = 0; i < n; i++) {
        MR_TRY(append_part(store, i, parts[i], key, err));
    }
    return MR_OK;
}

/* ---- Bounds ---- */

typedef struct part_list {
    mr_buf texts[MR_KEY_PARTS_MAX];
    size_t n;
} part_list;

static void part_list_deinit(part_list *parts)
{
    for (size_t i = 0; i < MR_KEY_PARTS_MAX; i++) {
        mr_buf_deinit(&parts->texts[i]);
    }
}

static mr_status split(const mr_store_spec *store, mr_bytes text, part_list *parts, mr_error *err)
{
    if (n_parts_of(store) == 1) {
        mr_buf_append_bytes(&parts->texts[0], text);
        parts->n = 1;
        return MR_OK;
    }
    for (;;) {
        const uint8_t *slash = memchr(text.data, '/', text.len);
        const size_t len = slash == NULL ? text.len : (size_t)(slash - text.data);
        if (parts->n == n_parts_of(store)) {
            return wrong_count(store, parts->n + 1, err);
        }
        MR_TRY(
            mr_percent_decode(mr_bytes_of(text.data, len), false, &parts->texts[parts->n++], err));
        if (slash == NULL) {
            return MR_OK;
        }
        text = mr_bytes_of(slash + 1, text.len - len - 1);
    }
}

mr_status mr_store_key_bound(const mr_store_spec *store, mr_bytes text, mr_buf *key, mr_error *err)
{
    MR_CLEANUP(part_list_deinit) part_list parts = {0};
    MR_TRY(split(store, text, &parts, err));
    for (size_t i = 0; i < parts.n; i++) {
        MR_TRY(append_part(store, i, mr_buf_bytes(&parts.texts[i]), key, err));
    }
    return MR_OK;
}

static mr_status append_open(const mr_store_spec *store, size_t i, mr_bytes text, mr_buf *key,
                             mr_error *err)
{
    if (kind_of(store, i) == MR_KEY_LONG) {
        /* "a/" is all of a: there is nothing to say of the number behind it. */
        return text.len == 0 ? MR_OK : append_number(store, i, text, key, err);
    }
    if (store->key.raw) {
        mr_buf_append_bytes(key, text);
    } else {
        mr_key_append_open(key, text);
    }
    return MR_OK;
}

mr_status mr_store_key_prefix(const mr_store_spec *store, mr_bytes text, mr_buf *key, mr_error *err)
{
    MR_CLEANUP(part_list_deinit) part_list parts = {0};
    MR_TRY(split(store, text, &parts, err));
    for (size_t i = 0; i + 1 < parts.n; i++) {
        MR_TRY(append_part(store, i, mr_buf_bytes(&parts.texts[i]), key, err));
    }
    return append_open(store, parts.n - 1, mr_buf_bytes(&parts.texts[parts.n - 1]), key, err);
}

/* ---- JSON ---- */

mr_status mr_store_key_to_json(const mr_store_spec *store, mr_bytes key, mr_json_writer *json,
                               mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf scratch = MR_BUF_NULL;
    mr_key_part parts[MR_KEY_PARTS_MAX];
    size_t n = 1;
    if (store->key.raw) {
        parts[0] = (mr_key_part){.kind = MR_KEY_STRING, .text = key};
    } else {
        MR_TRY(mr_key_parse(key, &scratch, parts, &n, err));
    }
    mr_json_open_array(json);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].kind == MR_KEY_LONG) {
            mr_json_put_integer(json, parts[i].number);
        } else {
            mr_json_put_bytes(json, parts[i].text);
        }
    }
    mr_json_close_array(json);
    return MR_OK;
}

mr_status mr_store_key_from_json(const mr_store_spec *store, const mr_json *json, mr_buf *key,
                                 mr_error *err)
{
    size_t i = 0;
    for (const mr_json *item = mr_json_first(json); item != NULL; item = mr_json_next(item), i++) {
        mr_key_part part = {0};
        if (i == n_parts_of(store)) {
            return wrong_count(store, mr_json_count(json), err);
        }
        part.kind = kind_of(store, i);
        const mr_status status = part.kind == MR_KEY_LONG ? mr_json_integer(item, &part.number)
                                                          : mr_json_string(item, &part.text);
        if (status != MR_OK) {
            return mr_error_set(err, MR_ERR_DATA,
                                "part %zu of a key of store '%s' is of another "
                                "type",
                                i + 1, store->name);
        }
        if (part.kind == MR_KEY_LONG) {
            mr_key_append(key, &part);
        } else {
            append_text(store, part.text, key);
        }
    }
    return i == n_parts_of(store) ? MR_OK : wrong_count(store, i, err);
}
