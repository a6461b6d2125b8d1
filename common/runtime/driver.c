#include "runtime/driver.h"

#include <stdlib.h>

#include "core/hash.h"

#include "core/alloc.h"
#include "runtime/context.h"
#include "runtime/task.h"

enum {
    RECORDS_PER_FEED_MAX = 100000,
    RECORD_BYTES_MAX = 900 * 1024,
    OUTPUTS_MAX = 10000,
};

/* One topic's log. Every record is an allocation of its own, so that it stays where it is. */
typedef struct mr_log_topic {
    UT_hash_handle hh;
    char *name;
    mr_record **records;
    size_t n;
    size_t capacity;
} mr_log_topic;

typedef struct mr_driver_stage {
    mr_driver *driver;
    const mr_stage *stage;
    const mr_kind *kind;
    mr_handler *handler;
    mr_step *step;
    mr_context *context;
    mr_task *task;
} mr_driver_stage;

struct mr_driver {
    const mr_app *app;
    mr_codec *codec;
    mr_collector collector;
    mr_log_topic *topics;
    mr_driver_stage *stages;
    size_t n_stages;
    /* Written, not yet run. Pointers into the topics. */
    const mr_record **queue;
    size_t queue_begin;
    size_t queue_end;
    size_t queue_capacity;
    bool running_on; /* false while a single step runs */
};

/* ---- Topics ---- */

static mr_log_topic *topic_of(mr_driver *driver, const char *name)
{
    mr_log_topic *topic;
    HASH_FIND_STR(driver->topics, name, topic);
    if (topic == NULL) {
        topic = mr_alloc_zero(1, sizeof(*topic));
        topic->name = mr_strdup(name);
        HASH_ADD_KEYPTR(hh, driver->topics, topic->name, strlen(topic->name), topic);
    }
    return topic;
}

static mr_bytes keep(mr_bytes bytes)
{
    return mr_bytes_is_null(bytes)
               ? MR_BYTES_NULL
               : mr_bytes_of(mr_strndup((const char *)bytes.data, bytes.len), bytes.len);
}

