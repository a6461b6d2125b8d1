/* Goal: what a person writes into the configuration is checked before anything is connected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kafka/client.h"
#include "kafka/conf.h"
#include "kafka/conf_table.h"

static const mr_option ours[] = {
    {.name = "state.dir", .kind = MR_OPTION_TEXT},
    {.name = "transaction.timeout.ms", .kind = MR_OPTION_DURATION},
};
enum { N_OURS = sizeof(ours) / sizeof(ours[0]) };

static mr_status check_one(const char *name, const char *value, mr_error *err)
{
    mr_properties properties = {0};
    mr_properties_set(&properties, "bootstrap.servers", "127.0.0.1:1", "-X");
    mr_properties_set(&properties, name, value, "a.properties:7");
    const mr_status status = mr_client_check(&properties, ours, N_OURS, err);
    mr_properties_deinit(&properties);
    return status;
}

static void good_ones_pass(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {
        {"state.dir", "/tmp"},
        /* One of ours is not librdkafka's, even if it has one of that name. */
        {"transaction.timeout.ms", "30s"},
        {"session.timeout.ms", "10000"},
        {"linger.ms", "20"},
        {"compression.type", "lz4"},
        {"acks", "all"},
        {"security.protocol", "ssl"},
        {"metadata.broker.list", "127.0.0.1:2"},
        {"message.timeout.ms", "5000"},
        {"log_level", "7"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_error err = {.message = ""};
        const mr_status status = check_one(rows[i].name, rows[i].value, &err);
        if (status != MR_OK) {
            print_error("%s=%s: %s\n", rows[i].name, rows[i].value, err.message);
        }
        assert_int_equal(status, MR_OK);
    }
}

