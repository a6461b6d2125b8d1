/*
 * What a processor serves over HTTP: committed rows, status, metrics, health; and one order.
 *
 *   /healthz  /readyz  /metrics  /status
 *   /stores                                     what there is
 *   /stores/STORE/PART/PART...                  one row
 *   /stores/STORE?prefix=&from=&to=&limit=&cursor=
 *   POST /backup?name=NAME                      backs the state up
 *
 * Thread: any; the processor comes and goes while the service is asked.
 */
#pragma once

#include <stdatomic.h>

#include <mr/codec.h>

#include "app/http_server.h"
#include "app/http_target.h"
#include "runtime/processor.h"

typedef struct mr_http_service {
    const mr_stage *stage;
    mr_registry *registry; /* NULL: none */
    mr_framing framing;
    const char *backup_directory;      /* of this instance; made when it is used */
    _Atomic(mr_processor *) processor; /* NULL: starting, or stopping */
} mr_http_service;

/* An mr_http_handler; `context` is an mr_http_service. */
void mr_http_service_answer(void *context, const char *method, const char *target,
                            mr_http_answer *answer);

/* The part under /stores, in http_stores.c. */
void mr_http_stores_answer(mr_http_service *service, const mr_http_target *target,
                           mr_http_answer *answer);

/* POST /backup, in http_backup.c. */
void mr_http_backup_answer(const mr_http_service *service, mr_processor *processor,
                           const mr_http_target *target, mr_http_answer *answer);

/* {"error": "..."} with an HTTP status. */
void mr_http_fail(mr_http_answer *answer, int status, const char *format, ...) MR_PRINTF(3, 4);
