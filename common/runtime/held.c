#include "runtime/held.h"

#include <stdlib.h>

#include "core/alloc.h"

/* A span of `bytes`: offsets, because the buffer moves while it grows. */
typedef struct held_span {
    size_t at;
    size_t len;
    bool null;
} held_span;

typedef struct held_record {
    const char *topic;
    int32_t partition;
    int64_t timestamp_ms;
    held_span key;
    held_span value;
    size_t first_header; /* name and value of each in `spans` */
    size_t n_headers;
} held_record;

struct mr_held {
    held_record *records;
    size_t n;
    size_t capacity;
    held_span *spans;
    size_t n_spans;
    size_t spans_capacity;
    mr_buf bytes;
    mr_header *headers; /* of the record that is being sent */
    size_t headers_capacity;
};

mr_held *mr_held_new(void)
{
    return mr_alloc_zero(1, sizeof(mr_held));
}

void mr_held_free(mr_held *held)
{
    if (held == NULL) {
        return;
    }
    free(held->records);
    free(held->spans);
    free(held->headers);
    mr_buf_deinit(&held->bytes);
    free(held);
}

static held_span keep(mr_held *held, mr_bytes bytes)
{
    const held_span span = {
        .at = held->bytes.len, .len = bytes.len, .null = mr_bytes_is_null(bytes)};
    mr_buf_append_bytes(&held->bytes, bytes);
    return span;
}

static mr_bytes bytes_of(const mr_held *held, held_span span)
{
    return span.null ? MR_BYTES_NULL : mr_bytes_of(held->bytes.data + span.at, span.len);
}

void mr_held_add(mr_held *held, const mr_record *record)
{
    MR_GROW(held->records, held->capacity, held->n + 1);
    held_record *copy = &held->records[held->n++];
    *copy = (held_record){
        .topic = record->topic,
        .partition = record->partition,
        .timestamp_ms = record->timestamp_ms,
        .key = keep(held, record->key),
        .value = keep(held, record->value),
        .first_header = held->n_spans,
        .n_headers = record->n_headers,
    };
    MR_GROW(held->spans, held->spans_capacity, held->n_spans + 2 * record->n_headers);
    for (size_t i = 0; i < record->n_headers; i++) {
        const mr_header *header = &record->headers[i];
        held->spans[held->n_spans++] =
            keep(held, mr_bytes_of(header->name, strlen(header->name) + 1));
        held->spans[held->n_spans++] = keep(held, header->value);
    }
}

size_t mr_held_bytes(const mr_held *held)
{
    return held->bytes.len + held->n * sizeof(held_record) + held->n_spans * sizeof(held_span);
}

static mr_status send_one(mr_held *held, const held_record *kept, mr_collector *collector,
                          mr_error *err)
{
    MR_GROW(held->headers, held->headers_capacity, kept->n_headers);
    for (size_t i = 0; i < kept->n_headers; i++) {
        const held_span *span = &held->spans[kept->first_header + 2 * i];
        held->headers[i] =
            (mr_header){(const char *)bytes_of(held, span[0]).data, bytes_of(held, span[1])};
    }
    const mr_record record = {
        .topic = kept->topic,
        .partition = kept->partition,
        .timestamp_ms = kept->timestamp_ms,
        .key = bytes_of(held, kept->key),
        .value = bytes_of(held, kept->value),
        .headers = held->headers,
        .n_headers = kept->n_headers,
    };
    return collector->send(collector, &record, err);
}

mr_status mr_held_send(mr_held *held, mr_collector *collector, mr_error *err)
{
    mr_status status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < held->n; i++) {
        status = send_one(held, &held->records[i], collector, err);
    }
    mr_held_clear(held);
    return status;
}

void mr_held_clear(mr_held *held)
{
    held->n = 0;
    held->n_spans = 0;
    mr_buf_clear(&held->bytes);
}
