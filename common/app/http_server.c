#include "app/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <microhttpd.h>

#include "core/alloc.h"

enum {
    THREADS = 2,
    CONNECTIONS_MAX = 64,
    CONNECTION_BYTES = 32768, /* a request line and headers */
    IDLE_SECONDS = 15,
};

struct mr_http_server {
    struct MHD_Daemon *daemon;
    mr_http_handler handler;
    void *context;
    mr_log log;
    uint16_t port;
};

/* ---- One request. libmicrohttpd decodes the path, so the target is taken before it does. ---- */

static void *take_target(void *context, const char *target, struct MHD_Connection *connection)
{
    (void)context;
    (void)connection;
    return mr_strdup(target);
}

static void drop_target(void *context, struct MHD_Connection *connection, void **target,
                        enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    free(*target);
    *target = NULL;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, mr_http_answer *answer)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(answer->body.len, answer->body.data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        mr_buf_deinit(&answer->body);
        return MHD_NO;
    }
    answer->body = MR_BUF_NULL; /* the response frees it */
    (void)MHD_add_response_header(response, "Content-Type", answer->content_type);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (answer->allow != NULL) {
        (void)MHD_add_response_header(response, "Allow", answer->allow);
    }
    const enum MHD_Result result =
        MHD_queue_response(connection, (unsigned)answer->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_request(void *context, struct MHD_Connection *connection,
                                      const char *path, const char *method, const char *version,
                                      const char *upload, size_t *upload_len, void **target)
{
    (void)path;
    (void)version;
    (void)upload;
    mr_http_server *server = context;
    mr_http_answer answer = {.status = MHD_HTTP_OK, .content_type = "application/json"};
    if (*upload_len != 0) {
        *upload_len = 0; /* a body that nobody asked for is read over */
        return MHD_YES;
    }
    server->handler(server->context, method, *target, &answer);
    return send_answer(connection, &answer);
}

static void log_line(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

static void log_line(void *context, const char *format, va_list arguments)
{
    const mr_http_server *server = context;
    char text[256];
    (void)vsnprintf(text, sizeof(text), format, arguments);
    mr_log_debug(&server->log, "libmicrohttpd: %s", text);
}

/* ---- The server ---- */

static mr_status start(mr_http_server *server, const struct sockaddr *address, const char *host,
                       mr_error *err)
{
    const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG |
                           (address->sa_family == AF_INET6 ? MHD_USE_IPv6 : 0U);
    /* The log comes first: it is used for what the other options report. */
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, answer_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_line, server,
        MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_URI_LOG_CALLBACK, take_target, NULL, MHD_OPTION_NOTIFY_COMPLETED, drop_target,
        NULL, MHD_OPTION_END);
    if (server->daemon == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "http.host=%s: cannot serve there: %s", host,
                            strerror(errno));
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (info == NULL || info->port == 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "HTTP server: which port it has is not known");
    }
    server->port = info->port;
    return MR_OK;
}

mr_status mr_http_server_new(const mr_http_server_options *options, mr_http_server **ret_server,
                             mr_error *err)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)options->port);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const int failure = getaddrinfo(options->host, port, &hints, &found);
    if (failure != 0) {
        return mr_error_set(err, MR_ERR_USAGE, "http.host=%s: %s", options->host,
                            gai_strerror(failure));
    }
    mr_http_server *server = mr_alloc_zero(1, sizeof(*server));
    server->handler = options->handler;
    server->context = options->context;
    server->log = *options->log;
    const mr_status status = start(server, found->ai_addr, options->host, err);
    freeaddrinfo(found);
    if (status != MR_OK) {
        mr_http_server_free(server);
        return status;
    }
    *ret_server = server;
    return MR_OK;
}

uint16_t mr_http_server_port(const mr_http_server *server)
{
    return server->port;
}

void mr_http_server_free(mr_http_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
    }
    free(server);
}
