#include "runtime/outbox.h"

#include <stdlib.h>

#include "core/alloc.h"

/* Header names and values, and the key, lie in `meta` one after the other; spans are offsets
 * because the buffer moves while it grows. */
typedef struct mr_span {
    size_t at;
    size_t len;
    bool null;
} mr_span;

typedef struct mr_letter {
    const char *topic;
    int64_t timestamp_ms;
    bool tombstone;
    bool is_silent;
    mr_span key;
    mr_span *headers; /* name, value, name, value */
    size_t n_headers;
    size_t headers_capacity;
    mr_buf meta;
    mr_buf value;
} mr_letter;

struct mr_outbox {
    mr_letter **letters; /* pointers, because value buffers are handed out */
    size_t n;
    size_t n_made;
    size_t capacity;
    mr_header *headers;
    size_t headers_capacity;
};

mr_outbox *mr_outbox_new(void)
{
    return mr_alloc_zero(1, sizeof(mr_outbox));
}

void mr_outbox_free(mr_outbox *outbox)
{
    if (outbox == NULL) {
        return;
    }
    for (size_t i = 0; i < outbox->n_made; i++) {
        mr_buf_deinit(&outbox->letters[i]->meta);
        mr_buf_deinit(&outbox->letters[i]->value);
        free(outbox->letters[i]->headers);
        free(outbox->letters[i]);
    }
    free(outbox->letters);
    free(outbox->headers);
    free(outbox);
}

static mr_span keep(mr_buf *meta, mr_bytes bytes)
{
    const mr_span span = {.at = meta->len, .len = bytes.len, .null = mr_bytes_is_null(bytes)};
    mr_buf_append_bytes(meta, bytes);
    return span;
}

static mr_bytes span_bytes(const mr_letter *letter, mr_span span)
{
    return span.null ? MR_BYTES_NULL : mr_bytes_of(letter->meta.data + span.at, span.len);
}

static mr_letter *next_letter(mr_outbox *outbox)
{
    if (outbox->n == outbox->n_made) {
        MR_GROW(outbox->letters, outbox->capacity, outbox->n + 1);
        outbox->letters[outbox->n_made++] = mr_alloc_zero(1, sizeof(mr_letter));
    }
    mr_letter *letter = outbox->letters[outbox->n++];
    mr_buf_clear(&letter->meta);
    mr_buf_clear(&letter->value);
    letter->tombstone = false;
    letter->is_silent = false;
    return letter;
}

mr_buf *mr_outbox_add(mr_outbox *outbox, const char *topic, mr_bytes key, int64_t timestamp_ms,
                      const mr_header *headers, size_t n_headers)
{
    mr_letter *letter = next_letter(outbox);
    letter->topic = topic;
    letter->timestamp_ms = timestamp_ms;
    letter->key = keep(&letter->meta, key);
    MR_GROW(letter->headers, letter->headers_capacity, 2 * n_headers);
    letter->n_headers = n_headers;
    for (size_t i = 0; i < n_headers; i++) {
        const mr_bytes name = mr_bytes_of(headers[i].name, strlen(headers[i].name) + 1);
        letter->headers[2 * i] = keep(&letter->meta, name);
        letter->headers[2 * i + 1] = keep(&letter->meta, headers[i].value);
    }
    return &letter->value;
}

void mr_outbox_set_tombstone(mr_outbox *outbox)
{
    assert(outbox->n > 0);
    outbox->letters[outbox->n - 1]->tombstone = true;
}

void mr_outbox_silence(mr_outbox *outbox)
{
    assert(outbox->n > 0);
    outbox->letters[outbox->n - 1]->is_silent = true;
}

void mr_outbox_undo(mr_outbox *outbox)
{
    assert(outbox->n > 0);
    outbox->n--;
}

size_t mr_outbox_count(const mr_outbox *outbox)
{
    return outbox->n;
}

mr_status mr_outbox_send(mr_outbox *outbox, mr_collector *collector, mr_error *err)
{
    for (size_t i = 0; i < outbox->n; i++) {
        const mr_letter *letter = outbox->letters[i];
        if (letter->is_silent) {
            continue;
        }
        MR_GROW(outbox->headers, outbox->headers_capacity, letter->n_headers);
        for (size_t h = 0; h < letter->n_headers; h++) {
            outbox->headers[h].name = (const char *)span_bytes(letter, letter->headers[2 * h]).data;
            outbox->headers[h].value = span_bytes(letter, letter->headers[2 * h + 1]);
        }
        const mr_record record = {
            .topic = letter->topic,
            .partition = -1,
            .timestamp_ms = letter->timestamp_ms,
            .key = span_bytes(letter, letter->key),
            .value = letter->tombstone ? MR_BYTES_NULL : mr_buf_bytes(&letter->value),
            .headers = outbox->headers,
            .n_headers = letter->n_headers,
        };
        MR_TRY(collector->send(collector, &record, err));
    }
    outbox->n = 0;
    return MR_OK;
}

void mr_outbox_clear(mr_outbox *outbox)
{
    outbox->n = 0;
}
