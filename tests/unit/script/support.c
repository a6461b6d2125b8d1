#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/alloc.h"
#include "support.h"

/* One file a record; every kind of type is in Cart. */
static const struct {
    const char *file;
    const char *json;
} schemas[] = {
    {"schemas/Line.avsc",
     "{\"type\":\"record\",\"name\":\"Line\",\"namespace\":\"shop\",\"fields\":["
     "{\"name\":\"Id\",\"type\":\"string\"},"
     "{\"name\":\"Quantity\",\"type\":\"int\",\"default\":1},"
     "{\"name\":\"Tags\",\"type\":{\"type\":\"array\",\"items\":\"string\"},"
     "\"default\":[]}]}"},
    {"schemas/Node.avsc",
     "{\"type\":\"record\",\"name\":\"Node\",\"namespace\":\"shop\",\"fields\":["
     "{\"name\":\"Name\",\"type\":\"string\"},"
     "{\"name\":\"Children\",\"type\":{\"type\":\"array\",\"items\":\"Node\"},"
     "\"default\":[]}]}"},
    {"schemas/Cart.avsc",
     "{\"type\":\"record\",\"name\":\"Cart\",\"namespace\":\"shop\",\"fields\":["
     "{\"name\":\"Id\",\"type\":\"string\",\"default\":\"\"},"
     "{\"name\":\"Owner\",\"type\":[\"null\",\"string\"],\"default\":null},"
     "{\"name\":\"Items\",\"type\":{\"type\":\"array\",\"items\":\"Line\"},\"default\":[]},"
     "{\"name\":\"Notes\",\"type\":{\"type\":\"map\",\"values\":\"string\"},\"default\":{}},"
     "{\"name\":\"Shelves\",\"type\":{\"type\":\"map\",\"values\":\"Line\"},\"default\":{}},"
     "{\"name\":\"Count\",\"type\":\"int\",\"default\":0},"
     "{\"name\":\"Total\",\"type\":\"long\",\"default\":0},"
     "{\"name\":\"Ratio\",\"type\":\"double\",\"default\":0},"
     "{\"name\":\"Rate\",\"type\":\"float\",\"default\":0},"
     "{\"name\":\"Open\",\"type\":\"boolean\",\"default\":false},"
     "{\"name\":\"Status\",\"type\":{\"type\":\"enum\",\"name\":\"Status\",\"symbols\":[\"OPEN\","
     "\"CLOSED\"]},\"default\":\"OPEN\"},"
     "{\"name\":\"Hash\",\"type\":{\"type\":\"fixed\",\"name\":\"Hash\",\"size\":4},\"default\":"
     "\"0000\"},"
     "{\"name\":\"Blob\",\"type\":\"bytes\",\"default\":\"\"},"
     "{\"name\":\"Main\",\"type\":[\"null\",\"Line\"],\"default\":null},"
     "{\"name\":\"Choice\",\"type\":[\"null\",\"long\",\"string\",\"Line\"],\"default\":null},"
     "{\"name\":\"First\",\"type\":\"Line\",\"default\":{\"Id\":\"\"}},"
     "{\"name\":\"Numbers\",\"type\":{\"type\":\"array\",\"items\":\"long\"},\"default\":[]},"
     "{\"name\":\"Maybe\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"long\"]},\"default\":["
     "]},"
     "{\"name\":\"Tree\",\"type\":{\"type\":\"array\",\"items\":\"Node\"},\"default\":[]}]}"},
    {"schemas/Add.avsc", "{\"type\":\"record\",\"name\":\"Add\",\"namespace\":\"shop\",\"fields\":["
                         "{\"name\":\"Id\",\"type\":\"string\",\"default\":\"\"},"
                         "{\"name\":\"Quantity\",\"type\":\"int\",\"default\":0}]}"},
    {"schemas/Added.avsc",
     "{\"type\":\"record\",\"name\":\"Added\",\"namespace\":\"shop\",\"fields\":["
     "{\"name\":\"Item\",\"type\":\"Line\"}]}"},
    {"schemas/Ping.avsc",
     "{\"type\":\"record\",\"name\":\"Ping\",\"namespace\":\"shop\",\"fields\":[]}"},
    /* What a fold reads, and the row that it makes. */
    {"schemas/Measured.avsc",
     "{\"type\":\"record\",\"name\":\"Measured\",\"namespace\":\"shop\",\"fields\":["
     "{\"name\":\"Sensor\",\"type\":\"string\"},"
     "{\"name\":\"Day\",\"type\":\"int\"},"
     "{\"name\":\"Amount\",\"type\":\"long\"},"
     "{\"name\":\"Weight\",\"type\":\"float\"},"
     "{\"name\":\"Maybe\",\"type\":[\"null\",\"long\"]}]}"},
    {"schemas/Summary.avsc",
     "{\"type\":\"record\",\"name\":\"Summary\",\"namespace\":\"shop\",\"fields\":["
     "{\"name\":\"Count\",\"type\":\"long\"},"
     "{\"name\":\"Least\",\"type\":[\"null\",\"long\"]},"
     "{\"name\":\"Mean\",\"type\":\"double\"},"
     "{\"name\":\"Name\",\"type\":\"string\"},"
     "{\"name\":\"Top\",\"type\":{\"type\":\"array\",\"items\":\"long\"}},"
     "{\"name\":\"Peaks\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
     "\"name\":\"Peak\",\"fields\":[{\"name\":\"Sensor\",\"type\":\"string\"},"
     "{\"name\":\"Amount\",\"type\":\"long\"}]}}},"
     "{\"name\":\"Marks\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
     "\"name\":\"Mark\",\"fields\":[{\"name\":\"Amount\",\"type\":\"long\"},"
     "{\"name\":\"Maybe\",\"type\":\"long\"}]}}},"
     "{\"name\":\"Others\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\","
     "\"name\":\"Other\",\"fields\":[{\"name\":\"Amount\",\"type\":\"long\"},"
     "{\"name\":\"Sensr\",\"type\":\"string\"}]}}}]}"},
};

