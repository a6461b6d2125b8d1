/* What the benchmark's C programs share: librdkafka clients, and an end with a reason. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <librdkafka/rdkafka.h>

enum { BENCH_TIMEOUT_MS = 30000 };

_Noreturn void bench_die(const char *what, const char *why);
void bench_must(const char *what, rd_kafka_error_t *error);
int64_t bench_number(const char *name, const char *text);
int64_t bench_now_us(void);

/* SIGTERM and SIGINT make this true from then on. */
void bench_catch_signals(void);
bool bench_is_stopping(void);

void bench_set(rd_kafka_conf_t *conf, const char *name, const char *value);
/* "name=value" */
void bench_set_property(rd_kafka_conf_t *conf, const char *property);
/* Takes the conf. */
rd_kafka_t *bench_open(rd_kafka_type_t type, rd_kafka_conf_t *conf);
/* A topic's partitions, each at offset 0. */
rd_kafka_topic_partition_list_t *bench_partitions(rd_kafka_t *rk, const char *topic);
/* Waits for room in the producer's queue as long as it takes. */
void bench_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, const void *key, size_t key_len,
                   const void *value, size_t value_len);
