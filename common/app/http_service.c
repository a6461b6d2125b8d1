#include "app/http_service.h"

#include <mr/json.h>

#include "app/http_get.h"

void mr_http_fail(mr_http_answer *answer, int status, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    answer->status = status;
    answer->content_type = "application/json";
    mr_buf_clear(&answer->body);
    mr_json_writer json = mr_json_writer_on(&answer->body);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "error");
    mr_json_put_text(&json, text);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    mr_buf_append_byte(&answer->body, '\n');
}

/* ---- Status ---- */

static void put_integer(mr_json_writer *json, const char *name, int64_t number)
{
    mr_json_put_name(json, name);
    mr_json_put_integer(json, number);
}

static void put_text(mr_json_writer *json, const char *name, const char *text)
{
    mr_json_put_name(json, name);
    mr_json_put_text(json, text);
}

static void put_positions(mr_json_writer *json, const mr_stage *stage, const mr_task_status *task)
{
    mr_json_put_name(json, "positions");
    mr_json_open_object(json);
    for (size_t i = 0; i < stage->n_from && i < MR_TASK_INPUTS_MAX; i++) {
        put_integer(json, stage->from[i], task->positions[i]);
    }
    mr_json_close_object(json);
}

static void put_task(mr_json_writer *json, const mr_stage *stage, const mr_task_status *task)
{
    mr_json_open_object(json);
    put_integer(json, "task", task->number);
    put_text(json, "state", task->state);
    put_positions(json, stage, task);
    put_integer(json, "records", task->records);
    put_integer(json, "dead_letters", task->dead_letters);
    put_integer(json, "duplicates", task->duplicates);
    put_integer(json, "restored", task->restored);
    put_integer(json, "restore_remaining", task->restore_remaining);
    put_integer(json, "replay_remaining", task->replay_remaining);
    mr_json_close_object(json);
}

static void put_processor(mr_json_writer *json, const mr_stage *stage, mr_processor *processor)
{
    mr_processor_status status = {0};
    mr_processor_status_read(processor, &status);
    put_text(json, "state", status.state);
    mr_json_put_name(json, "tasks");
    mr_json_open_array(json);
    for (size_t i = 0; i < status.n_tasks; i++) {
        put_task(json, stage, &status.tasks[i]);
    }
    mr_json_close_array(json);
    put_integer(json, "commits", status.commits);
    put_integer(json, "aborts", status.aborts);
    put_integer(json, "rebalances", status.rebalances);
    mr_json_put_name(json, "memory");
    mr_json_open_object(json);
    put_integer(json, "memtable_bytes", (int64_t)status.usage.memtable_bytes);
    put_integer(json, "cache_bytes", (int64_t)status.usage.cache_bytes);
    put_integer(json, "table_reader_bytes", (int64_t)status.usage.table_reader_bytes);
    put_integer(json, "disk_bytes", (int64_t)status.usage.disk_bytes);
    mr_json_close_object(json);
    mr_processor_status_deinit(&status);
}

static void answer_status(mr_http_service *service, mr_processor *processor, mr_http_answer *answer)
{
    mr_json_writer json = mr_json_writer_on(&answer->body);
    mr_json_open_object(&json);
    put_text(&json, "app", service->stage->app->name);
    put_text(&json, "stage", service->stage->name);
    put_text(&json, "kind", service->stage->kind);
    put_text(&json, "version", MR_VERSION);
    mr_json_put_name(&json, "ready");
    mr_json_put_boolean(&json, processor != NULL && mr_processor_is_ready(processor));
    if (processor == NULL) {
        put_text(&json, "state", "starting");
    } else {
        put_processor(&json, service->stage, processor);
    }
    mr_json_close_object(&json);
    mr_json_finish(&json);
    mr_buf_append_byte(&answer->body, '\n');
}

/* ---- Health and metrics ---- */

static void answer_ready(mr_processor *processor, mr_http_answer *answer)
{
    answer->content_type = "text/plain";
    if (processor != NULL && mr_processor_is_ready(processor)) {
        mr_buf_append_text(&answer->body, "ready\n");
        return;
    }
    answer->status = 503;
    mr_buf_append_text(&answer->body, "not ready\n");
}

static void answer_metrics(mr_processor *processor, mr_http_answer *answer)
{
    answer->content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (processor != NULL) {
        mr_processor_metrics(processor, &answer->body);
    }
}

static bool is_order(const mr_http_target *target)
{
    return target->n_segments == 1 && mr_http_target_is(target, 0, "backup");
}

static bool is_allowed(const char *method, const mr_http_target *target)
{
    if (is_order(target)) {
        return strcmp(method, "POST") == 0;
    }
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void dispatch(mr_http_service *service, const mr_http_target *target, mr_http_answer *answer)
{
    mr_processor *processor = atomic_load(&service->processor);
    const bool alone = target->n_segments == 1;
    if (is_order(target)) {
        mr_http_backup_answer(service, processor, target, answer);
    } else if (mr_http_target_is(target, 0, "stores")) {
        mr_http_stores_answer(service, target, answer);
    } else if (alone && mr_http_target_is(target, 0, "healthz")) {
        answer->content_type = "text/plain";
        mr_buf_append_text(&answer->body, "ok\n");
    } else if (alone && mr_http_target_is(target, 0, "readyz")) {
        answer_ready(processor, answer);
    } else if (alone && mr_http_target_is(target, 0, "metrics")) {
        answer_metrics(processor, answer);
    } else if (alone && mr_http_target_is(target, 0, "status")) {
        answer_status(service, processor, answer);
    } else {
        mr_http_fail(answer, 404,
                     "there are /stores, /status, /metrics, /healthz, /readyz and /backup, nothing "
                     "else");
    }
}

void mr_http_service_answer(void *context, const char *method, const char *raw,
                            mr_http_answer *answer)
{
    mr_http_service *service = context;
    MR_CLEANUP(mr_http_target_deinit) mr_http_target target;
    mr_error err;
    if (mr_http_target_parse(raw, &target, &err) != MR_OK) {
        mr_http_fail(answer, 400, "%s", err.message);
        return;
    }
    if (!is_allowed(method, &target)) {
        answer->allow = is_order(&target) ? "POST" : "GET, HEAD";
        mr_http_fail(answer, 405, "only %s", answer->allow);
        return;
    }
    const mr_bytes stage = mr_http_target_parameter(&target, "stage");
    if (!mr_bytes_is_null(stage) && !mr_bytes_equal_text(stage, service->stage->group)) {
        mr_http_fail(answer, MR_HTTP_MISDIRECTED, "this is stage %s", service->stage->group);
        return;
    }
    dispatch(service, &target, answer);
}
