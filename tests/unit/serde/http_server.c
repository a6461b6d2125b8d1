#include "http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mr/bytes.h>

struct http_server {
    int listener;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    const http_reply *replies;
    size_t n_replies;
    size_t n_requests;
    mr_buf last;
};

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void wait_for_close(int fd)
{
    char ignored[4096];
    while (recv(fd, ignored, sizeof(ignored), 0) > 0) {
    }
}

/* The head up to the empty line, and as much body as it says. */
static bool receive_request(int fd, mr_buf *request)
{
    for (;;) {
        const char *end = strstr(mr_buf_text(request), "\r\n\r\n");
        if (end != NULL) {
            const char *length = strcasestr(mr_buf_text(request), "\r\ncontent-length:");
            const size_t body = length == NULL ? 0 : strtoul(length + 17, NULL, 10);
            if (request->len >= (size_t)(end + 4 - mr_buf_text(request)) + body) {
                return true;
            }
        }
        char chunk[4096];
        const ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        if (n <= 0) {
            return false;
        }
        mr_buf_append(request, chunk, (size_t)n);
    }
}

static http_reply choose(http_server *server, const mr_buf *request)
{
    static const http_reply none = {NULL, 404, "<html>no such page</html>", HTTP_ANSWER};
    http_reply chosen = none;
    (void)pthread_mutex_lock(&server->lock);
    const char *path = strchr(mr_buf_text(request), ' ');
    assert(path != NULL);
    path++;
    const size_t len = strcspn(path, " ");
    for (size_t i = 0; i < server->n_replies; i++) {
        const http_reply *reply = &server->replies[i];
        if (reply->path == NULL ||
            (strlen(reply->path) == len && strncmp(path, reply->path, len) == 0)) {
            chosen = *reply;
            break;
        }
    }
    server->n_requests++;
    mr_buf_clear(&server->last);
    mr_buf_append_bytes(&server->last, mr_buf_bytes(request));
    (void)pthread_mutex_unlock(&server->lock);
    return chosen;
}

static void answer(int fd, const http_reply *reply)
{
    mr_buf text = MR_BUF_NULL;
    const size_t len = strlen(reply->body) + (reply->manner == HTTP_CUT ? 10 : 0);
    switch (reply->manner) {
    case HTTP_ANSWER:
    case HTTP_CUT:
        mr_buf_printf(&text, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                      reply->code, len, reply->body);
        (void)send_all(fd, mr_buf_text(&text), text.len);
        break;
    case HTTP_ENDLESS:
        mr_buf_printf(&text, "HTTP/1.1 %d X\r\nConnection: close\r\n\r\n", reply->code);
        (void)send_all(fd, mr_buf_text(&text), text.len);
        while (send_all(fd, reply->body, strlen(reply->body))) {
        }
        break;
    case HTTP_SILENT:
        wait_for_close(fd);
        break;
    case HTTP_NOT_HTTP:
        (void)send_all(fd, reply->body, strlen(reply->body));
        break;
    case HTTP_HANG_UP:
        break;
    }
    mr_buf_deinit(&text);
}

static void *serve(void *context)
{
    http_server *server = context;
    for (;;) {
        const int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            return NULL;
        }
        mr_buf request = MR_BUF_NULL;
        if (receive_request(fd, &request)) {
            const http_reply reply = choose(server, &request);
            answer(fd, &reply);
        }
        mr_buf_deinit(&request);
        (void)shutdown(fd, SHUT_WR);
        (void)close(fd);
    }
}

http_server *http_server_start(void)
{
    http_server *server = calloc(1, sizeof(*server));
    assert(server != NULL);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int failed = bind(server->listener, (struct sockaddr *)&address, len);
    failed |= listen(server->listener, 16);
    failed |= getsockname(server->listener, (struct sockaddr *)&address, &len);
    assert(failed == 0);
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d",
                   ntohs(address.sin_port));
    (void)pthread_mutex_init(&server->lock, NULL);
    failed |= pthread_create(&server->thread, NULL, serve, server);
    assert(failed == 0);
    (void)failed;
    return server;
}

void http_server_stop(http_server *server)
{
    (void)shutdown(server->listener, SHUT_RDWR);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->listener);
    (void)pthread_mutex_destroy(&server->lock);
    mr_buf_deinit(&server->last);
    free(server);
}

const char *http_server_url(const http_server *server)
{
    return server->url;
}

void http_server_script(http_server *server, const http_reply *replies, size_t n_replies)
{
    (void)pthread_mutex_lock(&server->lock);
    server->replies = replies;
    server->n_replies = n_replies;
    server->n_requests = 0;
    mr_buf_clear(&server->last);
    (void)pthread_mutex_unlock(&server->lock);
}

size_t http_server_count(http_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    const size_t n = server->n_requests;
    (void)pthread_mutex_unlock(&server->lock);
    return n;
}

char *http_server_last(http_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    char *text = strdup(mr_buf_text(&server->last));
    (void)pthread_mutex_unlock(&server->lock);
    return text;
}
