/* A mock cluster with one broker, and errors to give out. */
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "kit.h"

/* Kafka's numbers of requests. */
enum {
    API_PRODUCE = 0,
    API_FETCH = 1,
    API_OFFSET_COMMIT = 8,
    API_INIT_PRODUCER_ID = 22,
    API_ADD_PARTITIONS = 24,
    API_END_TXN = 26,
    API_TXN_OFFSET_COMMIT = 28,
};

typedef struct mock_cluster {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *cluster;
    test_kit kit;
} mock_cluster;

static inline void mock_init(mock_cluster *mock)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "log_level", "0", text, sizeof(text)),
                     RD_KAFKA_CONF_OK);
    mock->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(mock->rk);
    mock->cluster = rd_kafka_mock_cluster_new(mock->rk, 1);
    assert_non_null(mock->cluster);
    kit_init_at(&mock->kit, rd_kafka_mock_cluster_bootstraps(mock->cluster));
}

static inline void mock_deinit(mock_cluster *mock)
{
    kit_deinit(&mock->kit);
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->rk);
}

static inline void mock_topic(mock_cluster *mock, const char *topic, int partitions)
{
    assert_int_equal(rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1),
                     RD_KAFKA_RESP_ERR_NO_ERROR);
}

static inline void mock_fail(mock_cluster *mock, int16_t api, size_t n, rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < n; i++) {
        rd_kafka_mock_push_request_errors(mock->cluster, api, 1, code);
    }
}
