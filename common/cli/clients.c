#include "cli/clients.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"

static const char client_id[] = "millrace";

enum { QUEUE_BYTES = 32 << 20, COUNT_BY_READING_MAX = 20000 };

mr_status mr_cli_admin(const mr_cli *cli, mr_admin **ret_admin, mr_error *err)
{
    const mr_admin_options options = {.properties = &cli->settings.properties,
                                      .ours = cli->settings.ours,
                                      .n_ours = cli->settings.n_ours,
                                      .log = &cli->log,
                                      .client_id = client_id,
                                      .timeout_ms = (int)cli->settings.runtime.broker_timeout_ms};
    return mr_admin_new(&options, ret_admin, err);
}

mr_status mr_cli_reader(const mr_cli *cli, mr_reader **ret_reader, mr_error *err)
{
    const mr_reader_options options = {.properties = &cli->settings.properties,
                                       .ours = cli->settings.ours,
                                       .n_ours = cli->settings.n_ours,
                                       .log = &cli->log,
                                       .client_id = client_id,
                                       .queue_bytes_max = QUEUE_BYTES};
    return mr_reader_new(&options, ret_reader, err);
}

mr_status mr_cli_producer(const mr_cli *cli, mr_producer **ret_producer, mr_error *err)
{
    const mr_runtime_options *runtime = &cli->settings.runtime;
    const mr_producer_options options = {.properties = &cli->settings.properties,
                                         .ours = cli->settings.ours,
                                         .n_ours = cli->settings.n_ours,
                                         .log = &cli->log,
                                         .client_id = client_id,
                                         .transaction_timeout_ms = runtime->transaction_timeout_ms,
                                         .queue_bytes_max = QUEUE_BYTES,
                                         .record_bytes_max = runtime->record_bytes_max};
    return mr_producer_new(&options, (int)runtime->broker_timeout_ms, ret_producer, err);
}

mr_rebuild_options mr_cli_rebuild_options(const mr_cli *cli, const mr_stage *stage,
                                          const char *directory, const int32_t *numbers, size_t n)
{
    return (mr_rebuild_options){
        .stage = stage,
        .runtime = &cli->settings.runtime,
        .properties = &cli->settings.properties,
        .ours = cli->settings.ours,
        .n_ours = cli->settings.n_ours,
        .log = &cli->log,
        .clock = mr_clock_system(),
        .client_id = client_id,
        .state_directory = directory,
        .numbers = numbers,
        .n = n,
    };
}

mr_status mr_cli_rewrite(const mr_cli *cli, const mr_stage *stage, mr_rewrite **ret_rewrite,
                         mr_error *err)
{
    const mr_sole_member_options options = {
        .stage = stage,
        .runtime = &cli->settings.runtime,
        .properties = &cli->settings.properties,
        .ours = cli->settings.ours,
        .n_ours = cli->settings.n_ours,
        .log = &cli->log,
        .client_id = client_id,
    };
    return mr_rewrite_open(&options, ret_rewrite, err);
}

mr_status mr_cli_partitions(mr_admin *admin, const char *topic, int32_t *ret_partitions,
                            mr_error *err)
{
    const mr_status status = mr_admin_partitions(admin, topic, ret_partitions, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "there is no topic %s; `millrace topics apply` creates what the app "
                            "needs",
                            topic);
    }
    return status;
}

mr_status mr_cli_extents(const mr_cli *cli, mr_admin *admin, mr_reader *reader, const char *topic,
                         mr_extent **ret_extents, size_t *ret_n, mr_error *err)
{
    int32_t n = 0;
    MR_TRY(mr_cli_partitions(admin, topic, &n, err));
    mr_extent *extents = mr_alloc_zero((size_t)n + 1, sizeof(*extents));
    for (int32_t p = 0; p < n; p++) {
        extents[p].partition = p;
        const mr_status status =
            mr_reader_watermarks(reader, topic, p, &extents[p].begin, &extents[p].end,
                                 (int)cli->settings.runtime.broker_timeout_ms, err);
        if (status != MR_OK) {
            free(extents);
            return status;
        }
    }
    *ret_extents = extents;
    *ret_n = (size_t)n;
    return MR_OK;
}

/* Reads from the partitions' beginnings to where they end now. */
static mr_status read_and_count(const mr_cli *cli, mr_reader *reader, size_t n_partitions,
                                int64_t *count, mr_error *err)
{
    const int timeout_ms = (int)cli->settings.runtime.broker_timeout_ms;
    *count = 0;
    while (n_partitions > 0) {
        mr_record record;
        const mr_status status = mr_reader_next(reader, timeout_ms, &record, err);
        if (status < 0) {
            return status;
        }
        if (status == MR_TIMED_OUT) {
            return mr_error_set(err, MR_ERR_KAFKA, "the broker sent nothing for %d ms", timeout_ms);
        }
        *count += status == MR_OK;
        n_partitions -= status == MR_END;
    }
    return MR_OK;
}

mr_status mr_cli_count(const mr_cli *cli, mr_reader *reader, const char *topic,
                       const mr_extent *extents, size_t n, int64_t *ret_count, mr_error *err)
{
    mr_topic_partition *partitions = mr_alloc_zero(n + 1, sizeof(*partitions));
    size_t n_filled = 0;
    int64_t offsets = 0;
    for (size_t i = 0; i < n; i++) {
        if (extents[i].end > extents[i].begin) {
            offsets += extents[i].end - extents[i].begin;
            partitions[n_filled++] =
                (mr_topic_partition){topic, extents[i].partition, extents[i].begin};
        }
    }
    *ret_count = offsets;
    mr_status status = MR_OK;
    if (offsets > 0 && offsets <= COUNT_BY_READING_MAX) {
        status = mr_reader_assign(reader, partitions, n_filled, err);
        status = status == MR_OK ? read_and_count(cli, reader, n_filled, ret_count, err) : status;
    }
    free(partitions);
    return status;
}
