#include "app/http_get.h"

#include <stdlib.h>

#include <curl/curl.h>

#include "core/alloc.h"

enum { BODY_BYTES_MAX = 256 << 20, CONNECT_TIMEOUT_MS = 2000 };

struct mr_http_client {
    CURL *curl;
    mr_buf *body; /* of the running request */
    char reason[CURL_ERROR_SIZE];
};

MR_DEFINE_CLEANUP(char, free)

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
    mr_http_client *client = context;
    if (client->body->len + size * n > BODY_BYTES_MAX) {
        return 0; /* libcurl ends the request with an error */
    }
    mr_buf_append(client->body, data, size * n);
    return size * n;
}

mr_status mr_http_client_new(int timeout_ms, mr_http_client **ret_client, mr_error *err)
{
    CURL *curl = curl_easy_init();
    if (curl == NULL) {
        return mr_error_set(err, MR_ERR_SYSTEM, "libcurl cannot start");
    }
    mr_http_client *client = mr_alloc_zero(1, sizeof(*client));
    client->curl = curl;
    /* Each of these is known to the version that is built against: they cannot fail. */
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, client);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    (void)curl_easy_setopt(
        curl, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS));
    *ret_client = client;
    return MR_OK;
}

void mr_http_client_free(mr_http_client *client)
{
    if (client != NULL) {
        curl_easy_cleanup(client->curl);
        free(client);
    }
}

static mr_status request(mr_http_client *client, const char *address, const char *target,
                         int *ret_status, mr_buf *body, mr_error *err)
{
    MR_CLEANUP(freep) char *url = mr_asprintf("http://%s%s", address, target);
    mr_buf_clear(body);
    client->body = body;
    client->reason[0] = '\0';
    (void)curl_easy_setopt(client->curl, CURLOPT_URL, url);
    const CURLcode code = curl_easy_perform(client->curl);
    client->body = NULL;
    if (code != CURLE_OK) {
        (void)mr_error_set(err, MR_ERR_SYSTEM, "http://%s: %s", address,
                           client->reason[0] != '\0' ? client->reason : curl_easy_strerror(code));
        return MR_TIMED_OUT;
    }
    long status = 0;
    (void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    *ret_status = (int)status;
    return MR_OK;
}

mr_status mr_http_client_get(mr_http_client *client, const char *address, const char *target,
                             int *ret_status, mr_buf *body, mr_error *err)
{
    (void)curl_easy_setopt(client->curl, CURLOPT_HTTPGET, 1L);
    return request(client, address, target, ret_status, body, err);
}

mr_status mr_http_client_post(mr_http_client *client, const char *address, const char *target,
                              int *ret_status, mr_buf *body, mr_error *err)
{
    (void)curl_easy_setopt(client->curl, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, 0L);
    (void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, "");
    return request(client, address, target, ret_status, body, err);
}
