/*
 * A small HTTP server (libmicrohttpd): requests without a body, bounded in threads, connections,
 * time and request size. It knows nothing of what is served.
 */
#pragma once

#include <mr/bytes.h>
#include <mr/log.h>

typedef struct mr_http_server mr_http_server;

typedef struct mr_http_answer {
    int status;               /* 200 when the handler does not touch it */
    const char *content_type; /* static; JSON when the handler does not touch it */
    const char *allow;        /* with 405: the methods there are; static */
    mr_buf body;
} mr_http_answer;

/* `target` is as it came over the wire. To HEAD the same is answered as to GET, the server sends no
 * body. Called by several threads. */
typedef void (*mr_http_handler)(void *context, const char *method, const char *target,
                                mr_http_answer *answer);

typedef struct mr_http_server_options {
    const char *host;
    uint16_t port; /* 0: a free one */
    mr_http_handler handler;
    void *context;
    const mr_log *log; /* borrowed */
} mr_http_server_options;

/* MR_ERR_USAGE when the address cannot be served on. */
mr_status mr_http_server_new(const mr_http_server_options *options, mr_http_server **ret_server,
                             mr_error *err) MR_MUST_USE;
uint16_t mr_http_server_port(const mr_http_server *server);
/* Waits until no handler runs. */
void mr_http_server_free(mr_http_server *server);
MR_DEFINE_CLEANUP(mr_http_server, mr_http_server_free)
