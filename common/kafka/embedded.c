#include "kafka/embedded.h"

#include <stdlib.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "core/alloc.h"
#include "kafka/error.h"
#include "kafka/handle.h"

struct mr_embedded {
    mr_handle handle; /* a mock cluster lives in the threads of some handle */
    rd_kafka_mock_cluster_t *cluster;
};

mr_status mr_embedded_new(const mr_log *log, mr_embedded **ret_broker, mr_error *err)
{
    mr_embedded *broker = mr_alloc_zero(1, sizeof(*broker));
    /* librdkafka warns that the handle, which is no client, has no servers. */
    mr_log quiet = *log;
    quiet.level = log->level == MR_LOG_DEBUG ? MR_LOG_DEBUG : MR_LOG_ERROR;
    mr_status status = mr_handle_open(&broker->handle, RD_KAFKA_PRODUCER, rd_kafka_conf_new(),
                                      &quiet, "embedded broker", err);
    if (status == MR_OK) {
        broker->cluster = rd_kafka_mock_cluster_new(broker->handle.rk, 1);
        if (broker->cluster == NULL) {
            status = mr_error_set(err, MR_ERR_SYSTEM,
                                  "the embedded broker could not open its port on 127.0.0.1");
        }
    }
    if (status != MR_OK) {
        mr_embedded_free(broker);
        return status;
    }
    *ret_broker = broker;
    return MR_OK;
}

void mr_embedded_free(mr_embedded *broker)
{
    if (broker == NULL) {
        return;
    }
    if (broker->cluster != NULL) {
        rd_kafka_mock_cluster_destroy(broker->cluster);
    }
    mr_handle_close(&broker->handle);
    free(broker);
}

const char *mr_embedded_bootstrap(const mr_embedded *broker)
{
    return rd_kafka_mock_cluster_bootstraps(broker->cluster);
}

mr_status mr_embedded_create_topic(mr_embedded *broker, const char *topic, int32_t partitions,
                                   mr_error *err)
{
    const rd_kafka_resp_err_t code =
        rd_kafka_mock_topic_create(broker->cluster, topic, partitions, 1);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return mr_kafka_fail_code(code, MR_STEP_QUERY, err, "create topic %s", topic);
    }
    return MR_OK;
}
