#include "runtime/rewrite.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "kafka/producer.h"
#include "runtime/marker.h"
#include "runtime/row_id.h"

typedef struct rewritten {
    int32_t partition;
    /* Written at least once: its rows stand between two commits, which end before and after them.
     */
    bool has_markers;
    int64_t attempt;
    int64_t commit;       /* number of the first of the two */
    int64_t input_offset; /* of the state */
} rewritten;

struct mr_rewrite {
    mr_sole_member_options options;
    mr_sole_member *member;
    mr_producer *producer;
    mr_topic_partition *offsets;
    size_t n_offsets;
    rewritten *partitions;
    size_t n_partitions;
    size_t capacity;
    mr_buf parts;
    mr_buf row_id;
    mr_buf event_id;
};

static const mr_stage *stage_of(const mr_rewrite *rewrite)
{
    return rewrite->options.stage;
}

/* ---- Opening ---- */

static mr_status read_offsets(mr_rewrite *rewrite, mr_error *err)
{
    const mr_stage *stage = stage_of(rewrite);
    rewrite->offsets = mr_stage_inputs(stage, &rewrite->n_offsets);
    if (mr_consumer_committed(
            mr_sole_member_consumer(rewrite->member), rewrite->offsets, rewrite->n_offsets,
            (int)rewrite->options.runtime->transaction_timeout_ms, err) != MR_OK) {
        return mr_error_prefix(err, "group %s, waiting for its last owners' transactions",
                               stage->group);
    }
    return MR_OK;
}

static mr_status open_producer(mr_rewrite *rewrite, mr_error *err)
{
    const mr_sole_member_options *options = &rewrite->options;
    char *transactional_id = mr_asprintf("%s-rewrite", options->stage->group);
    const mr_producer_options producer = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .client_id = options->client_id,
        .transactional_id = transactional_id,
        .transaction_timeout_ms = options->runtime->transaction_timeout_ms,
        .queue_bytes_max = (int64_t)mr_budget_split(options->runtime).producer_queue,
        .record_bytes_max = options->runtime->record_bytes_max,
    };
    const mr_status status = mr_producer_new(
        &producer, (int)options->runtime->transaction_timeout_ms, &rewrite->producer, err);
    free(transactional_id);
    return status;
}

mr_status mr_rewrite_open(const mr_sole_member_options *options, mr_rewrite **ret_rewrite,
                          mr_error *err)
{
    MR_CLEANUP(mr_rewrite_freep) mr_rewrite *rewrite = mr_alloc_zero(1, sizeof(*rewrite));
    rewrite->options = *options;
    MR_TRY(mr_sole_member_join(options, &rewrite->member, err));
    MR_TRY(read_offsets(rewrite, err));
    MR_TRY(open_producer(rewrite, err));
    *ret_rewrite = MR_STEAL(&rewrite);
    return MR_OK;
}

void mr_rewrite_free(mr_rewrite *rewrite)
{
    if (rewrite == NULL) {
        return;
    }
    /* Before the group is left: nobody meets a transaction that is still open. */
    mr_producer_free(rewrite->producer);
    mr_sole_member_leave(rewrite->member);
    mr_buf_deinit(&rewrite->parts);
    mr_buf_deinit(&rewrite->row_id);
    mr_buf_deinit(&rewrite->event_id);
    free(rewrite->partitions);
    free(rewrite->offsets);
    free(rewrite);
}

const mr_topic_partition *mr_rewrite_offsets(const mr_rewrite *rewrite, size_t *ret_n)
{
    *ret_n = rewrite->n_offsets;
    return rewrite->offsets;
}

/* ---- Rows ---- */

static mr_status send_markers(mr_rewrite *rewrite, const rewritten *part, int64_t commit,
                              int64_t input_offset, mr_error *err)
{
    mr_marker marker;
    mr_record record = mr_marker_record(&marker, part->attempt, commit, input_offset);
    record.partition = part->partition;
    for (size_t i = 0; i < stage_of(rewrite)->n_stores; i++) {
        record.topic = stage_of(rewrite)->stores[i].changelog;
        MR_TRY(mr_producer_send(rewrite->producer, &record, NULL, err));
    }
    return MR_OK;
}

mr_status mr_rewrite_partition(mr_rewrite *rewrite, int32_t partition, const mr_progress *progress,
                               mr_error *err)
{
    MR_GROW(rewrite->partitions, rewrite->capacity, rewrite->n_partitions + 1);
    rewritten *part = &rewrite->partitions[rewrite->n_partitions++];
    /* The rows say it better than today's settings. */
    const bool has_markers =
        progress->commit > 0 || rewrite->options.runtime->guarantee == MR_AT_LEAST_ONCE;
    *part = (rewritten){.partition = partition,
                        .has_markers = has_markers,
                        .commit = progress->commit + 1,
                        .input_offset = progress->input_offset};
    for (size_t i = 0; i < progress->n_stores; i++) {
        part->attempt += progress->changelog_offset[i];
    }
    MR_TRY(mr_sole_member_check(rewrite->member, err));
    /* It releases the commit before, which a reader holds back. The rows that follow are of none,
     * and so is none lost when markers are compacted. */
    return has_markers ? send_markers(rewrite, part, part->commit, progress->input_offset, err)
                       : MR_OK;
}

