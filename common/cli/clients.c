#include "cli/clients.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"

static const char client_id[] = "millrace";

enum { QUEUE_BYTES = 32 << 20 };

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
