#include "kafka/handle.h"

#include <stdio.h>
#include <string.h>

#include <mr/clock.h>

#include "kafka/error.h"
#include "kafka/error_codes.h"

/* Longer than the restart of a broker takes mostly, and than librdkafka waits to connect again. */
enum { REMIND_MS = 10000 };

/* Facilities of librdkafka's log that tell of connections: error_cb tells the same once. */
static bool is_connection_noise(const char *facility)
{
    static const char *const names[] = {"FAIL",   "ERROR",   "REQTMOUT",
                                        "GETPID", "CONNECT", "BROKERUA"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], facility) == 0) {
            return true;
        }
    }
    return false;
}

static void handle_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    enum { SYSLOG_WARNING = 4 };
    const mr_handle *handle = rd_kafka_opaque(rk);
    const bool matters = level <= SYSLOG_WARNING && !is_connection_noise(facility);
    mr_log_line(&handle->log, matters ? MR_LOG_WARN : MR_LOG_DEBUG, "librdkafka %s: %s", facility,
                text);
}

static void remember_failure(mr_handle *handle, rd_kafka_resp_err_t code, const char *reason)
{
    pthread_mutex_lock(&handle->lock);
    if (!handle->has_failed) {
        (void)mr_kafka_fail_text(code, reason, MR_STEP_CONSUME, &handle->failure, "Kafka");
        atomic_store(&handle->has_failed, true);
    }
    pthread_mutex_unlock(&handle->lock);
}

/* A broker that stops in the middle of a handshake looks like a refusal: believe several in a row.
 */
static bool is_refusal(mr_handle *handle, rd_kafka_resp_err_t code)
{
    enum { REFUSALS_BELIEVED = 3 };
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__SSL) {
        return atomic_fetch_add(&handle->n_refused, 1) + 1 >= REFUSALS_BELIEVED;
    }
    atomic_store(&handle->n_refused, 0);
    return mr_kafka_class_of(code) == MR_KAFKA_PERMANENT;
}

/*
 * librdkafka 2.10 to 2.16 can be left without any broker, for good (its issue 5301): the last
 * broker of a cluster that ends in order says that there is none, its connection breaks, and the
 * new beginning at bootstrap.servers is cancelled. So they are named again some time after no
 * broker has answered, whether or not one seems to have answered since: a record may have waited
 * in a queue. To others it makes no difference.
 */
static void remind_of_brokers(mr_handle *handle)
{
    const int64_t at_ms = atomic_load_explicit(&handle->remind_at_ms, memory_order_relaxed);
    if (at_ms == 0) {
        return;
    }
    const int64_t now_ms = mr_clock_monotonic_ms(mr_clock_system());
    if (now_ms < at_ms) {
        return;
    }
    char servers[4096];
    size_t size = sizeof(servers);
    if (rd_kafka_conf_get(rd_kafka_conf(handle->rk), "bootstrap.servers", servers, &size) ==
            RD_KAFKA_CONF_OK &&
        size <= sizeof(servers)) {
        mr_log_debug(&handle->log, "librdkafka is told again of %s", servers);
        (void)rd_kafka_brokers_add(handle->rk, servers);
    }
    atomic_store(&handle->remind_at_ms, atomic_load(&handle->is_down) ? now_ms + REMIND_MS : 0);
}

static void handle_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    mr_handle *handle = opaque;
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        if (!atomic_exchange(&handle->is_down, true)) {
            mr_log_warn(&handle->log, "no Kafka broker answers, retrying");
        }
        atomic_store(&handle->remind_at_ms, mr_clock_monotonic_ms(mr_clock_system()) + REMIND_MS);
        return;
    }
    if (is_refusal(handle, (rd_kafka_resp_err_t)code)) {
        remember_failure(handle, (rd_kafka_resp_err_t)code, reason);
    }
    pthread_mutex_lock(&handle->lock);
    (void)snprintf(handle->trouble, sizeof(handle->trouble), "%s", reason);
    pthread_mutex_unlock(&handle->lock);
    mr_log_debug(&handle->log, "librdkafka: %s", reason);
}

