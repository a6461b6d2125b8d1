#include "cli/emit_record.h"

#include <stdio.h>

#include <mr/json.h>
#include <mr/value.h>

#include "core/text.h"

void mr_emit_record_clear(mr_emit_record *record)
{
    mr_buf_clear(&record->id);
    mr_buf_clear(&record->type);
    mr_buf_clear(&record->subject);
    mr_buf_clear(&record->key);
    mr_buf_clear(&record->data);
    record->has_key = false;
    record->time_ms = -1;
    record->expected_version = MR_VERSION_NONE;
}

void mr_emit_record_deinit(mr_emit_record *record)
{
    mr_buf_deinit(&record->id);
    mr_buf_deinit(&record->type);
    mr_buf_deinit(&record->subject);
    mr_buf_deinit(&record->key);
    mr_buf_deinit(&record->data);
}

/* ---- Parsing ---- */

static mr_status wrong_kind(const char *name, const char *expected, mr_error *err)
{
    return mr_error_set(err, MR_ERR_USAGE, "\"%s\" is no %s", name, expected);
}

static mr_status take_text(const mr_json *member, const char *name, mr_buf *text, mr_error *err)
{
    mr_bytes found;
    if (mr_json_string(member, &found) != MR_OK) {
        return wrong_kind(name, "string", err);
    }
    mr_buf_append_bytes(text, found);
    return MR_OK;
}

static mr_status take_time(const mr_json *member, mr_emit_record *record, mr_error *err)
{
    mr_bytes text;
    if (mr_json_integer(member, &record->time_ms) == MR_OK && record->time_ms >= 0) {
        return MR_OK;
    }
    if (mr_json_string(member, &text) == MR_OK && mr_time_parse(text, &record->time_ms) == MR_OK &&
        record->time_ms >= 0) {
        return MR_OK;
    }
    return wrong_kind("time", "time such as \"2020-04-20T20:30:00Z\", or milliseconds", err);
}

static mr_status take_member(const mr_json *member, mr_emit_record *record, mr_error *err)
{
    static const char *const names[] = {"type", "subject",         "id",  "key",
                                        "time", "expectedversion", "data"};
    enum { TYPE, SUBJECT, ID, KEY, TIME, EXPECTED, DATA, N };
    const mr_bytes name = mr_json_name_of(member);
    const char *text = (const char *)name.data;
    size_t which = 0;
    while (which < N && !mr_bytes_equal_text(name, names[which])) {
        which++;
    }
    switch (which) {
    case TYPE:
        return take_text(member, names[TYPE], &record->type, err);
    case SUBJECT:
        return take_text(member, names[SUBJECT], &record->subject, err);
    case ID:
        return take_text(member, names[ID], &record->id, err);
    case KEY:
        record->has_key = true;
        return take_text(member, names[KEY], &record->key, err);
    case TIME:
        return take_time(member, record, err);
    case EXPECTED:
        if (mr_json_integer(member, &record->expected_version) != MR_OK ||
            record->expected_version < -1) {
            return wrong_kind(names[EXPECTED], "version: a whole number from -1 on", err);
        }
        return MR_OK;
    case DATA:
        mr_json_raw(member, &record->data);
        return MR_OK;
    default:
        break;
    }
    const char *nearest = mr_text_nearest(text, names, N, sizeof(names[0]));
    return mr_error_set(err, MR_ERR_USAGE, "unknown member \"%.40s\"%s%s%s", text,
                        nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "\"?");
}

mr_status mr_emit_record_parse(mr_bytes line, mr_emit_record *record, mr_error *err)
{
    mr_json *parsed = NULL;
    if (mr_json_parse(line, &parsed, err) != MR_OK) {
        err->status = MR_ERR_USAGE;
        err->action = MR_ACT_STOP;
        return MR_ERR_USAGE;
    }
    MR_CLEANUP(mr_json_freep) mr_json *json = parsed;
    if (mr_json_kind_of(json) != MR_JSON_OBJECT) {
        return mr_error_set(err, MR_ERR_USAGE, "expected an object with type, subject and data");
    }
    for (const mr_json *member = mr_json_first(json); member != NULL;
         member = mr_json_next(member)) {
        MR_TRY(take_member(member, record, err));
    }
    return MR_OK;
}

/* ---- Checking ---- */

