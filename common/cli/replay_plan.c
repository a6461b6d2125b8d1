#include "cli/replay_plan.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

/* ---- Where to begin ---- */

static const mr_topic_partition *find(const mr_replay_start *start, const mr_topic_partition *of)
{
    for (size_t i = 0; i < start->n; i++) {
        if (start->partitions[i].partition == of->partition &&
            strcmp(start->partitions[i].topic, of->topic) == 0) {
            return &start->partitions[i];
        }
    }
    return NULL;
}

/* What a file names has to be the stage's, and once. */
static mr_status check_named(const mr_stage *stage, const mr_replay_start *start, mr_error *err)
{
    for (size_t i = 0; i < start->n; i++) {
        const mr_topic_partition *named = &start->partitions[i];
        size_t input = 0;
        while (input < stage->n_from && strcmp(stage->from[input], named->topic) != 0) {
            input++;
        }
        if (input == stage->n_from) {
            const char *nearest = mr_text_nearest(named->topic, (const char *const *)stage->from,
                                                  stage->n_from, sizeof(stage->from[0]));
            return mr_error_set(
                err, MR_ERR_USAGE, "--from-file: stage '%s' does not read topic '%.120s'%s%s%s",
                stage->name, named->topic, nearest == NULL ? "" : "; did you mean '",
                nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
        }
        const int32_t n_partitions = mr_app_topic(stage->app, named->topic)->partitions;
        if (named->partition >= n_partitions) {
            return mr_error_set(err, MR_ERR_USAGE, "--from-file: topic %s has partitions 0 to %d",
                                named->topic, n_partitions - 1);
        }
        if (find(start, named) != named) {
            return mr_error_set(err, MR_ERR_USAGE, "--from-file: %s [%d] stands there twice",
                                named->topic, named->partition);
        }
    }
    return MR_OK;
}

/* -1: the partition stays where it is. */
static mr_status choose(const mr_cli *cli, mr_reader *reader, const mr_replay_start *start,
                        const mr_replay_item *item, int64_t *ret_offset, mr_error *err)
{
    const mr_topic_partition *committed = &item->committed;
    const mr_topic_partition *named = NULL;
    switch (start->kind) {
    case MR_REPLAY_EARLIEST:
        *ret_offset = item->begin;
        return MR_OK;
    case MR_REPLAY_LATEST:
        *ret_offset = item->end;
        return MR_OK;
    case MR_REPLAY_OFFSET:
        *ret_offset = start->number;
        return MR_OK;
    case MR_REPLAY_SHIFT:
        *ret_offset = start->number > INT64_MAX - committed->offset
                          ? INT64_MAX
                          : committed->offset + start->number;
        *ret_offset = *ret_offset < 0 ? 0 : *ret_offset;
        return MR_OK;
    case MR_REPLAY_FILE:
        named = find(start, committed);
        *ret_offset = named == NULL ? -1 : named->offset;
        return MR_OK;
    case MR_REPLAY_TIME:
        break;
    }
    return mr_reader_offset_at(reader, committed->topic, committed->partition, start->number,
                               ret_offset, (int)cli->settings.runtime.broker_timeout_ms, err);
}

static int64_t clip(const mr_replay_item *item, int64_t offset)
{
    const int64_t clipped = offset < item->begin ? item->begin
                            : offset > item->end ? item->end
                                                 : offset;
    if (clipped != offset) {
        mr_cli_note("%s [%" PRId32 "]: offset %" PRId64 " is %s: %" PRId64 " is taken",
                    item->committed.topic, item->committed.partition, offset,
                    offset < item->begin ? "below its first one" : "beyond its end", clipped);
    }
    return clipped;
}

/* ---- The items ---- */

static mr_status fill(mr_replay_item *item, const mr_cli *cli, mr_reader *reader,
                      mr_reader *counter, const mr_replay_start *start, mr_error *err)
{
    const mr_topic_partition *committed = &item->committed;
    int64_t offset = -1;
    MR_TRY(mr_reader_watermarks(reader, committed->topic, committed->partition, &item->begin,
                                &item->end, (int)cli->settings.runtime.broker_timeout_ms, err));
    if (committed->offset < 0 || start == NULL) {
        return MR_OK;
    }
    MR_TRY(choose(cli, reader, start, item, &offset, err));
    if (offset < 0) {
        return MR_OK;
    }
    item->next.offset = clip(item, offset);
    const mr_extent extent = {committed->partition, item->next.offset, item->end};
    return mr_cli_count(cli, counter, committed->topic, &extent, 1, &item->n_records, err);
}

static mr_status fill_all(mr_replay_plan *plan, const mr_cli *cli, const mr_replay_start *start,
                          mr_error *err)
{
    mr_reader *made = NULL;
    MR_TRY(mr_cli_reader(cli, &made, err));
    MR_CLEANUP(mr_reader_freep) mr_reader *reader = made;
    MR_TRY(mr_cli_reader(cli, &made, err));
    MR_CLEANUP(mr_reader_freep) mr_reader *counter = made;
    for (size_t i = 0; i < plan->n; i++) {
        MR_TRY(fill(&plan->items[i], cli, reader, counter, start, err));
    }
    return MR_OK;
}

static mr_status check_any(const mr_replay_plan *plan, const mr_replay_start *start, mr_error *err)
{
    for (size_t i = 0; i < plan->n; i++) {
        if ((start == NULL ? plan->items[i].committed : plan->items[i].next).offset >= 0) {
            return MR_OK;
        }
    }
    return mr_error_set(
        err, MR_ERR_USAGE, "group %s has committed no offset%s: there is nothing to replay",
        plan->stage->group,
        start != NULL && start->kind == MR_REPLAY_FILE ? " of these partitions" : "");
}

mr_status mr_replay_plan_init(mr_replay_plan *plan, const mr_cli *cli, const mr_stage *stage,
                              const mr_replay_start *start, const mr_topic_partition *offsets,
                              size_t n, mr_error *err)
{
    *plan =
        (mr_replay_plan){.stage = stage, .items = mr_alloc_zero(n, sizeof(*plan->items)), .n = n};
    for (size_t i = 0; i < n; i++) {
        plan->items[i].committed = offsets[i];
        plan->items[i].next =
            (mr_topic_partition){offsets[i].topic, offsets[i].partition, .offset = -1};
        plan->items[i].rows = mr_alloc_zero(stage->n_stores, sizeof(int64_t));
    }
    if (start != NULL) {
        MR_TRY(check_named(stage, start, err));
    }
    MR_TRY(fill_all(plan, cli, start, err));
    return check_any(plan, start, err);
}

void mr_replay_plan_deinit(mr_replay_plan *plan)
{
    for (size_t i = 0; i < plan->n; i++) {
        free(plan->items[i].rows);
    }
    free(plan->items);
    *plan = (mr_replay_plan){0};
}

/* ---- Marks ---- */

void mr_replay_plan_mark(mr_replay_plan *plan, bool sends)
{
    for (size_t i = 0; i < plan->n; i++) {
        mr_replay_item *item = &plan->items[i];
        item->next.replay_sends = sends;
        mr_replay_item_extend(item, item->committed.offset);
        mr_replay_item_extend(item, item->committed.replay_below);
    }
}

void mr_replay_item_extend(mr_replay_item *item, int64_t offset)
{
    if (offset > item->next.replay_below) {
        item->next.replay_below = offset;
    }
}
