#include "client.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mr/clock.h>

static volatile sig_atomic_t stopping;

void bench_die(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

void bench_must(const char *what, rd_kafka_error_t *error)
{
    if (error != NULL) {
        bench_die(what, rd_kafka_error_string(error));
    }
}

int64_t bench_number(const char *name, const char *text)
{
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < 0) {
        bench_die(name, "not a number");
    }
    return number;
}

int64_t bench_now_us(void)
{
    mr_clock *clock = mr_clock_system();
    return clock->monotonic_us(clock);
}

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

void bench_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    if (sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0) {
        bench_die("sigaction", strerror(errno));
    }
}

bool bench_is_stopping(void)
{
    return stopping != 0;
}

void bench_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char why[256];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
        bench_die(name, why);
    }
}

void bench_set_property(rd_kafka_conf_t *conf, const char *property)
{
    char name[128];
    const char *equals = strchr(property, '=');
    if (equals == NULL || (size_t)(equals - property) >= sizeof(name)) {
        bench_die(property, "not name=value");
    }
    (void)snprintf(name, sizeof(name), "%.*s", (int)(equals - property), property);
    bench_set(conf, name, equals + 1);
}

rd_kafka_t *bench_open(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char why[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));
    if (rk == NULL) {
        bench_die("client", why);
    }
    return rk;
}

rd_kafka_topic_partition_list_t *bench_partitions(rd_kafka_t *rk, const char *name)
{
    const rd_kafka_metadata_t *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    const rd_kafka_resp_err_t code = rd_kafka_metadata(rk, 0, topic, &metadata, BENCH_TIMEOUT_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        bench_die(name, rd_kafka_err2str(code));
    }
    const int n = metadata->topics[0].partition_cnt;
    if (n == 0) {
        bench_die(name, rd_kafka_err2str(metadata->topics[0].err));
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(n);
    for (int i = 0; i < n; i++) {
        rd_kafka_topic_partition_list_add(list, name, i)->offset = 0;
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return list;
}

void bench_produce(rd_kafka_t *rk, rd_kafka_topic_t *topic, const void *key, size_t key_len,
                   const void *value, size_t value_len)
{
    enum { WAIT_MS = 10 };
    while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                            (void *)(uintptr_t)value, value_len, key, key_len, NULL) != 0) {
        const rd_kafka_resp_err_t code = rd_kafka_last_error();
        if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            bench_die("produce", rd_kafka_err2str(code));
        }
        (void)rd_kafka_poll(rk, WAIT_MS);
    }
}