mr_status mr_rewrite_row(mr_rewrite *rewrite, size_t store, mr_bytes key, mr_bytes value,
                         mr_error *err)
{
    assert(rewrite->n_partitions > 0 && store < stage_of(rewrite)->n_stores);
    const mr_record record = {
        .topic = stage_of(rewrite)->stores[store].changelog,
        .partition = rewrite->partitions[rewrite->n_partitions - 1].partition,
        .key = key,
        .value = value,
    };
    MR_TRY(mr_sole_member_check(rewrite->member, err));
    return mr_producer_send(rewrite->producer, &record, NULL, err);
}

mr_status mr_rewrite_projection(mr_rewrite *rewrite, size_t store, mr_bytes key, mr_bytes value,
                                mr_error *err)
{
    const mr_stage *stage = stage_of(rewrite);
    const mr_store_spec *spec = &stage->stores[store];
    assert(rewrite->n_partitions > 0 && spec->topic != NULL);
    const rewritten *part = &rewrite->partitions[rewrite->n_partitions - 1];
    MR_TRY(mr_row_id(spec, key, &rewrite->parts, &rewrite->row_id, err));
    const mr_bytes row_id = mr_buf_bytes(&rewrite->row_id);
    mr_buf *id = &rewrite->event_id;
    mr_buf_clear(id);
    mr_buf_printf(id, "%s/%" PRId32 "/%" PRId64 "/%s/", stage->group, part->partition,
                  part->input_offset, spec->name);
    mr_buf_append_bytes(id, row_id);
    const mr_header headers[] = {
        {"ce_specversion", mr_bytes_text("1.0")},
        {"ce_id", mr_buf_bytes(id)},
        {"ce_source", mr_bytes_text(stage->group)},
        {"ce_type", mr_bytes_text(mr_schema_short_name(spec->value))},
        {"ce_subject", row_id},
    };
    const mr_record record = {
        .topic = spec->topic,
        .partition = -1,
        .key = row_id,
        .value = value,
        .headers = headers,
        .n_headers = stage->input != NULL ? 0 : sizeof(headers) / sizeof(headers[0]),
    };
    MR_TRY(mr_sole_member_check(rewrite->member, err));
    return mr_producer_send(rewrite->producer, &record, NULL, err);
}

/* ---- Committing ---- */

/* Over those it has; what the group has nothing of goes away. */
static void set_offsets(mr_rewrite *rewrite, const mr_topic_partition *offsets, size_t n)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < rewrite->n_offsets; i++) {
        mr_topic_partition *own = &rewrite->offsets[i];
        for (size_t j = 0; j < n; j++) {
            if (offsets[j].partition == own->partition &&
                strcmp(offsets[j].topic, own->topic) == 0) {
                const char *topic = own->topic;
                *own = offsets[j];
                own->topic = topic;
            }
        }
        if (own->offset >= 0) {
            rewrite->offsets[n_kept++] = *own;
        }
    }
    rewrite->n_offsets = n_kept;
}

/* A stateful stage has one input. */
static int64_t offset_of(const mr_rewrite *rewrite, int32_t partition)
{
    for (size_t i = 0; i < rewrite->n_offsets; i++) {
        if (rewrite->offsets[i].partition == partition) {
            return rewrite->offsets[i].offset;
        }
    }
    return -1;
}

static mr_status end_partitions(mr_rewrite *rewrite, mr_error *err)
{
    for (size_t i = 0; i < rewrite->n_partitions; i++) {
        const rewritten *part = &rewrite->partitions[i];
        if (part->has_markers) {
            MR_TRY(send_markers(rewrite, part, part->commit + 1,
                                offset_of(rewrite, part->partition), err));
        }
    }
    return MR_OK;
}

/* All offsets go along, moved or not: it is they that the broker refuses when the group is not this
 * member's any more. */
mr_status mr_rewrite_commit(mr_rewrite *rewrite, const mr_topic_partition *offsets, size_t n,
                            mr_error *err)
{
    mr_error why;
    set_offsets(rewrite, offsets, n);
    if (rewrite->n_offsets == 0) {
        return mr_error_set(err, MR_ERR_USAGE, "group %s has committed no offset",
                            stage_of(rewrite)->group);
    }
    MR_TRY(end_partitions(rewrite, err));
    MR_TRY(mr_sole_member_hold(rewrite->member, err));
    const mr_status status =
        mr_producer_commit(rewrite->producer, mr_sole_member_consumer(rewrite->member),
                           rewrite->offsets, rewrite->n_offsets, err);
    mr_sole_member_release(rewrite->member);
    /* Who came meanwhile is a better reason than what the broker made of it. */
    if (status != MR_OK && mr_sole_member_check(rewrite->member, &why) != MR_OK) {
        *err = why;
        return err->status;
    }
    return status;
}

bool mr_rewrite_is_unclear(const mr_rewrite *rewrite)
{
    return mr_producer_is_unclear(rewrite->producer);
}
