#include "serde/http.h"

#include <stdlib.h>

#include <curl/curl.h>

#include "core/alloc.h"

struct mr_http {
    CURL *curl;
    struct curl_slist *headers;
    size_t answer_bytes_max;
    mr_buf *answer; /* of the request under way */
    bool too_large;
    char reason[CURL_ERROR_SIZE];
};

static size_t on_answer(char *data, size_t size, size_t n, void *context)
{
    mr_http *http = context;
    const size_t bytes = size * n;
    if (bytes > http->answer_bytes_max - http->answer->len) {
        http->too_large = true;
        return 0;
    }
    mr_buf_append(http->answer, data, bytes);
    return bytes;
}

/* These options hold for all requests. None of them fails but for a lack of memory or of TLS. */
static void set_up(mr_http *http, const mr_http_options *options)
{
    CURL *curl = http->curl;
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->reason);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->headers);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "millrace/" MR_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)options->timeout_ms);
    /* Timeouts without SIGALRM, which belongs to the process. */
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (options->user_info != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        (void)curl_easy_setopt(curl, CURLOPT_USERPWD, options->user_info);
    }
    if (options->ca_file != NULL) {
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
    }
}

static void add_header(mr_http *http, const char *name, const char *value)
{
    char *text = mr_asprintf("%s:%s%s", name, *value == '\0' ? "" : " ", value);
    struct curl_slist *headers = curl_slist_append(http->headers, text);
    assert(headers != NULL);
    http->headers = headers;
    free(text);
}

mr_http *mr_http_new(const mr_http_options *options)
{
    mr_http *http = mr_alloc_zero(1, sizeof(*http));
    http->answer_bytes_max = options->answer_bytes_max;
    http->curl = curl_easy_init();
    assert(http->curl != NULL);
    char *accept = mr_asprintf("%s, application/json", options->content_type);
    add_header(http, "Accept", accept);
    free(accept);
    add_header(http, "Content-Type", options->content_type);
    /* No waiting for "100 Continue" before a large body. */
    add_header(http, "Expect", "");
    set_up(http, options);
    return http;
}

void mr_http_free(mr_http *http)
{
    if (http == NULL) {
        return;
    }
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    free(http);
}

static mr_status request_error(mr_http *http, CURLcode code, mr_error *err)
{
    const char *reason = http->reason[0] == '\0' ? curl_easy_strerror(code) : http->reason;
    mr_action action = MR_ACT_RETRY;
    mr_status status = MR_ERR_SYSTEM;
    switch (code) {
    case CURLE_WRITE_ERROR:
        action = MR_ACT_STOP;
        reason = http->too_large ? "the answer is too large" : reason;
        break;
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, which is what other protocols look like */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        action = MR_ACT_STOP;
        break;
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
        action = MR_ACT_STOP;
        status = MR_ERR_USAGE;
        break;
    default:
        break;
    }
    (void)mr_error_set(err, status, "%s", reason);
    err->action = action;
    err->native = (int)code;
    return status;
}

mr_status mr_http_request(mr_http *http, const char *url, mr_bytes body, mr_buf *answer,
                          int *ret_code, mr_error *err)
{
    mr_buf_clear(answer);
    http->answer = answer;
    http->too_large = false;
    http->reason[0] = '\0';
    (void)curl_easy_setopt(http->curl, CURLOPT_URL, url);
    if (mr_bytes_is_null(body)) {
        (void)curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    } else {
        (void)curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        (void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, (const char *)body.data);
    }
    const CURLcode code = curl_easy_perform(http->curl);
    http->answer = NULL;
    if (code != CURLE_OK) {
        return request_error(http, code, err);
    }
    long status_code = 0;
    (void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status_code);
    *ret_code = (int)status_code;
    return MR_OK;
}

void mr_http_append_segment(mr_buf *url, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                           (*c >= '0' && *c <= '9') || strchr("-._~", *c) != NULL;
        if (plain) {
            mr_buf_append_byte(url, (uint8_t)*c);
        } else {
            mr_buf_printf(url, "%%%02X", (uint8_t)*c);
        }
    }
}
