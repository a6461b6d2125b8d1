#include "kafka/client.h"

#include <librdkafka/rdkafka.h>

#include "kafka/conf.h"
#include "kafka/error.h"
#include "kafka/handle.h"

int mr_client_version(void)
{
    return rd_kafka_version();
}

const char *mr_client_version_text(void)
{
    return rd_kafka_version_str();
}

static void ignore_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

/* librdkafka checks how settings go together, and reads certificates, when a handle is made. One
 * without brokers connects nowhere. */
static mr_status check_together(const mr_conf_source *source, rd_kafka_type_t type, mr_error *err)
{
    rd_kafka_conf_t *made = NULL;
    MR_TRY(mr_conf_new(source, type, &made, err));
    MR_CLEANUP(mr_conf_freep) rd_kafka_conf_t *conf = made;
    MR_TRY(mr_conf_set(conf, "bootstrap.servers", "", err));
    if (type == RD_KAFKA_PRODUCER) {
        MR_TRY(mr_conf_set(conf, "enable.idempotence", "true", err));
    }
    rd_kafka_conf_set_log_cb(conf, ignore_log);
    char text[256];
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (rk == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "librdkafka's configuration: %s", text);
    }
    (void)MR_STEAL(&conf);
    rd_kafka_destroy(rk);
    return MR_OK;
}

static const char *bootstrap_of(const mr_properties *properties)
{
    const char *servers = mr_properties_get(properties, "bootstrap.servers");
    return servers != NULL ? servers : mr_properties_get(properties, "metadata.broker.list");
}

mr_status mr_client_check_settings(const mr_properties *properties, const mr_option *options,
                                   size_t n_options, mr_error *err)
{
    const mr_conf_source source = {properties, options, n_options};
    MR_TRY(check_together(&source, RD_KAFKA_CONSUMER, err));
    return check_together(&source, RD_KAFKA_PRODUCER, err);
}

mr_status mr_client_check(const mr_properties *properties, const mr_option *options,
                          size_t n_options, mr_error *err)
{
    /* First the names: a misspelt bootstrap.servers is missing, too. */
    MR_TRY(mr_client_check_settings(properties, options, n_options, err));
    const char *servers = bootstrap_of(properties);
    if (servers == NULL || servers[0] == '\0') {
        return mr_error_set(err, MR_ERR_USAGE,
                            "bootstrap.servers is not set: give it in a properties file, with "
                            "-X bootstrap.servers=host:port or as MILLRACE_BOOTSTRAP_SERVERS");
    }
    return MR_OK;
}

mr_status mr_client_probe(const mr_properties *properties, const mr_option *options,
                          size_t n_options, int timeout_ms, const mr_log *log, mr_error *err)
{
    const mr_conf_source source = {properties, options, n_options};
    rd_kafka_conf_t *conf = NULL;
    MR_TRY(mr_conf_new(&source, RD_KAFKA_CONSUMER, &conf, err));
    mr_handle handle = {0};
    MR_TRY(mr_handle_open(&handle, RD_KAFKA_CONSUMER, conf, log, "millrace-probe", err));
    const struct rd_kafka_metadata *metadata = NULL;
    const rd_kafka_resp_err_t code = rd_kafka_metadata(handle.rk, 0, NULL, &metadata, timeout_ms);
    mr_status status = MR_OK;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
    } else {
        status = mr_kafka_fail_code(code, MR_STEP_QUERY, err,
                                    "no Kafka broker answers at bootstrap.servers=%s",
                                    bootstrap_of(properties));
        (void)mr_handle_explain(&handle, err);
        err->action = MR_ACT_STOP;
    }
    mr_handle_close(&handle);
    return status;
}
