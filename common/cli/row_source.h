/* One place that rows come from, page by page: a processor over HTTP, or a state directory. */
#pragma once

#include "app/http_get.h"
#include "cli/rows.h"
#include "runtime/offline.h"

typedef struct mr_position_list {
    mr_query_position *items;
    size_t n;
    size_t capacity;
} mr_position_list;

/* Keeps the highest offset of each partition, partitions ascending. */
void mr_position_list_put(mr_position_list *list, int32_t partition, int64_t offset);
/* -1: not known. */
int64_t mr_position_list_find(const mr_position_list *list, int32_t partition);

typedef struct mr_source_row {
    int32_t partition;
    mr_buf key;
    mr_buf key_json;
    mr_buf value_json;
} mr_source_row;

typedef struct mr_row_source {
    const mr_rows_request *request;
    const mr_cli *cli;
    /* Live. */
    mr_http_client *http; /* borrowed; NULL: offline */
    char *address;
    mr_buf cursor;
    /* Offline. */
    char *directory;
    int32_t offline_partition;
    mr_codec *codec; /* borrowed */
    mr_buf next_from;
    /* The page. */
    mr_source_row *rows;
    size_t n_rows;
    size_t capacity;
    size_t at;
    bool is_last_page;
    bool is_busy; /* live: there, but starting or restoring */
    mr_position_list positions;
} mr_row_source;

void mr_row_source_deinit(mr_row_source *source);
/* Fills the next page when the current one is used up. MR_OK: rows[at] is there. MR_END. Live also
 * MR_TIMED_OUT: it does not answer, `err` says why. */
mr_status mr_row_source_fill(mr_row_source *source, mr_error *err) MR_MUST_USE;

/* row_source_live.c, row_source_offline.c: the next page into source->rows. */
mr_status mr_row_source_fetch(mr_row_source *source, mr_error *err) MR_MUST_USE;
mr_status mr_row_source_read(mr_row_source *source, mr_error *err) MR_MUST_USE;
/* A cleared row at the end of the page. */
mr_source_row *mr_row_source_add(mr_row_source *source);

/* Which partitions the directory has, and up to where. MR_NOT_FOUND: it is none. */
mr_status mr_row_source_offline_positions(const mr_cli *cli, const mr_stage *stage,
                                          const char *directory, mr_position_list *positions,
                                          mr_error *err) MR_MUST_USE;