static bool reads(const mr_stage *stage, const char *topic)
{
    for (size_t i = 0; i < stage->n_from; i++) {
        if (strcmp(stage->from[i], topic) == 0) {
            return true;
        }
    }
    return false;
}

static mr_handler_group group_of(const mr_stage *stage)
{
    return strcmp(stage->kind, "aggregate") == 0 ? MR_DECIDE : MR_ON;
}

/* Has a stage that reads the topic a handler for the type? Otherwise the nearest name it knows. */
static bool is_handled(const mr_app *app, const char *topic, const char *type,
                       const char **ret_nearest)
{
    bool is_read = false;
    *ret_nearest = NULL;
    for (size_t s = 0; s < app->n_stages; s++) {
        const mr_stage *stage = &app->stages[s];
        const mr_handler_group group = group_of(stage);
        if (!reads(stage, topic)) {
            continue;
        }
        is_read = true;
        for (size_t i = 0; i < stage->n_handled[group]; i++) {
            const char *name = stage->handled[group][i];
            if (strcmp(name, type) == 0 || strcmp(name, "*") == 0) {
                return true;
            }
        }
        const char *nearest = stage->n_handled[group] == 0
                                  ? NULL
                                  : mr_text_nearest(type, stage->handled[group],
                                                    stage->n_handled[group], sizeof(char *));
        *ret_nearest = nearest == NULL ? *ret_nearest : nearest;
    }
    return !is_read; /* a topic that no stage of this app reads takes anything */
}

static mr_status check_data(const mr_emit_record *record, const mr_app *app, mr_error *err)
{
    const mr_schema *schema = mr_schemas_find(app->schemas, mr_buf_bytes(&record->type));
    if (schema == NULL) {
        const char *nearest = mr_schemas_nearest(app->schemas, mr_buf_text(&record->type));
        return mr_error_set(err, MR_ERR_USAGE, "there is no schema '%.80s'%s%s%s",
                            mr_buf_text(&record->type), nearest == NULL ? "" : "; did you mean '",
                            nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    }
    if (record->data.len == 0) {
        return mr_error_set(err, MR_ERR_USAGE, "\"data\" is missing");
    }
    const mr_type *type = mr_schema_type(schema);
    void *value = mr_value_new(type);
    const mr_status status = mr_value_from_json(type, mr_buf_bytes(&record->data), value, err);
    mr_value_free(type, value);
    if (status != MR_OK) {
        (void)mr_error_prefix(err, "data");
        err->status = MR_ERR_USAGE;
        err->action = MR_ACT_STOP;
        return MR_ERR_USAGE;
    }
    return MR_OK;
}

mr_status mr_emit_record_check(const mr_emit_record *record, const mr_app *app, const char *topic,
                               mr_error *err)
{
    const char *nearest;
    if (record->type.len == 0 || record->subject.len == 0) {
        return mr_error_set(err, MR_ERR_USAGE, "\"%s\" is missing",
                            record->type.len == 0 ? "type" : "subject");
    }
    if (!is_handled(app, topic, mr_buf_text(&record->type), &nearest)) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "no stage that reads %s knows the type '%.80s'%s%s%s", topic,
                            mr_buf_text(&record->type), nearest == NULL ? "" : "; did you mean '",
                            nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    }
    return check_data(record, app, err);
}

/* ---- Topic and ID ---- */

mr_status mr_emit_topic(const mr_app *app, const char **ret_topic, mr_error *err)
{
    const char *found = NULL;
    for (size_t i = 0; i < app->n_topics; i++) {
        const mr_topic *topic = &app->topics[i];
        if (!topic->external || topic->role != MR_TOPIC_INPUT) {
            continue;
        }
        if (found != NULL) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "app '%s' has several topics that come from outside (%s, %s): "
                                "which one?",
                                app->name, found, topic->name);
        }
        found = topic->name;
    }
    if (found == NULL) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "app '%s' has no topic that comes from outside: name one", app->name);
    }
    *ret_topic = found;
    return MR_OK;
}

void mr_uuid_format(const uint8_t random[16], char ret_text[MR_UUID_SIZE])
{
    uint8_t b[16];
    memcpy(b, random, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80); /* variant 10 */
    (void)snprintf(ret_text, MR_UUID_SIZE,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
}
