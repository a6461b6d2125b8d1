#include "cli/lag.h"

#include <stdlib.h>

#include <mr/clock.h>

#include "core/alloc.h"

enum { HTTP_TIMEOUT_MS = 3000, LOOK_MS = 3000, STEP_MS = 200 };

static const char *topic_of(const mr_lag_row *row)
{
    return row->stage->from[row->input];
}

/* ---- Which partitions there are ---- */

static mr_status add_input(mr_lag *lag, const mr_stage *stage, size_t input, mr_error *err)
{
    int32_t n = 0;
    MR_TRY(mr_cli_partitions(lag->admin, stage->from[input], &n, err));
    MR_GROW(lag->rows, lag->capacity, lag->n + (size_t)n);
    for (int32_t p = 0; p < n; p++) {
        lag->rows[lag->n++] = (mr_lag_row){.stage = stage,
                                           .input = input,
                                           .partition = p,
                                           .position = -1,
                                           .lag = -1,
                                           .empty_from = -1,
                                           .empty_to = -1};
    }
    return MR_OK;
}

mr_status mr_lag_init(mr_lag *lag, const mr_cli *cli, const mr_stage *stage, mr_error *err)
{
    *lag = (mr_lag){.cli = cli};
    MR_TRY(mr_cli_admin(cli, &lag->admin, err));
    MR_TRY(mr_cli_reader(cli, &lag->reader, err));
    MR_TRY(mr_cli_reader(cli, &lag->looker, err));
    MR_TRY(mr_http_client_new(HTTP_TIMEOUT_MS, &lag->http, err));
    for (size_t s = 0; s < cli->app->n_stages; s++) {
        const mr_stage *one = &cli->app->stages[s];
        for (size_t i = 0; i < one->n_from && (stage == NULL || stage == one); i++) {
            MR_TRY(add_input(lag, one, i, err));
        }
    }
    return MR_OK;
}

void mr_lag_deinit(mr_lag *lag)
{
    mr_admin_free(lag->admin);
    mr_reader_free(lag->reader);
    mr_reader_free(lag->looker);
    mr_http_client_free(lag->http);
    free(lag->rows);
    *lag = (mr_lag){0};
}

/* The rows of the stage that begins at `first`. */
static size_t rows_of_stage(const mr_lag *lag, size_t first)
{
    size_t end = first;
    while (end < lag->n && lag->rows[end].stage == lag->rows[first].stage) {
        end++;
    }
    return end - first;
}

/* ---- Positions ---- */

static mr_status read_committed_positions(mr_lag *lag, mr_lag_row *rows, size_t n, mr_error *err)
{
    mr_topic_partition *partitions = mr_alloc_zero(n + 1, sizeof(*partitions));
    for (size_t i = 0; i < n; i++) {
        partitions[i] = (mr_topic_partition){topic_of(&rows[i]), rows[i].partition, -1};
    }
    const mr_status status =
        mr_admin_committed(lag->admin, rows[0].stage->group, partitions, n, err);
    for (size_t i = 0; i < n && status == MR_OK; i++) {
        rows[i].position = partitions[i].offset;
    }
    free(partitions);
    return status;
}

/* tasks: [{"task": 0, "positions": {"topic": 12}}] */
static void take_tasks(const mr_json *tasks, mr_lag_row *rows, size_t n)
{
    for (const mr_json *task = mr_json_first(tasks); task != NULL; task = mr_json_next(task)) {
        int64_t number;
        if (mr_json_integer(mr_json_get(task, "task"), &number) != MR_OK) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            int64_t position;
            const mr_json *positions = mr_json_get(task, "positions");
            if (rows[i].partition == number &&
                mr_json_integer(mr_json_get(positions, topic_of(&rows[i])), &position) == MR_OK) {
                rows[i].position = position > rows[i].position ? position : rows[i].position;
            }
        }
    }
}

static mr_status ask_positions(mr_lag *lag, mr_lag_row *rows, size_t n, mr_error *err)
{
    MR_CLEANUP(mr_instances_deinit) mr_instances instances = {0};
    MR_TRY(mr_instances_find(lag->cli, NULL, rows[0].stage, &instances, err));
    for (size_t i = 0; i < n; i++) {
        rows[i].position = -1;
    }
    for (size_t i = 0; i < instances.n; i++) {
        int http_status = 0;
        mr_json *json = NULL;
        const mr_status status =
            mr_instance_ask(lag->http, instances.items[i].address, rows[0].stage, "/status",
                            &http_status, &json, err);
        if (status == MR_OK && http_status == 200) {
            take_tasks(mr_json_get(json, "tasks"), rows, n);
        }
        mr_json_free(json);
    }
    return MR_OK;
}

/* ---- Is there a record? ---- */