mr_status mr_handle_open(mr_handle *handle, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                         const mr_log *log, const char *client_id, mr_error *err)
{
    MR_CLEANUP(mr_conf_freep) rd_kafka_conf_t *owned = conf;
    assert(handle->rk == NULL);
    handle->log = mr_log_for(log, "%s", client_id);
    MR_TRY(mr_conf_set(owned, "client.id", client_id, err));
    rd_kafka_conf_set_opaque(owned, handle);
    rd_kafka_conf_set_log_cb(owned, handle_log);
    rd_kafka_conf_set_error_cb(owned, handle_error);
    pthread_mutex_init(&handle->lock, NULL);
    char text[256];
    handle->rk = rd_kafka_new(type, owned, text, sizeof(text));
    if (handle->rk == NULL) {
        pthread_mutex_destroy(&handle->lock);
        return mr_error_set(err, MR_ERR_USAGE, "librdkafka's configuration: %s", text);
    }
    (void)MR_STEAL(&owned);
    return MR_OK;
}

void mr_handle_close(mr_handle *handle)
{
    if (handle->rk == NULL) {
        return;
    }
    rd_kafka_destroy_flags(handle->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    pthread_mutex_destroy(&handle->lock);
    handle->rk = NULL;
    atomic_store(&handle->has_failed, false);
    handle->trouble[0] = '\0';
    atomic_store(&handle->is_down, false);
    atomic_store(&handle->remind_at_ms, 0);
    atomic_store(&handle->n_refused, 0);
}

void mr_handle_connect(mr_handle *handle, int timeout_ms)
{
    /* A broker that keeps answering by its first address answers all the same. */
    enum { ASKED_MAX = 5 };
    bool is_known = false;
    for (int i = 0; i < ASKED_MAX && !is_known; i++) {
        const struct rd_kafka_metadata *metadata = NULL;
        if (rd_kafka_metadata(handle->rk, 0, NULL, &metadata, timeout_ms) !=
            RD_KAFKA_RESP_ERR_NO_ERROR) {
            return;
        }
        is_known = metadata->orig_broker_id >= 0;
        rd_kafka_metadata_destroy(metadata);
    }
}

void mr_handle_serve(mr_handle *handle)
{
    (void)rd_kafka_poll(handle->rk, 0);
    remind_of_brokers(handle);
}

void mr_handle_answered(mr_handle *handle)
{
    /* A plain load first: this is on the path of every record. */
    if (atomic_load_explicit(&handle->is_down, memory_order_relaxed) &&
        atomic_exchange(&handle->is_down, false)) {
        mr_log_info(&handle->log, "a Kafka broker answers again");
    }
    if (atomic_load_explicit(&handle->n_refused, memory_order_relaxed) != 0) {
        atomic_store(&handle->n_refused, 0);
    }
}

mr_status mr_handle_check(mr_handle *handle, mr_error *err)
{
    remind_of_brokers(handle);
    /* No lock while all is well: this is on the path of every record. */
    if (!atomic_load_explicit(&handle->has_failed, memory_order_relaxed)) {
        return MR_OK;
    }
    pthread_mutex_lock(&handle->lock);
    *err = handle->failure;
    pthread_mutex_unlock(&handle->lock);
    return MR_ERR_KAFKA;
}

mr_status mr_handle_explain(mr_handle *handle, mr_error *err)
{
    mr_handle_serve(handle);
    pthread_mutex_lock(&handle->lock);
    if (handle->has_failed) {
        err->action = MR_ACT_STOP;
        err->native = handle->failure.native;
    }
    const size_t len = strlen(err->message);
    if (handle->trouble[0] != '\0') {
        (void)snprintf(err->message + len, sizeof(err->message) - len, " (%s)", handle->trouble);
    }
    pthread_mutex_unlock(&handle->lock);
    return err->status;
}
