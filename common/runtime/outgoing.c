#include "runtime/outgoing.h"

#include <stdlib.h>

#include "core/alloc.h"

enum { LEN_NULL = -1 };

/* Small, as most records are. Its key is at `at`, its value behind that, and then its headers: an
 * outgoing_header, the terminated name, and the value. An offset, because the buffer moves while it
 * grows. */
typedef struct outgoing_record {
    const char *topic;
    int64_t *offset_slot;
    int64_t timestamp_ms;
    size_t at;
    int32_t partition;
    int32_t key_len;
    int32_t value_len;
    uint32_t n_headers;
} outgoing_record;

typedef struct outgoing_header {
    int32_t name_len;
    int32_t value_len;
} outgoing_header;

struct mr_outgoing {
    outgoing_record *records;
    size_t n;
    size_t capacity;
    mr_buf bytes;
    mr_header *headers; /* of the record that was asked for */
    size_t headers_capacity;
};

mr_outgoing *mr_outgoing_new(void)
{
    return mr_alloc_zero(1, sizeof(mr_outgoing));
}

void mr_outgoing_free(mr_outgoing *outgoing)
{
    if (outgoing == NULL) {
        return;
    }
    free(outgoing->records);
    free(outgoing->headers);
    mr_buf_deinit(&outgoing->bytes);
    free(outgoing);
}

/* Kafka counts lengths in 32 bits, too. */
static int32_t len_of(mr_bytes bytes)
{
    assert(bytes.len <= INT32_MAX);
    return mr_bytes_is_null(bytes) ? LEN_NULL : (int32_t)bytes.len;
}

void mr_outgoing_add(mr_outgoing *outgoing, const mr_record *record, int64_t *offset_slot)
{
    mr_buf *bytes = &outgoing->bytes;
    MR_GROW(outgoing->records, outgoing->capacity, outgoing->n + 1);
    outgoing->records[outgoing->n++] = (outgoing_record){
        .topic = record->topic,
        .offset_slot = offset_slot,
        .timestamp_ms = record->timestamp_ms,
        .at = bytes->len,
        .partition = record->partition,
        .key_len = len_of(record->key),
        .value_len = len_of(record->value),
        .n_headers = (uint32_t)record->n_headers,
    };
    mr_buf_append_bytes(bytes, record->key);
    mr_buf_append_bytes(bytes, record->value);
    for (size_t i = 0; i < record->n_headers; i++) {
        const mr_header *header = &record->headers[i];
        const mr_bytes name = mr_bytes_of(header->name, strlen(header->name) + 1);
        const outgoing_header lens = {len_of(name), len_of(header->value)};
        mr_buf_append(bytes, &lens, sizeof(lens));
        mr_buf_append_bytes(bytes, name);
        mr_buf_append_bytes(bytes, header->value);
    }
}

size_t mr_outgoing_count(const mr_outgoing *outgoing)
{
    return outgoing->n;
}

size_t mr_outgoing_bytes(const mr_outgoing *outgoing)
{
    return outgoing->bytes.len + outgoing->n * sizeof(outgoing_record);
}

/* The next `len` bytes. */
static mr_bytes take(const uint8_t **at, int32_t len)
{
    if (len == LEN_NULL) {
        return MR_BYTES_NULL;
    }
    const mr_bytes bytes = mr_bytes_of(*at, (size_t)len);
    *at += len;
    return bytes;
}

int64_t *mr_outgoing_at(mr_outgoing *outgoing, size_t i, mr_record *ret_record)
{
    const outgoing_record *kept = &outgoing->records[i];
    const uint8_t *at = outgoing->bytes.data + kept->at;
    MR_GROW(outgoing->headers, outgoing->headers_capacity, kept->n_headers);
    *ret_record = (mr_record){
        .topic = kept->topic,
        .partition = kept->partition,
        .timestamp_ms = kept->timestamp_ms,
        .headers = outgoing->headers,
        .n_headers = kept->n_headers,
    };
    ret_record->key = take(&at, kept->key_len);
    ret_record->value = take(&at, kept->value_len);
    for (size_t j = 0; j < kept->n_headers; j++) {
        outgoing_header lens;
        memcpy(&lens, at, sizeof(lens));
        at += sizeof(lens);
        outgoing->headers[j].name = (const char *)take(&at, lens.name_len).data;
        outgoing->headers[j].value = take(&at, lens.value_len);
    }
    return kept->offset_slot;
}

void mr_outgoing_clear(mr_outgoing *outgoing, size_t keep_bytes)
{
    outgoing->n = 0;
    mr_buf_clear(&outgoing->bytes);
    if (outgoing->bytes.capacity > keep_bytes) {
        mr_buf_deinit(&outgoing->bytes);
    }
}
