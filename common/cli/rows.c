#include "cli/rows.h"

#include <inttypes.h>
#include <stdlib.h>

#include "app/store_key.h"
#include "cli/instances.h"
#include "cli/row_source.h"
#include "core/alloc.h"

enum { HTTP_TIMEOUT_MS = 10000 };

struct mr_rows {
    const mr_cli *cli;
    mr_rows_request request;
    mr_http_client *http;
    mr_codec *codec;
    mr_row_source *sources;
    size_t n_sources;
    size_t capacity;
    size_t n_busy;             /* processors that are there, but starting or restoring */
    mr_buf trouble;            /* of sources that did not answer */
    const mr_row_source *last; /* its row was given out */
};

MR_DEFINE_CLEANUP(char, free)

void mr_rows_free(mr_rows *rows)
{
    if (rows == NULL) {
        return;
    }
    for (size_t i = 0; i < rows->n_sources; i++) {
        mr_row_source_deinit(&rows->sources[i]);
    }
    free(rows->sources);
    mr_buf_deinit(&rows->trouble);
    mr_http_client_free(rows->http);
    mr_codec_free(rows->codec);
    free(rows);
}

static mr_row_source *add_source(mr_rows *rows)
{
    MR_GROW(rows->sources, rows->capacity, rows->n_sources + 1);
    mr_row_source *source = &rows->sources[rows->n_sources++];
    *source = (mr_row_source){.request = &rows->request, .cli = rows->cli};
    return source;
}

/* ---- Live ---- */

static void note_trouble(mr_rows *rows, const mr_error *err)
{
    mr_buf_printf(&rows->trouble, "%s%s", rows->trouble.len == 0 ? "" : "; ", err->message);
}

static int32_t partitions_of(const mr_rows *rows)
{
    const mr_topic *topic = mr_app_topic(rows->cli->app, rows->request.stage->from[0]);
    return topic == NULL ? 0 : topic->partitions;
}

/* Only raw keys are aggregate IDs, whose partition is known; others are asked for everywhere. */
static void ask_owner_first(const mr_rows *rows, mr_instances *instances)
{
    if (rows->request.store->key.raw && rows->request.n_parts == 1 && partitions_of(rows) > 0) {
        mr_instances_put_first(instances, mr_partition_of_key(mr_bytes_text(rows->request.parts[0]),
                                                              partitions_of(rows)));
    }
}

/* Keeps the sources that answer; their first pages are there afterwards. */
static mr_status open_live(mr_rows *rows, mr_instances *instances, mr_error *err)
{
    MR_TRY(mr_http_client_new(HTTP_TIMEOUT_MS, &rows->http, err));
    ask_owner_first(rows, instances);
    for (size_t i = 0; i < instances->n; i++) {
        mr_row_source *source = add_source(rows);
        source->http = rows->http;
        source->address = mr_strdup(instances->items[i].address);
        const mr_status status = mr_row_source_fill(source, err);
        if (status < 0) {
            return status;
        }
        if (status == MR_TIMED_OUT) {
            note_trouble(rows, err);
            rows->n_busy += source->is_busy;
            mr_row_source_deinit(source);
            rows->n_sources--;
        } else if (status == MR_OK && rows->request.n_parts > 0) {
            return MR_OK; /* found */
        }
    }
    return MR_OK;
}

/* ---- Offline ---- */

static bool has_position(const mr_position_list *list, const mr_query_position *wanted)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].partition == wanted->partition &&
            list->items[i].offset == wanted->offset) {
            return true;
        }
    }
    return false;
}