static void forget(mr_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

static const mr_record *append(mr_driver *driver, const mr_record *record)
{
    mr_log_topic *topic = topic_of(driver, record->topic);
    MR_GROW(topic->records, topic->capacity, topic->n + 1);
    mr_header *headers = mr_alloc_zero(record->n_headers, sizeof(*headers));
    for (size_t i = 0; i < record->n_headers; i++) {
        headers[i].name = mr_strdup(record->headers[i].name);
        headers[i].value = keep(record->headers[i].value);
    }
    mr_record *copy = mr_alloc_zero(1, sizeof(*copy));
    *copy = (mr_record){
        .topic = topic->name,
        .partition = 0,
        .offset = (int64_t)topic->n,
        .timestamp_ms = record->timestamp_ms,
        .key = keep(record->key),
        .value = keep(record->value),
        .headers = headers,
        .n_headers = record->n_headers,
    };
    topic->records[topic->n++] = copy;
    return copy;
}

static void free_record(mr_record *record)
{
    for (size_t i = 0; i < record->n_headers; i++) {
        free((void *)(uintptr_t)record->headers[i].name);
        forget(record->headers[i].value);
    }
    free((void *)(uintptr_t)record->headers);
    forget(record->key);
    forget(record->value);
    free(record);
}

static mr_status collect(mr_collector *collector, const mr_record *record, mr_error *err)
{
    (void)err;
    mr_driver *driver = (mr_driver *)(void *)((char *)collector - offsetof(mr_driver, collector));
    const mr_record *kept = append(driver, record);
    if (driver->running_on) {
        MR_GROW(driver->queue, driver->queue_capacity, driver->queue_end + 1);
        driver->queue[driver->queue_end++] = kept;
    }
    return MR_OK;
}

/* ---- Making ---- */

static mr_status open_stage(mr_driver_stage *entry, mr_handler_factory factory, void *argument,
                            mr_error *err)
{
    static const mr_context_limits limits = {.record_bytes_max = RECORD_BYTES_MAX,
                                             .outputs_max = OUTPUTS_MAX};
    mr_driver *driver = entry->driver;
    MR_TRY(factory(argument, entry->stage, &entry->handler, err));
    MR_TRY(entry->kind->open(entry->stage, entry->handler, &entry->step, err));
    entry->context = mr_context_new(entry->stage, driver->codec, &limits);
    const mr_task_tools tools = {
        .stage = entry->stage,
        .kind = entry->kind,
        .step = entry->step,
        .context = entry->context,
        .codec = driver->codec,
        .collector = &driver->collector,
        .record_bytes_max = RECORD_BYTES_MAX,
    };
    entry->task = mr_task_new(0, &tools, NULL);
    return MR_OK;
}

static const mr_kind *kind_of(const mr_kind *const *kinds, const char *name)
{
    while (strcmp((*kinds)->name, name) != 0) {
        kinds++;
        assert(*kinds != NULL); /* prepare has checked it */
    }
    return *kinds;
}

mr_status mr_driver_new(const mr_app *app, const mr_kind *const *kinds, mr_handler_factory factory,
                        void *argument, mr_driver **ret_driver, mr_error *err)
{
    mr_driver *driver = mr_alloc_zero(1, sizeof(*driver));
    driver->app = app;
    driver->codec = mr_codec_new(app->schemas, NULL, MR_FRAMING_SINGLE_OBJECT);
    driver->collector.send = collect;
    driver->stages = mr_alloc_zero(app->n_stages, sizeof(*driver->stages));
    for (size_t i = 0; i < app->n_stages; i++) {
        mr_driver_stage *entry = &driver->stages[driver->n_stages++];
        entry->driver = driver;
        entry->stage = &app->stages[i];
        entry->kind = kind_of(kinds, entry->stage->kind);
        const mr_status status = open_stage(entry, factory, argument, err);
        if (status != MR_OK) {
            mr_driver_free(driver);
            return status;
        }
    }
    *ret_driver = driver;
    return MR_OK;
}

void mr_driver_free(mr_driver *driver)
{
    if (driver == NULL) {
        return;
    }
    for (size_t i = 0; i < driver->n_stages; i++) {
        mr_driver_stage *entry = &driver->stages[i];
        mr_task_free(entry->task);
        mr_context_free(entry->context);
        if (entry->step != NULL) {
            entry->kind->close(entry->step);
        }
        mr_handler_free(entry->handler);
    }
    mr_log_topic *topic;
    mr_log_topic *next;
    HASH_ITER(hh, driver->topics, topic, next)
    {
        HASH_DEL(driver->topics, topic);
        for (size_t i = 0; i < topic->n; i++) {
            free_record(topic->records[i]);
        }
        free(topic->records);
        free(topic->name);
        free(topic);
    }
    free(driver->stages);
    free(driver->queue);
    mr_codec_free(driver->codec);
    free(driver);
}

/* ---- Running ---- */

static mr_status ignore_row(void *argument, mr_task *task, size_t store, mr_bytes key,
                            mr_bytes value, mr_error *err)
{
    (void)argument;
    (void)task;
    (void)store;
    (void)key;
    (void)value;
    (void)err;
    return MR_OK;
}

static mr_status run_stage(mr_driver_stage *entry, const mr_record *record, mr_error *err)
{
    MR_TRY(mr_task_process(entry->task, record, err));
    MR_TRY(mr_task_encode(entry->task, ignore_row, NULL, err));
    mr_task_committing(entry->task);
    mr_task_committed(entry->task);
    return MR_OK;
}

static bool reads(const mr_stage *stage, const char *topic)
{
    for (size_t i = 0; i < stage->n_from; i++) {
        if (strcmp(stage->from[i], topic) == 0) {
            return true;
        }
    }
    return false;
}

static mr_status run_queue(mr_driver *driver, mr_error *err)
{
    size_t n_run = 0;
    while (driver->queue_begin < driver->queue_end) {
        const mr_record *record = driver->queue[driver->queue_begin++];
        if (++n_run > RECORDS_PER_FEED_MAX) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "one record caused more than %d others: the stages go round, last "
                                "seen on '%s'",
                                RECORDS_PER_FEED_MAX, record->topic);
        }
        for (size_t i = 0; i < driver->n_stages; i++) {
            if (reads(driver->stages[i].stage, record->topic)) {
                MR_TRY(run_stage(&driver->stages[i], record, err));
            }
        }
    }
    driver->queue_begin = 0;
    driver->queue_end = 0;
    return MR_OK;
}

mr_status mr_driver_feed(mr_driver *driver, const mr_record *record, mr_error *err)
{
    driver->running_on = true;
    driver->queue_begin = 0;
    driver->queue_end = 0;
    MR_TRY(collect(&driver->collector, record, err));
    return run_queue(driver, err);
}

static mr_status encode_record(mr_driver *driver, const char *topic, mr_bytes key,
                               const mr_envelope *envelope, const mr_schema *schema,
                               const void *value, mr_envelope_headers *headers, mr_buf *encoded,
                               mr_record *ret_record, mr_error *err)
{
    MR_TRY(mr_codec_encode(driver->codec, topic, schema, value, encoded, err));
    mr_envelope_write(envelope, headers);
    *ret_record = (mr_record){
        .topic = topic,
        .timestamp_ms = envelope->time_ms,
        .key = key,
        .value = mr_buf_bytes(encoded),
        .headers = headers->headers,
        .n_headers = headers->n,
    };
    return MR_OK;
}

