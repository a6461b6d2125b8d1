/*
 * Goal: a processor's address survives its ways to the CLI, and what is no address is not followed.
 * Method: rows of client.id; a file of a process that lives and of one that does not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sys/wait.h>

#include <cmocka.h>

#include "app/endpoint.h"
#include "app/files.h"

static void client_ids_carry_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        uint16_t port;
        const char *address;
    } rows[] = {
        {"127.0.0.1", 80, "127.0.0.1:80"},
        {"::1", 65535, "[::1]:65535"},
        {"[fe80::1]", 1, "[fe80::1]:1"},
        {"host.example.org", 8080, "host.example.org:8080"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char address[MR_ADDRESS_SIZE];
        char found[MR_ADDRESS_SIZE];
        mr_address_format(rows[i].host, rows[i].port, address);
        assert_string_equal(address, rows[i].address);
        char *client_id = mr_client_id_new("aggregate", address);
        assert_int_equal(mr_client_id_address(client_id, found), MR_OK);
        assert_string_equal(found, rows[i].address);
        free(client_id);
    }
}

static void other_client_ids_are_not_followed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        NULL,
        "",
        "rdkafka",
        "millrace-aggregate",
        "millrace-aggregate@",
        "millrace-aggregate@host",
        "millrace-aggregate@:80",
        "millrace-aggregate@host:",
        "millrace-aggregate@host:0",
        "millrace-aggregate@host:65536",
        "millrace-aggregate@host:80x",
        "millrace-aggregate@host/path:80",
        "millrace-aggregate@user@host:80",
        "millrace-aggregate@host?:80",
        "millrace-aggregate@ho st:80",
        "other@host:80",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char found[MR_ADDRESS_SIZE];
        assert_int_equal(mr_client_id_address(rows[i], found), MR_NOT_FOUND);
    }
}

static void a_file_is_of_a_living_process(void **state)
{
    (void)state;
    char directory[] = "/tmp/test-endpoint-XXXXXX";
    char path[64];
    char address[MR_ADDRESS_SIZE];
    int64_t pid = 0;
    mr_error err;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(mr_endpoint_read(directory, address, &pid), MR_NOT_FOUND);
    assert_int_equal(mr_endpoint_write(directory, "127.0.0.1:81", (int64_t)getpid(), &err), MR_OK);
    assert_int_equal(mr_endpoint_read(directory, address, &pid), MR_OK);
    assert_string_equal(address, "127.0.0.1:81");
    assert_int_equal(pid, getpid());
    mr_endpoint_remove(directory, pid + 1); /* a successor's stays */
    assert_int_equal(mr_endpoint_read(directory, address, &pid), MR_OK);
    const pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(mr_endpoint_write(directory, "127.0.0.1:81", (int64_t)child, &err), MR_OK);
    assert_int_equal(mr_endpoint_read(directory, address, &pid), MR_NOT_FOUND);
    assert_int_equal(mr_endpoint_write(directory, "127.0.0.1:81", (int64_t)getpid(), &err), MR_OK);
    mr_endpoint_remove(directory, (int64_t)getpid());
    assert_int_equal(mr_endpoint_read(directory, address, &pid), MR_NOT_FOUND);
    /* The port is remembered beyond the file, for the next start. */
    assert_int_equal(mr_endpoint_last_port(directory), 81);
    assert_int_equal(mr_endpoint_last_port("/nowhere"), 0);
    (void)snprintf(path, sizeof(path), "%s/http.port", directory);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(directory), 0);
}

static void damaged_files_are_not_followed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",           "\n",      "127.0.0.1:81", "127.0.0.1:81 ",  " 1", "127.0.0.1:81 x",
        "nonsense 1", "a:81 -1", "a:81 0",       "a:81 4294967297"};
    char directory[] = "/tmp/test-endpoint-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/http", directory);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char address[MR_ADDRESS_SIZE];
        int64_t pid;
        mr_error err;
        assert_int_equal(mr_file_write(path, mr_bytes_text(rows[i]), &err), MR_OK);
        assert_int_equal(mr_endpoint_read(directory, address, &pid), MR_NOT_FOUND);
    }
    (void)unlink(path);
    assert_int_equal(rmdir(directory), 0);
}

static void instances_are_directory_names(void **state)
{
    (void)state;
    static const char *const wrong[] = {NULL, "", ".", "..", ".hidden", "a/b", "/"};
    static char app_name[] = "shop";
    static char stage_name[] = "cart";
    static char group[] = "shop-cart";
    static char version_group[] = "shop-cart-v2";
    const mr_app app = {.name = app_name};
    const mr_stage stage = {.app = &app, .name = stage_name, .group = group};
    const mr_stage version = {.app = &app, .name = stage_name, .group = version_group};
    const mr_settings settings = {.runtime = {.state_dir = "/s"}};
    char *directory = NULL;
    mr_error err;
    assert_int_equal(mr_instance_directory(&settings, &stage, "pod-1", &directory, &err), MR_OK);
    assert_string_equal(directory, "/s/shop/cart/pod-1");
    free(directory);
    assert_int_equal(mr_instance_directory(&settings, &version, "pod-1", &directory, &err), MR_OK);
    assert_string_equal(directory, "/s/shop/cart-v2/pod-1");
    free(directory);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(mr_instance_directory(&settings, &stage, wrong[i], &directory, &err),
                         MR_ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_ids_carry_addresses),
        cmocka_unit_test(other_client_ids_are_not_followed),
        cmocka_unit_test(a_file_is_of_a_living_process),
        cmocka_unit_test(damaged_files_are_not_followed),
        cmocka_unit_test(instances_are_directory_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