/* ---- Files ---- */

static void add_folder(script_files *files, const char *name)
{
    char *path = mr_asprintf("%s/%s", files->directory, name);
    assert_int_equal(mkdir(path, 0700), 0);
    files->paths[files->n++] = path;
}

void script_files_begin(script_files *files)
{
    const char *top = getenv("TMPDIR");
    *files = (script_files){0};
    (void)snprintf(files->directory, sizeof(files->directory), "%.40s/script-XXXXXX",
                   top == NULL ? "/tmp" : top);
    assert_non_null(mkdtemp(files->directory));
    add_folder(files, "schemas");
    add_folder(files, "tests");
}

void script_files_add(script_files *files, const char *name, const char *text)
{
    assert_true(files->n < SCRIPT_FILES_MAX);
    char *path = mr_asprintf("%s/%s", files->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    files->paths[files->n++] = path;
}

void script_files_end(script_files *files)
{
    while (files->n > 0) {
        char *path = files->paths[--files->n];
        (void)remove(path);
        free(path);
    }
    (void)rmdir(files->directory);
}

/* ---- Loading ---- */

char *script_lines_with(const char *const *lines, size_t n, size_t line, const char *replacement)
{
    mr_buf text = MR_BUF_NULL;
    for (size_t i = 0; i < n; i++) {
        mr_buf_append_text(&text, i + 1 == line ? replacement : lines[i]);
        mr_buf_append_byte(&text, '\n');
    }
    return (char *)text.data;
}

mr_status script_load(script_fixture *fixture, const char *app_lua)
{
    script_files_begin(&fixture->files);
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        script_files_add(&fixture->files, schemas[i].file, schemas[i].json);
    }
    script_files_add(&fixture->files, "app.lua", app_lua);
    return mr_lua_app_load(fixture->files.directory, &fixture->limits, &fixture->app,
                           &fixture->err);
}

static void make_tables(script_fixture *fixture)
{
    fixture->tables = mr_alloc_zero(fixture->stage->n_stores, sizeof(fixture->tables[0]));
    for (size_t i = 0; i < fixture->stage->n_stores; i++) {
        fixture->tables[i] = mr_table_new(&fixture->stage->stores[i], NULL, fixture->codec);
    }
}

