#include <mr/json.h>

#include <stdlib.h>

#include "core/alloc.h"
#include "serde/json_scan.h"

struct mr_json {
    mr_json_kind kind;
    bool boolean;
    bool named;
    mr_json *first; /* of an array or object */
    mr_json *last;
    mr_json *next; /* beside this one */
    size_t count;
    size_t name_len;
    size_t text_len;
    char bytes[]; /* the name in an object, then the text of a number or string; each terminated */
};

typedef struct parser {
    mr_error *err;
    mr_json *root;
    mr_buf name; /* of the member whose value comes next */
    size_t depth;
    mr_json *open[MR_JSON_DEPTH_MAX];
} parser;

/* ---- Parsing ---- */

static mr_json *add(parser *p, mr_json_kind kind, mr_bytes text)
{
    mr_json *parent = p->depth == 0 ? NULL : p->open[p->depth - 1];
    const bool named = parent != NULL && parent->kind == MR_JSON_OBJECT;
    const size_t name_len = named ? p->name.len : 0;
    mr_json *json = mr_alloc_zero(1, sizeof(*json) + name_len + text.len + 2);
    json->kind = kind;
    json->named = named;
    json->name_len = name_len;
    json->text_len = text.len;
    if (name_len > 0) {
        memcpy(json->bytes, p->name.data, name_len);
    }
    if (text.len > 0) {
        memcpy(json->bytes + name_len + 1, text.data, text.len);
    }
    if (parent == NULL) {
        p->root = json;
        return json;
    }
    if (parent->last == NULL) {
        parent->first = json;
    } else {
        parent->last->next = json;
    }
    parent->last = json;
    parent->count++;
    return json;
}

static int on_null(void *ctx)
{
    (void)add(ctx, MR_JSON_NULL, MR_BYTES_NULL);
    return 1;
}

static int on_boolean(void *ctx, int boolean)
{
    add(ctx, MR_JSON_BOOLEAN, MR_BYTES_NULL)->boolean = boolean != 0;
    return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    (void)add(ctx, MR_JSON_NUMBER, mr_bytes_of(text, len));
    return 1;
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    parser *p = ctx;
    const mr_bytes bytes = mr_bytes_of(text, len);
    if (mr_json_check_utf8(bytes, p->err) != MR_OK) {
        return 0;
    }
    (void)add(p, MR_JSON_STRING, bytes);
    return 1;
}

static int open_container(parser *p, mr_json_kind kind)
{
    if (p->depth == MR_JSON_DEPTH_MAX) {
        (void)mr_error_record(p->err, MR_ERR_DATA, "deserialize", "JSON nested deeper than %d",
                              MR_JSON_DEPTH_MAX);
        return 0;
    }
    p->open[p->depth] = add(p, kind, MR_BYTES_NULL);
    p->depth++;
    return 1;
}

static int on_start_array(void *ctx)
{
    return open_container(ctx, MR_JSON_ARRAY);
}

static int on_end_array(void *ctx)
{
    ((parser *)ctx)->depth--;
    return 1;
}

static int on_start_object(void *ctx)
{
    return open_container(ctx, MR_JSON_OBJECT);
}

static int on_name(void *ctx, const unsigned char *text, size_t len)
{
    parser *p = ctx;
    mr_buf_clear(&p->name);
    mr_buf_append(&p->name, text, len);
    return mr_json_check_utf8(mr_buf_bytes(&p->name), p->err) == MR_OK;
}

static int compare_names(const void *a, const void *b)
{
    return mr_bytes_compare(mr_json_name_of(*(const mr_json *const *)a),
                            mr_json_name_of(*(const mr_json *const *)b));
}

/* Sorted, so that an object of very many names costs no more than its size says. */
static mr_status check_names(const mr_json *object, mr_error *err)
{
    const mr_json **members = mr_alloc(object->count * sizeof(mr_json *));
    size_t n = 0;
    for (const mr_json *member = object->first; member != NULL; member = member->next) {
        members[n++] = member;
    }
    qsort(members, n, sizeof(mr_json *), compare_names);
    mr_status status = MR_OK;
    for (size_t i = 1; i < n && status == MR_OK; i++) {
        if (compare_names(&members[i - 1], &members[i]) == 0) {
            status =
                mr_error_record(err, MR_ERR_DATA, "deserialize",
                                "JSON has the name '%.60s' twice in one object", members[i]->bytes);
        }
    }
    free(members);
    return status;
}