static mr_lag_row *find_row(mr_lag *lag, const mr_record *record, bool *asked)
{
    for (size_t i = 0; i < lag->n; i++) {
        if (asked[i] && lag->rows[i].partition == record->partition &&
            strcmp(topic_of(&lag->rows[i]), record->topic) == 0) {
            asked[i] = false;
            return &lag->rows[i];
        }
    }
    return NULL;
}

/* The positions in question. Of several stages that read the same partition from different ones,
 * one at a time. */
static size_t list_questions(const mr_lag *lag, bool *asked, const bool *has_record,
                             mr_topic_partition *partitions)
{
    size_t n = 0;
    for (size_t i = 0; i < lag->n; i++) {
        const mr_lag_row *row = &lag->rows[i];
        bool is_taken = false;
        for (size_t j = 0; j < n; j++) {
            is_taken |= partitions[j].partition == row->partition &&
                        strcmp(partitions[j].topic, topic_of(row)) == 0;
        }
        asked[i] = row->lag > 0 && !has_record[i] && !is_taken;
        if (asked[i]) {
            const int64_t from = row->position < row->begin ? row->begin : row->position;
            partitions[n++] = (mr_topic_partition){topic_of(row), row->partition, from};
        }
    }
    return n;
}

/* Reads on from them until the first record, or until all are at their ends. */
static mr_status look_once(mr_lag *lag, bool *asked, mr_topic_partition *partitions, size_t n,
                           bool *has_record, int64_t deadline, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    MR_TRY(mr_reader_assign(lag->looker, partitions, n, err));
    while (n > 0 && mr_clock_monotonic_ms(clock) < deadline) {
        mr_record record;
        const mr_status status = mr_reader_next(lag->looker, STEP_MS, &record, err);
        if (status < 0) {
            return status;
        }
        mr_lag_row *row = status == MR_TIMED_OUT ? NULL : find_row(lag, &record, asked);
        if (row == NULL) {
            continue;
        }
        n--;
        if (status == MR_END) {
            row->empty_from = row->position;
            row->empty_to = row->end;
            row->lag = 0;
        } else {
            has_record[row - lag->rows] = true;
            return MR_OK; /* its other records are not wanted: the rest is asked again */
        }
    }
    return MR_OK;
}

static mr_status look_for_records(mr_lag *lag, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    const int64_t deadline = mr_clock_monotonic_ms(clock) + LOOK_MS;
    bool *asked = mr_alloc_zero(lag->n + 1, sizeof(*asked));
    bool *has_record = mr_alloc_zero(lag->n + 1, sizeof(*has_record));
    mr_topic_partition *partitions = mr_alloc_zero(lag->n + 1, sizeof(*partitions));
    mr_status status = MR_OK;
    while (status == MR_OK && mr_clock_monotonic_ms(clock) < deadline) {
        const size_t n = list_questions(lag, asked, has_record, partitions);
        if (n == 0) {
            break;
        }
        status = look_once(lag, asked, partitions, n, has_record, deadline, err);
    }
    free(asked);
    free(has_record);
    free(partitions);
    return status;
}

/* ---- A sample ---- */

static mr_status read_positions(mr_lag *lag, mr_error *err)
{
    for (size_t first = 0; first < lag->n; first += rows_of_stage(lag, first)) {
        const size_t n = rows_of_stage(lag, first);
        MR_TRY(lag->cli->is_dev ? ask_positions(lag, &lag->rows[first], n, err)
                                : read_committed_positions(lag, &lag->rows[first], n, err));
    }
    return MR_OK;
}

static mr_status read_ends(mr_lag *lag, mr_error *err)
{
    const int timeout_ms = (int)lag->cli->settings.runtime.broker_timeout_ms;
    for (size_t i = 0; i < lag->n; i++) {
        mr_lag_row *row = &lag->rows[i];
        MR_TRY(mr_reader_watermarks(lag->reader, topic_of(row), row->partition, &row->begin,
                                    &row->end, timeout_ms, err));
        const int64_t from = row->position < row->begin ? row->begin : row->position;
        row->lag = row->end > from ? row->end - from : 0;
        if (row->empty_from == row->position && row->empty_to == row->end) {
            row->lag = 0;
        }
    }
    return MR_OK;
}

mr_status mr_lag_sample(mr_lag *lag, mr_error *err)
{
    MR_TRY(read_positions(lag, err));
    MR_TRY(read_ends(lag, err));
    return lag->cli->is_dev ? MR_OK : look_for_records(lag, err);
}

int64_t mr_lag_total(const mr_lag *lag, const mr_stage *stage)
{
    int64_t total = 0;
    for (size_t i = 0; i < lag->n; i++) {
        if (stage == NULL || lag->rows[i].stage == stage) {
            if (lag->rows[i].lag < 0) {
                return -1;
            }
            total += lag->rows[i].lag;
        }
    }
    return total;
}