static void check_ok(const script_fixture *fixture, mr_status status)
{
    if (status != MR_OK) {
        print_error("%s\n", fixture->err.message);
    }
    assert_int_equal(status, MR_OK);
}

void script_open(script_fixture *fixture, const char *app_lua, const char *stage)
{
    static const mr_context_limits limits = {.record_bytes_max = 1 << 20, .outputs_max = 10000};
    check_ok(fixture, script_load(fixture, app_lua));
    fixture->stage = mr_app_stage(fixture->app, stage);
    assert_non_null(fixture->stage);
    for (size_t i = 0; i < fixture->stage->n_to; i++) {
        mr_app_add_topic(fixture->app, fixture->stage->to[i], MR_TOPIC_INPUT, 1);
    }
    for (size_t i = 0; i < fixture->stage->n_stores; i++) {
        ((mr_store_spec *)&fixture->stage->stores[i])->number = (uint8_t)(i + 1);
    }
    check_ok(fixture, mr_lua_handler_new(fixture->stage, &fixture->limits, &fixture->handler,
                                         &fixture->err));
    fixture->codec = mr_codec_new(fixture->app->schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    fixture->context = mr_context_new(fixture->stage, fixture->codec, &limits);
    make_tables(fixture);
    fixture->record = (mr_record){.topic = fixture->stage->from[0],
                                  .partition = 3,
                                  .offset = 7,
                                  .timestamp_ms = 1000,
                                  .key = mr_bytes_text("cart-1"),
                                  .value = mr_bytes_text("")};
    fixture->envelope = (mr_envelope){.id = mr_bytes_text("id-1"),
                                      .subject = mr_bytes_text("cart-1"),
                                      .time_ms = 2000,
                                      .sequence = MR_VERSION_NONE,
                                      .expected_version = MR_VERSION_NONE};
    if (fixture->stage->state != NULL) {
        fixture->state = mr_value_new(mr_schema_type(fixture->stage->state));
    }
}

static void forget_sent(script_fixture *fixture)
{
    for (size_t i = 0; i < fixture->n_sent; i++) {
        script_sent *sent = &fixture->sent[i];
        free(sent->topic);
        free(sent->key);
        free(sent->id);
        free(sent->type);
        free(sent->subject);
        free(sent->correlation);
        free(sent->causation);
        free(sent->json);
    }
    fixture->n_sent = 0;
}

void script_close(script_fixture *fixture)
{
    const mr_lua_limits limits = fixture->limits;
    mr_handler_free(fixture->handler);
    mr_context_free(fixture->context);
    for (size_t i = 0; fixture->tables != NULL && i < fixture->stage->n_stores; i++) {
        mr_table_free(fixture->tables[i]);
    }
    free(fixture->tables);
    mr_codec_free(fixture->codec);
    mr_decision_deinit(&fixture->decision);
    if (fixture->state != NULL) {
        mr_value_free(mr_schema_type(fixture->stage->state), fixture->state);
    }
    forget_sent(fixture);
    mr_buf_deinit(&fixture->text);
    mr_app_free(fixture->app);
    script_files_end(&fixture->files);
    *fixture = (script_fixture){.limits = limits};
}

/* ---- Calling ---- */

typedef struct capture {
    mr_collector collector;
    script_fixture *fixture;
} capture;

static char *text_of(mr_bytes bytes)
{
    return mr_bytes_is_null(bytes) ? NULL : mr_strndup((const char *)bytes.data, bytes.len);
}

static mr_status capture_record(mr_collector *collector, const mr_record *record, mr_error *err)
{
    script_fixture *fixture = ((capture *)(void *)collector)->fixture;
    assert_true(fixture->n_sent < SCRIPT_SENT_MAX);
    script_sent *sent = &fixture->sent[fixture->n_sent++];
    mr_envelope envelope;
    MR_TRY(mr_envelope_read(record, &envelope, err));
    *sent = (script_sent){.topic = mr_strdup(record->topic),
                          .key = text_of(record->key),
                          .id = text_of(envelope.id),
                          .type = text_of(envelope.type),
                          .subject = text_of(envelope.subject),
                          .correlation = text_of(envelope.correlation_id),
                          .causation = text_of(envelope.causation_id),
                          .sequence = envelope.sequence,
                          .expected_version = envelope.expected_version,
                          .time_ms = envelope.time_ms};
    if (!mr_bytes_is_null(record->value)) {
        const mr_schema *schema;
        MR_TRY(mr_codec_writer(fixture->codec, record->value, &schema, err));
        const mr_type *type = mr_schema_type(schema);
        void *value = mr_value_new(type);
        mr_buf json = MR_BUF_NULL;
        const mr_status status = mr_codec_decode(fixture->codec, record->value, schema, value, err);
        mr_value_to_json(type, value, &json);
        sent->json = mr_strdup(mr_buf_text(&json));
        mr_buf_deinit(&json);
        mr_value_free(type, value);
        return status;
    }
    return MR_OK;
}

static void *parse(script_fixture *fixture, const mr_schema *schema, const char *json)
{
    void *value = mr_value_new(mr_schema_type(schema));
    check_ok(fixture,
             mr_value_from_json(mr_schema_type(schema), mr_bytes_text(json), value, &fixture->err));
    return value;
}

static mr_status call_handler(script_fixture *fixture, mr_handler_group group, mr_call *call)
{
    mr_context_begin(fixture->context, fixture->tables, &fixture->record, &fixture->envelope);
    mr_status status = mr_handler_call(fixture->handler, group, call, &fixture->err);
    if (status == MR_OK) {
        capture collector = {.collector = {.send = capture_record}, .fixture = fixture};
        status = mr_context_apply(fixture->context, &collector.collector, &fixture->err);
        fixture->state_exists = call->state_exists;
    } else {
        mr_context_discard(fixture->context);
    }
    return status;
}

mr_status script_call(script_fixture *fixture, mr_handler_group group, const char *schema,
                      const char *json)
{
    forget_sent(fixture);
    mr_call call = {.context = fixture->context,
                    .schema = mr_schemas_find(fixture->app->schemas, mr_bytes_text(schema)),
                    .state_schema = fixture->stage->state,
                    .state = fixture->state,
                    .state_exists = fixture->state_exists,
                    .version = fixture->version,
                    .decision = &fixture->decision};
    assert_non_null(call.schema);
    fixture->envelope.type = mr_bytes_text(mr_schema_short_name(call.schema));
    void *input = json == NULL ? NULL : parse(fixture, call.schema, json);
    call.input = input;
    mr_decision_clear(&fixture->decision);
    const mr_status status = call_handler(fixture, group, &call);
    mr_value_free(mr_schema_type(call.schema), input);
    return status;
}

/* ---- Looking ---- */

static const char *json_of(script_fixture *fixture, const mr_type *type, const void *value)
{
    mr_buf_clear(&fixture->text);
    mr_value_to_json(type, value, &fixture->text);
    return mr_buf_text(&fixture->text);
}

const char *script_state(script_fixture *fixture)
{
    return json_of(fixture, mr_schema_type(fixture->stage->state), fixture->state);
}

const char *script_event(script_fixture *fixture, size_t i)
{
    assert_true(i < fixture->decision.n_events);
    const mr_decided_event *event = &fixture->decision.events[i];
    return json_of(fixture, mr_schema_type(event->schema), event->value);
}

const char *script_row(script_fixture *fixture, const char *store, mr_bytes key)
{
    const mr_store_spec *spec = mr_stage_store(fixture->stage, store);
    assert_non_null(spec);
    mr_entry *entry;
    check_ok(fixture, mr_table_find(fixture->tables[spec - fixture->stage->stores], key, &entry,
                                    &fixture->err));
    const void *value = mr_entry_value(entry);
    return value == NULL ? "nothing" : json_of(fixture, mr_schema_type(spec->value), value);
}

void script_set_state(script_fixture *fixture, const char *json)
{
    const mr_type *type = mr_schema_type(fixture->stage->state);
    mr_value_free(type, fixture->state);
    fixture->state = parse(fixture, fixture->stage->state, json);
    fixture->state_exists = true;
}