static int on_end_object(void *ctx)
{
    parser *p = ctx;
    p->depth--;
    return check_names(p->open[p->depth], p->err) == MR_OK;
}

static const yajl_callbacks parser_ops = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_object,
    .yajl_map_key = on_name,
    .yajl_end_map = on_end_object,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

mr_status mr_json_parse(mr_bytes text, mr_json **ret_json, mr_error *err)
{
    parser p = {.err = err};
    yajl_handle scanner;
    const mr_status status = mr_json_scan(&parser_ops, &p, text, &scanner, err);
    mr_buf_deinit(&p.name);
    if (status < 0) {
        mr_json_free(p.root);
        return status;
    }
    *ret_json = p.root;
    return MR_OK;
}

/* Recursion is as deep as the nesting, which is limited. */
void mr_json_free(mr_json *json)
{
    if (json == NULL) {
        return;
    }
    for (mr_json *item = json->first; item != NULL;) {
        mr_json *next = item->next;
        mr_json_free(item);
        item = next;
    }
    free(json);
}

/* ---- Access ---- */

mr_json_kind mr_json_kind_of(const mr_json *json)
{
    return json->kind;
}

const mr_json *mr_json_get(const mr_json *json, const char *name)
{
    const mr_json *member = json == NULL || json->kind != MR_JSON_OBJECT ? NULL : json->first;
    while (member != NULL && !mr_bytes_equal_text(mr_json_name_of(member), name)) {
        member = member->next;
    }
    return member;
}

const mr_json *mr_json_first(const mr_json *json)
{
    return json == NULL ? NULL : json->first;
}

const mr_json *mr_json_next(const mr_json *item)
{
    return item->next;
}

size_t mr_json_count(const mr_json *json)
{
    return json == NULL ? 0 : json->count;
}

mr_bytes mr_json_name_of(const mr_json *member)
{
    return member->named ? mr_bytes_of(member->bytes, member->name_len) : MR_BYTES_NULL;
}

static mr_bytes text_of(const mr_json *json)
{
    return mr_bytes_of(json->bytes + json->name_len + 1, json->text_len);
}

static bool is_kind(const mr_json *json, mr_json_kind kind)
{
    return json != NULL && json->kind == kind;
}

mr_status mr_json_string(const mr_json *json, mr_bytes *ret_text)
{
    if (!is_kind(json, MR_JSON_STRING)) {
        return MR_NOT_FOUND;
    }
    *ret_text = text_of(json);
    return MR_OK;
}

mr_status mr_json_integer(const mr_json *json, int64_t *ret_number)
{
    return is_kind(json, MR_JSON_NUMBER) ? mr_json_whole(text_of(json), ret_number) : MR_NOT_FOUND;
}

mr_status mr_json_number(const mr_json *json, double *ret_number)
{
    return is_kind(json, MR_JSON_NUMBER) ? mr_json_fraction(text_of(json), false, ret_number)
                                         : MR_NOT_FOUND;
}

mr_status mr_json_boolean(const mr_json *json, bool *ret_boolean)
{
    if (!is_kind(json, MR_JSON_BOOLEAN)) {
        return MR_NOT_FOUND;
    }
    *ret_boolean = json->boolean;
    return MR_OK;
}

static void append_value(mr_json_writer *writer, const mr_json *json)
{
    switch (json->kind) {
    case MR_JSON_NULL:
        mr_json_put_null(writer);
        return;
    case MR_JSON_BOOLEAN:
        mr_json_put_boolean(writer, json->boolean);
        return;
    case MR_JSON_NUMBER:
        mr_json_put_raw(writer, text_of(json));
        return;
    case MR_JSON_STRING:
        mr_json_put_bytes(writer, text_of(json));
        return;
    case MR_JSON_ARRAY:
        mr_json_open_array(writer);
        break;
    case MR_JSON_OBJECT:
        mr_json_open_object(writer);
        break;
    }
    for (const mr_json *item = json->first; item != NULL; item = item->next) {
        if (item->named) {
            mr_json_put_name_bytes(writer, mr_json_name_of(item));
        }
        append_value(writer, item);
    }
    if (json->kind == MR_JSON_ARRAY) {
        mr_json_close_array(writer);
    } else {
        mr_json_close_object(writer);
    }
}

void mr_json_raw(const mr_json *json, mr_buf *text)
{
    mr_json_writer writer = mr_json_writer_on(text);
    append_value(&writer, json);
}
