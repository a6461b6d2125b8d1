/*
 * Goal: the server gives the handler method and target as they came, says which methods there are
 * when the handler does, and ends cleanly. Method: a server on a free port of loopback, asked by
 * the CLI's client and by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "app/http_get.h"
#include "app/http_server.h"

/* Reads, and one order. */
static void echo(void *context, const char *method, const char *target, mr_http_answer *answer)
{
    (void)context;
    const bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (strcmp(target, "/order") == 0 ? strcmp(method, "POST") != 0 : !reads) {
        answer->status = 405;
        answer->allow = "GET, HEAD";
    }
    if (strcmp(target, "/missing") == 0) {
        answer->status = 404;
    }
    answer->content_type = "text/plain";
    mr_buf_append_text(&answer->body, target);
}

static mr_http_server *start(void)
{
    static const mr_log silent;
    mr_http_server *server = NULL;
    mr_error err;
    const mr_http_server_options options = {.host = "127.0.0.1", .handler = echo, .log = &silent};
    assert_int_equal(mr_http_server_new(&options, &server, &err), MR_OK);
    assert_true(mr_http_server_port(server) > 0);
    return server;
}

static void the_target_comes_undecoded(void **state)
{
    (void)state;
    mr_http_server *server = start();
    mr_http_client *client = NULL;
    mr_buf body = MR_BUF_NULL;
    mr_error err;
    char address[40];
    int status = 0;
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", mr_http_server_port(server));
    assert_int_equal(mr_http_client_new(5000, &client, &err), MR_OK);
    assert_int_equal(mr_http_client_get(client, address, "/a%2Fb/c?d=%20e", &status, &body, &err),
                     MR_OK);
    assert_int_equal(status, 200);
    assert_string_equal(mr_buf_text(&body), "/a%2Fb/c?d=%20e");
    assert_int_equal(mr_http_client_get(client, address, "/missing", &status, &body, &err), MR_OK);
    assert_int_equal(status, 404);
    assert_int_equal(mr_http_client_post(client, address, "/order", &status, &body, &err), MR_OK);
    assert_int_equal(status, 200);
    assert_int_equal(mr_http_client_get(client, address, "/order", &status, &body, &err), MR_OK);
    assert_int_equal(status, 405);
    mr_http_server_free(server);
    assert_int_equal(mr_http_client_get(client, address, "/a", &status, &body, &err), MR_TIMED_OUT);
    assert_non_null(strstr(err.message, address));
    mr_http_client_free(client);
    mr_buf_deinit(&body);
}

/* Sends the text and reads until the server closes. */
static void ask(uint16_t port, const char *request, char *answer, size_t size)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(write(fd, request, strlen(request)), strlen(request));
    size_t len = 0;
    for (ssize_t n = 1; n > 0 && len + 1 < size; len += (size_t)(n > 0 ? n : 0)) {
        n = read(fd, answer + len, size - len - 1);
    }
    answer[len] = '\0';
    (void)close(fd);
}

static void methods_are_the_handlers(void **state)
{
    (void)state;
    mr_http_server *server = start();
    const uint16_t port = mr_http_server_port(server);
    char answer[4096];
    ask(port, "HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
    assert_non_null(strstr(answer, "Content-Length: 2\r\n"));
    assert_non_null(strstr(answer, "\r\n\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
    ask(port, "DELETE /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 405"));
    assert_non_null(strstr(answer, "Allow: GET, HEAD"));
    ask(port, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        answer, sizeof(answer));
    assert_non_null(strstr(answer, "HTTP/1.1 405"));
    ask(port, "nonsense\r\n\r\n", answer, sizeof(answer));
    assert_null(strstr(answer, " 200 "));
    mr_http_server_free(server);
}

static void what_cannot_be_served_on_is_said(void **state)
{
    (void)state;
    static const mr_log silent;
    mr_http_server *first = start();
    mr_http_server *server = NULL;
    mr_error err;
    mr_http_server_options options = {
        .host = "127.0.0.1", .port = mr_http_server_port(first), .handler = echo, .log = &silent};
    assert_int_equal(mr_http_server_new(&options, &server, &err), MR_ERR_USAGE);
    assert_non_null(strstr(err.message, "http.host=127.0.0.1"));
    options.host = "no such host";
    assert_int_equal(mr_http_server_new(&options, &server, &err), MR_ERR_USAGE);
    mr_http_server_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_comes_undecoded),
        cmocka_unit_test(methods_are_the_handlers),
        cmocka_unit_test(what_cannot_be_served_on_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
