/* A server on the loopback interface that gives scripted answers, right or hostile. One connection
 * at a time. */
#pragma once

#include <stddef.h>

typedef enum http_manner {
    HTTP_ANSWER,   /* status code and body */
    HTTP_CUT,      /* says that the body is longer than it is, and closes */
    HTTP_ENDLESS,  /* the body, repeated until the client has had enough */
    HTTP_SILENT,   /* never answers; waits until the client gives up */
    HTTP_NOT_HTTP, /* the body only */
    HTTP_HANG_UP,  /* closes without a word */
} http_manner;

typedef struct http_reply {
    const char *path; /* NULL: any */
    int code;
    const char *body;
    http_manner manner;
} http_reply;

typedef struct http_server http_server;

http_server *http_server_start(void);
void http_server_stop(http_server *server);
/* "http://127.0.0.1:PORT" */
const char *http_server_url(const http_server *server);
/* What is answered from now on: the first that has the path, else 404 with a page of HTML.
 * Borrowed. Forgets the requests so far. */
void http_server_script(http_server *server, const http_reply *replies, size_t n_replies);
/* Requests since then; the text of the last one, to be freed. */
size_t http_server_count(http_server *server);
char *http_server_last(http_server *server);