static void bad_ones_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *value;
        const char *says[2];
    } rows[] = {
        {"enable.auto.commit", "true", {"a.properties:7: enable.auto.commit", "offsets are"}},
        {"isolation.level", "read_uncommitted", {"isolation.level", "only committed"}},
        {"transactional.id", "x", {"transactional.id", "cannot be set"}},
        {"group.id", "x", {"group.id", "<app>-<stage>"}},
        {"partitioner", "random", {"partitioner", "murmur2"}},
        {"enable.idempotence", "false", {"enable.idempotence", "twice"}},
        {"allow.auto.create.topics", "true", {"allow.auto.create.topics", "topics apply"}},
        {"delivery.report.only.error", "true", {"delivery.report.only.error", "offset"}},
        {"sesion.timeout.ms", "10", {"a.properties:7", "did you mean session.timeout.ms?"}},
        {"state.dirr", "10", {"a.properties:7", "did you mean state.dir?"}},
        {"utterly.different.thing", "1", {"no property utterly.different.thing", ""}},
        {"enable.auto.comit", "1", {"no property enable.auto.comit", ""}},
        {"session.timeout.ms", "many", {"a.properties:7: session.timeout.ms", "Invalid value"}},
        {"session.timeout.ms", "0", {"session.timeout.ms", "range"}},
        {"compression.type", "rar", {"compression.type", "rar"}},
        {"linger.ms", "-1", {"linger.ms", "range"}},
        /* Found only when a handle is made. */
        {"acks", "1", {"acks", "enable.idempotence"}},
        {"session.timeout.ms", "600000", {"max.poll.interval.ms", ""}},
        {"opaque", "1", {"opaque", "through dedicated"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_error err = {.message = ""};
        const mr_status status = check_one(rows[i].name, rows[i].value, &err);
        if (status != MR_ERR_USAGE || strstr(err.message, rows[i].says[0]) == NULL ||
            strstr(err.message, rows[i].says[1]) == NULL) {
            print_error("%s=%s: status %d: %s\n", rows[i].name, rows[i].value, (int)status,
                        err.message);
        }
        assert_int_equal(status, MR_ERR_USAGE);
        assert_non_null(strstr(err.message, rows[i].says[0]));
        assert_non_null(strstr(err.message, rows[i].says[1]));
    }
    /* What is owned is not recommended. */
    mr_error err;
    assert_int_equal(check_one("enable.auto.comit", "1", &err), MR_ERR_USAGE);
    assert_null(strstr(err.message, "did you mean"));
}

static void security_settings_are_tried(void **state)
{
    (void)state;
    static const struct {
        const char *protocol;
        const char *name;
        const char *value;
        const char *says;
    } rows[] = {
        {"sasl_plaintext", "sasl.mechanism", "NONSENSE", "NONSENSE"},
        {"ssl", "ssl.ca.location", "/no/such/file.pem", "ssl.ca.location"},
        {"sasl_plaintext", "sasl.jaas.config", "org.x required;", "JAAS"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mr_properties properties = {0};
        mr_properties_set(&properties, "bootstrap.servers", "127.0.0.1:1", "-X");
        mr_properties_set(&properties, "security.protocol", rows[i].protocol, "-X");
        mr_properties_set(&properties, rows[i].name, rows[i].value, "-X");
        mr_error err = {.message = ""};
        assert_int_equal(mr_client_check(&properties, ours, N_OURS, &err), MR_ERR_USAGE);
        if (strstr(err.message, rows[i].says) == NULL) {
            print_error("%s: %s\n", rows[i].name, err.message);
        }
        assert_non_null(strstr(err.message, rows[i].says));
        mr_properties_deinit(&properties);
    }
}

static void servers_must_be_given(void **state)
{
    (void)state;
    mr_properties properties = {0};
    mr_error err;
    assert_int_equal(mr_client_check(&properties, ours, N_OURS, &err), MR_ERR_USAGE);
    assert_non_null(strstr(err.message, "bootstrap.servers is not set"));
    mr_properties_set(&properties, "bootstrap.servers", "", "-X");
    assert_int_equal(mr_client_check(&properties, ours, N_OURS, &err), MR_ERR_USAGE);
    mr_properties_deinit(&properties);
    mr_properties_set(&properties, "bootstrap.server", "127.0.0.1:1", "-X");
    assert_int_equal(mr_client_check(&properties, ours, N_OURS, &err), MR_ERR_USAGE);
    assert_non_null(strstr(err.message, "did you mean bootstrap.servers?"));
    mr_properties_deinit(&properties);
}

static const char *value_of(const rd_kafka_conf_t *conf, const char *name, char text[256])
{
    size_t size = 256;
    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK ? text : "(none)";
}

static void each_kind_gets_its_own_and_a_person_wins(void **state)
{
    (void)state;
    mr_properties properties = {0};
    mr_properties_set(&properties, "linger.ms", "77", "-X");
    mr_properties_set(&properties, "session.timeout.ms", "7777", "-X");
    mr_properties_set(&properties, "queued.min.messages", "55", "-X");
    mr_properties_set(&properties, "socket.timeout.ms", "5555", "-X");
    const mr_conf_source source = {&properties, ours, N_OURS};
    mr_error err;
    char text[256];
    rd_kafka_conf_t *conf = NULL;
    assert_int_equal(mr_conf_new(&source, RD_KAFKA_CONSUMER, &conf, &err), MR_OK);
    assert_int_equal(mr_conf_set_queue(&source, conf, 4 << 20, &err), MR_OK);
    assert_string_equal(value_of(conf, "session.timeout.ms", text), "7777");
    assert_string_equal(value_of(conf, "socket.timeout.ms", text), "5555");
    assert_string_equal(value_of(conf, "queued.min.messages", text), "55");
    assert_string_equal(value_of(conf, "queued.max.messages.kbytes", text), "4096");
    assert_string_equal(value_of(conf, "fetch.message.max.bytes", text), "262144");
    assert_string_equal(value_of(conf, "linger.ms", text), "5");
    rd_kafka_conf_destroy(conf);
    assert_int_equal(mr_conf_new(&source, RD_KAFKA_PRODUCER, &conf, &err), MR_OK);
    assert_string_equal(value_of(conf, "linger.ms", text), "77");
    assert_string_equal(value_of(conf, "session.timeout.ms", text), "45000");
    rd_kafka_conf_destroy(conf);
    mr_properties_deinit(&properties);
}

static void the_library_tells_its_properties(void **state)
{
    (void)state;
    mr_conf_table table;
    mr_conf_table_init(&table);
    assert_true(table.n > 100);
    assert_int_equal(mr_conf_table_scope(&table, "group.id"), 'C');
    assert_int_equal(mr_conf_table_scope(&table, "linger.ms"), 'P');
    assert_int_equal(mr_conf_table_scope(&table, "acks"), 'P');
    assert_int_equal(mr_conf_table_scope(&table, "auto.offset.reset"), 'C');
    assert_int_equal(mr_conf_table_scope(&table, "bootstrap.servers"), '*');
    assert_int_equal(mr_conf_table_scope(&table, "no such name"), '*');
    mr_conf_table_deinit(&table);
    assert_true(mr_client_version() >= 0x02000200);
    assert_true(strlen(mr_client_version_text()) >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_pass),
        cmocka_unit_test(bad_ones_are_named),
        cmocka_unit_test(security_settings_are_tried),
        cmocka_unit_test(servers_must_be_given),
        cmocka_unit_test(each_kind_gets_its_own_and_a_person_wins),
        cmocka_unit_test(the_library_tells_its_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