/* A directory may hold partitions that moved on to another instance: the furthest one counts. */
static mr_status open_directories(mr_rows *rows, const mr_names *names, mr_error *err)
{
    const mr_cli *cli = rows->cli;
    mr_position_list best = {0};
    mr_position_list *found = mr_alloc_zero(names->n + 1, sizeof(*found));
    mr_status status = MR_OK;
    for (size_t i = 0; i < names->n && status >= 0; i++) {
        MR_CLEANUP(freep) char *directory = NULL;
        status = mr_instance_directory(&cli->settings, rows->request.stage, names->items[i],
                                       &directory, err);
        status = status == MR_OK ? mr_row_source_offline_positions(cli, rows->request.stage,
                                                                   directory, &found[i], err)
                                 : status;
        for (size_t p = 0; p < found[i].n && status >= 0; p++) {
            mr_position_list_put(&best, found[i].items[p].partition, found[i].items[p].offset);
        }
    }
    for (size_t b = 0; b < best.n && status >= 0; b++) {
        const mr_query_position *wanted = &best.items[b];
        size_t i = 0;
        while (!has_position(&found[i], wanted)) {
            i++;
        }
        mr_row_source *source = add_source(rows);
        source->codec = rows->codec;
        source->offline_partition = wanted->partition;
        mr_position_list_put(&source->positions, wanted->partition, wanted->offset);
        status = mr_instance_directory(&cli->settings, rows->request.stage, names->items[i],
                                       &source->directory, err);
    }
    for (size_t i = 0; i < names->n; i++) {
        free(found[i].items);
    }
    free(found);
    free(best.items);
    return status < 0 ? status : MR_OK;
}

static mr_status open_offline(mr_rows *rows, mr_error *err)
{
    MR_CLEANUP(mr_names_deinit) mr_names names;
    MR_CLEANUP(freep)
    char *directory = mr_stage_directory(&rows->cli->settings, rows->request.stage);
    mr_instance_names(rows->cli, rows->request.stage, &names);
    rows->codec = mr_cli_codec(rows->cli);
    MR_TRY(open_directories(rows, &names, err));
    if (rows->n_sources > 0) {
        mr_cli_note("no processor of stage %s answers%s%s%s: read from %s, what was last written "
                    "there",
                    rows->request.stage->name, rows->trouble.len == 0 ? "" : " (",
                    mr_buf_text(&rows->trouble), rows->trouble.len == 0 ? "" : ")", directory);
        return MR_OK;
    }
    (void)mr_error_set(err, MR_ERR_SYSTEM,
                       "no processor of stage %s answers%s%s%s, and there is no state in %s",
                       rows->request.stage->name, rows->trouble.len == 0 ? "" : " (",
                       rows->trouble.len == 0 ? "" : mr_buf_text(&rows->trouble),
                       rows->trouble.len == 0 ? "" : ")", directory);
    return MR_TIMED_OUT;
}

/* ---- Opening ---- */

/* Wrong keys and bounds are refused here, before anybody is asked. */
static mr_status check_request(const mr_rows_request *request, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf key = MR_BUF_NULL;
    mr_bytes parts[MR_KEY_PARTS_MAX];
    for (size_t i = 0; i < request->n_parts && i < MR_KEY_PARTS_MAX; i++) {
        parts[i] = mr_bytes_text(request->parts[i]);
    }
    if (request->n_parts > MR_KEY_PARTS_MAX) {
        return mr_error_set(err, MR_ERR_USAGE, "a key has at most %d parts", MR_KEY_PARTS_MAX);
    }
    if (request->n_parts > 0) {
        return mr_store_key_encode(request->store, parts, request->n_parts, &key, err);
    }
    if (request->prefix != NULL) {
        MR_TRY(mr_store_key_prefix(request->store, mr_bytes_text(request->prefix), &key, err));
    }
    if (request->from != NULL) {
        MR_TRY(mr_store_key_bound(request->store, mr_bytes_text(request->from), &key, err));
    }
    return request->to == NULL
               ? MR_OK
               : mr_store_key_bound(request->store, mr_bytes_text(request->to), &key, err);
}

/* Without a broker the files on this host are left. */
static mr_status find(const mr_cli *cli, const mr_stage *stage, mr_instances *instances,
                      mr_error *err)
{
    mr_admin *made = NULL;
    if (cli->is_connected) {
        MR_TRY(mr_cli_admin(cli, &made, err));
    }
    MR_CLEANUP(mr_admin_freep) mr_admin *admin = made;
    return mr_instances_find(cli, admin, stage, instances, err);
}

mr_status mr_rows_open(const mr_cli *cli, const mr_rows_request *request, mr_rows **ret_rows,
                       mr_error *err)
{
    MR_TRY(check_request(request, err));
    MR_CLEANUP(mr_rows_freep) mr_rows *rows = mr_alloc_zero(1, sizeof(*rows));
    rows->cli = cli;
    rows->request = *request;
    MR_CLEANUP(mr_instances_deinit) mr_instances instances = {0};
    MR_TRY(find(cli, request->stage, &instances, err));
    MR_TRY(open_live(rows, &instances, err));
    if (rows->n_sources == 0 && rows->n_busy > 0) {
        return MR_TIMED_OUT; /* what is on disk is less than what they will have */
    }
    if (rows->n_sources == 0) {
        const mr_status status = open_offline(rows, err);
        if (status != MR_OK) {
            return status;
        }
    }
    *ret_rows = MR_STEAL(&rows);
    return MR_OK;
}

