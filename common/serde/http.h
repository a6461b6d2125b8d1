/* HTTP requests by libcurl, one at a time. Thread: the caller serialises. */
#pragma once

#include <mr/bytes.h>

typedef struct mr_http_options {
    const char *user_info;    /* "user:password" of basic authentication, NULL: none */
    const char *ca_file;      /* NULL: the system's */
    const char *content_type; /* of bodies, and accepted first in answers */
    int timeout_ms;           /* of one request, connecting included */
    size_t answer_bytes_max;
} mr_http_options;

typedef struct mr_http mr_http;

mr_http *mr_http_new(const mr_http_options *options);
void mr_http_free(mr_http *http);

/*
 * GET, or POST when `body` is not null; redirects are not followed. Any answer is success:
 * *ret_code is its status code and `answer`, cleared first, its body. No answer is MR_ERR_SYSTEM,
 * action RETRY; one that is too large or is not HTTP, MR_ERR_SYSTEM; a certificate that is not
 * trusted, or an address that curl does not take, MR_ERR_USAGE. `native` is curl's code.
 */
mr_status mr_http_request(mr_http *http, const char *url, mr_bytes body, mr_buf *answer,
                          int *ret_code, mr_error *err) MR_MUST_USE;

/* Appends text as one segment of a URL's path. */
void mr_http_append_segment(mr_buf *url, const char *text);
