#include "runtime/dead_letter.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"

#define PREFIX "__millrace.errors."

enum { OWN_HEADERS_MAX = 8, OVERHEAD_BYTES = 2048 };

typedef struct mr_numbers {
    char partition[16];
    char offset[24];
} mr_numbers;

static size_t describe(const mr_stage *stage, const mr_record *record, const mr_error *cause,
                       mr_numbers *numbers, mr_header *headers)
{
    (void)snprintf(numbers->partition, sizeof(numbers->partition), "%" PRId32, record->partition);
    (void)snprintf(numbers->offset, sizeof(numbers->offset), "%" PRId64, record->offset);
    const char *error_class = cause->error_class == NULL ? "handler" : cause->error_class;
    const mr_header own[] = {
        {PREFIX "class", mr_bytes_text(error_class)},
        {PREFIX "message", mr_bytes_text(cause->message)},
        {PREFIX "topic", mr_bytes_text(record->topic)},
        {PREFIX "partition", mr_bytes_text(numbers->partition)},
        {PREFIX "offset", mr_bytes_text(numbers->offset)},
        {PREFIX "stage", mr_bytes_text(stage->name)},
        {PREFIX "attempts", mr_bytes_text("1")},
    };
    memcpy(headers, own, sizeof(own));
    return sizeof(own) / sizeof(own[0]);
}

mr_status mr_dead_letter_send(const mr_stage *stage, const mr_record *record, const mr_error *cause,
                              size_t record_bytes_max, mr_collector *collector, mr_error *err)
{
    mr_header *headers = mr_alloc_zero(record->n_headers + OWN_HEADERS_MAX, sizeof(*headers));
    size_t bytes = OVERHEAD_BYTES + record->key.len + record->value.len;
    for (size_t i = 0; i < record->n_headers; i++) {
        headers[i] = record->headers[i];
        bytes += strlen(headers[i].name) + headers[i].value.len;
    }
    mr_numbers numbers;
    mr_record letter = {
        .topic = stage->dead_letters,
        .partition = -1,
        .timestamp_ms = record->timestamp_ms,
        .key = record->key,
        .value = record->value,
        .headers = headers,
        .n_headers = record->n_headers,
    };
    if (bytes > record_bytes_max) {
        letter.value = MR_BYTES_NULL;
        bytes -= record->value.len;
        if (bytes > record_bytes_max) {
            letter.n_headers = 0;
        }
    }
    const bool truncated = letter.value.data != record->value.data;
    letter.n_headers += describe(stage, record, cause, &numbers, headers + letter.n_headers);
    if (truncated) {
        headers[letter.n_headers++] = (mr_header){PREFIX "truncated", mr_bytes_text("value")};
    }
    const mr_status status = collector->send(collector, &letter, err);
    free(headers);
    return status;
}
