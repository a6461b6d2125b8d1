#include "cli/event_log.h"

#include <inttypes.h>
#include <stdlib.h>

#include <mr/value.h>

#include "core/alloc.h"
#include "core/text.h"

/* ---- Any partitions ---- */

typedef struct reading {
    const mr_cli *cli;
    mr_reader *reader;
    const mr_topic_partition *partitions;
    size_t n;
    bool *ended;
    size_t n_ended;
    mr_log_visitor visit;
    void *context;
} reading;

static void mark_end(reading *r, const mr_record *end)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!r->ended[i] && r->partitions[i].partition == end->partition &&
            strcmp(r->partitions[i].topic, end->topic) == 0) {
            r->ended[i] = true;
            r->n_ended++;
        }
    }
}

static mr_status visit_record(reading *r, const mr_record *record, mr_error *err)
{
    mr_envelope envelope;
    if (mr_envelope_read(record, &envelope, err) != MR_OK) {
        mr_cli_note("%s partition %" PRId32 " offset %" PRId64 ": %s: left out", record->topic,
                    record->partition, record->offset, err->message);
        return MR_OK;
    }
    return r->visit(r->context, record, &envelope, err);
}

static mr_status read_all(reading *r, mr_error *err)
{
    const int timeout_ms = (int)r->cli->settings.runtime.broker_timeout_ms;
    while (r->n_ended < r->n) {
        mr_record record;
        mr_status status = mr_reader_next(r->reader, timeout_ms, &record, err);
        if (status == MR_END) {
            mark_end(r, &record);
            continue;
        }
        if (status == MR_TIMED_OUT) {
            return mr_error_set(err, MR_ERR_KAFKA, "the broker sent nothing for %d ms", timeout_ms);
        }
        status = status == MR_OK ? visit_record(r, &record, err) : status;
        if (status == MR_END) {
            return MR_OK;
        }
        if (status != MR_OK) {
            return status;
        }
    }
    return MR_OK;
}

mr_status mr_log_read(const mr_cli *cli, mr_reader *reader, const mr_topic_partition *partitions,
                      size_t n, mr_log_visitor visit, void *context, mr_error *err)
{
    reading r = {.cli = cli,
                 .reader = reader,
                 .partitions = partitions,
                 .n = n,
                 .visit = visit,
                 .context = context};
    MR_TRY(mr_reader_assign(reader, partitions, n, err));
    r.ended = mr_alloc_zero(n + 1, sizeof(*r.ended));
    const mr_status status = read_all(&r, err);
    free(r.ended);
    return status;
}

/* ---- Events of a stage ---- */

static mr_status count_partitions(const mr_cli *cli, const char *topic, int32_t *ret_n,
                                  mr_error *err)
{
    mr_admin *made = NULL;
    MR_TRY(mr_cli_admin(cli, &made, err));
    MR_CLEANUP(mr_admin_freep) mr_admin *admin = made;
    return mr_cli_partitions(admin, topic, ret_n, err);
}

/* Partitions [first, first + n) of the stage's events. */
static mr_status read_events(const mr_cli *cli, const mr_stage *stage, int32_t first, int32_t n,
                             mr_log_visitor visit, void *context, mr_error *err)
{
    mr_reader *made = NULL;
    MR_TRY(mr_cli_reader(cli, &made, err));
    MR_CLEANUP(mr_reader_freep) mr_reader *reader = made;
    mr_topic_partition *partitions = mr_alloc_zero((size_t)n + 1, sizeof(*partitions));
    for (int32_t i = 0; i < n; i++) {
        partitions[i] = (mr_topic_partition){stage->to[0], first + i, -1};
    }
    const mr_status status = mr_log_read(cli, reader, partitions, (size_t)n, visit, context, err);
    free(partitions);
    return status;
}

typedef struct selection {
    mr_bytes id;
    mr_log_visitor visit;
    void *context;
} selection;

static mr_status visit_selected(void *context, const mr_record *record, const mr_envelope *envelope,
                                mr_error *err)
{
    const selection *wanted = context;
    if (!mr_bytes_equal(envelope->subject, wanted->id)) {
        return MR_OK;
    }
    return wanted->visit(wanted->context, record, envelope, err);
}

mr_status mr_log_read_aggregate(const mr_cli *cli, const mr_stage *stage, mr_bytes id,
                                mr_log_visitor visit, void *context, mr_error *err)
{
    selection wanted = {id, visit, context};
    int32_t n = 0;
    MR_TRY(count_partitions(cli, stage->to[0], &n, err));
    return read_events(cli, stage, mr_partition_of_key(id, n), 1, visit_selected, &wanted, err);
}

mr_status mr_log_read_stage(const mr_cli *cli, const mr_stage *stage, mr_log_visitor visit,
                            void *context, mr_error *err)
{
    int32_t n = 0;
    MR_TRY(count_partitions(cli, stage->to[0], &n, err));
    return read_events(cli, stage, 0, n, visit, context, err);
}

/* ---- Stages and values ---- */

mr_status mr_cli_aggregate(const mr_cli *cli, const char *name, const mr_stage **ret_stage,
                           mr_error *err)
{
    const mr_app *app = cli->app;
    const char **names = mr_alloc_zero(app->n_stages + 1, sizeof(*names));
    size_t n = 0;
    *ret_stage = NULL;
    for (size_t i = 0; i < app->n_stages; i++) {
        if (strcmp(app->stages[i].kind, "aggregate") == 0) {
            names[n++] = app->stages[i].name;
            *ret_stage = strcmp(app->stages[i].name, name) == 0 ? &app->stages[i] : *ret_stage;
        }
    }
    mr_status status = MR_OK;
    if (*ret_stage == NULL) {
        const char *nearest = mr_text_nearest(name, names, n, sizeof(names[0]));
        status = mr_error_set(err, MR_ERR_USAGE, "app '%s' has no aggregate '%s'%s%s%s", app->name,
                              name, nearest == NULL ? "" : "; did you mean '",
                              nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    }
    free(names);
    return status;
}

static mr_status find_schema(const mr_cli *cli, mr_codec *codec, const mr_record *record,
                             const mr_envelope *envelope, const mr_schema **ret_schema,
                             mr_error *err)
{
    *ret_schema = mr_bytes_is_null(envelope->type)
                      ? NULL
                      : mr_schemas_find(cli->app->schemas, envelope->type);
    return *ret_schema != NULL ? MR_OK : mr_codec_writer(codec, record->value, ret_schema, err);
}

mr_status mr_log_decode(const mr_cli *cli, mr_codec *codec, const mr_record *record,
                        const mr_envelope *envelope, const mr_schema **ret_schema, void **ret_value,
                        mr_error *err)
{
    *ret_value = NULL;
    *ret_schema = NULL;
    if (mr_bytes_is_null(record->value)) {
        return MR_OK;
    }
    MR_TRY(find_schema(cli, codec, record, envelope, ret_schema, err));
    const mr_type *type = mr_schema_type(*ret_schema);
    void *value = mr_value_new(type);
    const mr_status status = mr_bytes_equal_text(envelope->content_type, "application/json")
                                 ? mr_value_from_json(type, record->value, value, err)
                                 : mr_codec_decode(codec, record->value, *ret_schema, value, err);
    if (status != MR_OK) {
        mr_value_free(type, value);
        return status;
    }
    *ret_value = value;
    return MR_OK;
}