/* ---- Merging ---- */

static bool is_before(const mr_source_row *a, const mr_source_row *b)
{
    const int order = mr_bytes_compare(mr_buf_bytes(&a->key), mr_buf_bytes(&b->key));
    return order != 0 ? order < 0 : a->partition < b->partition;
}

/* The source with the smallest next row; NULL: all are at their end. */
static mr_status smallest(mr_rows *rows, mr_row_source **ret_source, mr_error *err)
{
    *ret_source = NULL;
    for (size_t i = 0; i < rows->n_sources; i++) {
        mr_row_source *source = &rows->sources[i];
        const mr_status status = mr_row_source_fill(source, err);
        if (status == MR_TIMED_OUT) {
            return err->status; /* in the middle: what was printed is not all */
        }
        if (status < 0) {
            return status;
        }
        if (status == MR_OK &&
            (*ret_source == NULL ||
             is_before(&source->rows[source->at], &(*ret_source)->rows[(*ret_source)->at]))) {
            *ret_source = source;
        }
    }
    return MR_OK;
}

mr_status mr_rows_next(mr_rows *rows, mr_rows_item *ret_item, mr_error *err)
{
    mr_row_source *source = NULL;
    for (size_t i = 0; i < rows->n_sources && rows->last != NULL; i++) {
        rows->sources[i].at += &rows->sources[i] == rows->last;
    }
    rows->last = NULL;
    MR_TRY(smallest(rows, &source, err));
    if (source == NULL) {
        return MR_END;
    }
    const mr_source_row *row = &source->rows[source->at];
    rows->last = source;
    *ret_item = (mr_rows_item){
        .partition = row->partition,
        .offset = mr_position_list_find(&source->positions, row->partition),
        .key = mr_buf_bytes(&row->key),
        .key_json = mr_buf_bytes(&row->key_json),
        .value_json = mr_buf_bytes(&row->value_json),
    };
    return MR_OK;
}

/* ---- As of when, and whether it is all ---- */

static mr_position_list all_positions(const mr_rows *rows)
{
    mr_position_list all = {0};
    for (size_t i = 0; i < rows->n_sources; i++) {
        const mr_position_list *list = &rows->sources[i].positions;
        for (size_t p = 0; p < list->n; p++) {
            mr_position_list_put(&all, list->items[p].partition, list->items[p].offset);
        }
    }
    return all;
}

void mr_rows_positions(const mr_rows *rows, mr_buf *out)
{
    mr_position_list all = all_positions(rows);
    for (size_t i = 0; i < all.n; i++) {
        mr_buf_printf(out, "%s%" PRId32 ":", i == 0 ? "as of " : " ", all.items[i].partition);
        if (all.items[i].offset < 0) {
            mr_buf_append_byte(out, '-'); /* nothing was read there yet */
        } else {
            mr_buf_printf(out, "%" PRId64, all.items[i].offset);
        }
    }
    free(all.items);
}

mr_status mr_rows_check(const mr_rows *rows, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf missing = MR_BUF_NULL;
    mr_position_list all = all_positions(rows);
    const int32_t n = partitions_of(rows);
    for (int32_t p = 0; p < n; p++) {
        bool is_there = false;
        for (size_t i = 0; i < all.n; i++) {
            is_there |= all.items[i].partition == p;
        }
        if (!is_there) {
            mr_buf_printf(&missing, " %" PRId32, p);
        }
    }
    free(all.items);
    if (missing.len == 0) {
        return MR_OK;
    }
    (void)mr_error_set(
        err, MR_ERR_SYSTEM, "rows may be missing: nobody has partition%s of stage %s%s%s",
        mr_buf_text(&missing), rows->request.stage->name, rows->trouble.len == 0 ? "" : ": ",
        rows->trouble.len == 0 ? "" : mr_buf_text(&rows->trouble));
    return MR_TIMED_OUT;
}