mr_status mr_driver_send(mr_driver *driver, const char *topic, mr_bytes key,
                         const mr_envelope *envelope, const mr_schema *schema, const void *value,
                         mr_error *err)
{
    mr_envelope_headers headers;
    mr_buf encoded = MR_BUF_NULL;
    mr_record record;
    mr_status status = encode_record(driver, topic, key, envelope, schema, value, &headers,
                                     &encoded, &record, err);
    if (status == MR_OK) {
        status = mr_driver_feed(driver, &record, err);
    }
    mr_buf_deinit(&encoded);
    return status;
}

static mr_driver_stage *entry_of(mr_driver *driver, const mr_stage *stage)
{
    for (size_t i = 0; i < driver->n_stages; i++) {
        if (driver->stages[i].stage == stage) {
            return &driver->stages[i];
        }
    }
    assert(!"a stage of another app");
    return NULL;
}

mr_status mr_driver_step(mr_driver *driver, const mr_stage *stage, const mr_envelope *envelope,
                         const mr_schema *schema, const void *value, mr_error *err)
{
    mr_envelope_headers headers;
    mr_buf encoded = MR_BUF_NULL;
    mr_record record;
    driver->running_on = false;
    mr_status status = encode_record(driver, stage->from[0], envelope->subject, envelope, schema,
                                     value, &headers, &encoded, &record, err);
    if (status == MR_OK) {
        status = run_stage(entry_of(driver, stage), append(driver, &record), err);
    }
    mr_buf_deinit(&encoded);
    return status;
}

mr_status mr_driver_fold_record(mr_driver *driver, const mr_stage *stage, const mr_record *record,
                                mr_error *err)
{
    mr_driver_stage *entry = entry_of(driver, stage);
    if (entry->kind->fold == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "stage '%s' is of kind %s: it has no events to fold",
                            stage->name, stage->kind);
    }
    driver->running_on = false;
    mr_envelope envelope;
    MR_TRY(mr_envelope_read(record, &envelope, err));
    mr_task_begin(entry->task, record, &envelope);
    mr_status status = entry->kind->fold(entry->step, entry->context, err);
    if (status == MR_OK) {
        status = mr_context_apply(entry->context, &driver->collector, err);
    }
    if (status != MR_OK) {
        mr_context_discard(entry->context);
        return status;
    }
    return mr_task_encode(entry->task, ignore_row, NULL, err);
}

mr_status mr_driver_fold(mr_driver *driver, const mr_stage *stage, const mr_envelope *envelope,
                         const mr_schema *schema, const void *value, mr_error *err)
{
    mr_envelope_headers headers;
    mr_buf encoded = MR_BUF_NULL;
    mr_record record;
    mr_status status = encode_record(driver, stage->to[0], envelope->subject, envelope, schema,
                                     value, &headers, &encoded, &record, err);
    if (status == MR_OK) {
        status = mr_driver_fold_record(driver, stage, &record, err);
    }
    mr_buf_deinit(&encoded);
    return status;
}

/* ---- Looking ---- */

size_t mr_driver_count(const mr_driver *driver, const char *topic)
{
    mr_log_topic *found;
    HASH_FIND_STR(driver->topics, topic, found);
    return found == NULL ? 0 : found->n;
}

const mr_record *mr_driver_record(const mr_driver *driver, const char *topic, size_t i)
{
    mr_log_topic *found;
    HASH_FIND_STR(driver->topics, topic, found);
    assert(found != NULL && i < found->n);
    return found->records[i];
}

mr_status mr_driver_decode(mr_driver *driver, const mr_record *record, const mr_schema **ret_schema,
                           void **ret_value, mr_error *err)
{
    const mr_schema *writer;
    MR_TRY(mr_codec_writer(driver->codec, record->value, &writer, err));
    void *value = mr_value_new(mr_schema_type(writer));
    const mr_status status = mr_codec_decode(driver->codec, record->value, writer, value, err);
    if (status != MR_OK) {
        mr_value_free(mr_schema_type(writer), value);
        return status;
    }
    *ret_schema = writer;
    *ret_value = value;
    return MR_OK;
}

mr_status mr_driver_row(mr_driver *driver, const mr_stage *stage, size_t store, mr_bytes key,
                        const void **ret_value, mr_error *err)
{
    mr_entry *entry;
    MR_TRY(mr_table_find(mr_task_table(entry_of(driver, stage)->task, store), key, &entry, err));
    *ret_value = mr_entry_value(entry);
    return *ret_value == NULL ? MR_NOT_FOUND : MR_OK;
}
