/* One HTTP request by libcurl, for the CLI: processors answer on loopback or in the cluster's
 * network. */
#pragma once

#include <mr/bytes.h>

/* What a processor answers to a question that was meant for another stage (RFC 9110, 15.5.20). */
enum { MR_HTTP_MISDIRECTED = 421 };

typedef struct mr_http_client mr_http_client;

/* Reuses connections. Thread: one at a time. `connect` is for each address. */
mr_status mr_http_client_new(int timeout_ms, mr_http_client **ret_client,
                             mr_error *err) MR_MUST_USE;
void mr_http_client_free(mr_http_client *client);
MR_DEFINE_CLEANUP(mr_http_client, mr_http_client_free)

/* Replaces `body`. MR_TIMED_OUT: nobody answers there; `err` says why. Bodies are limited. */
mr_status mr_http_client_get(mr_http_client *client, const char *address, const char *target,
                             int *ret_status, mr_buf *body, mr_error *err) MR_MUST_USE;
/* The same with POST and an empty body. */
mr_status mr_http_client_post(mr_http_client *client, const char *address, const char *target,
                              int *ret_status, mr_buf *body, mr_error *err) MR_MUST_USE;
