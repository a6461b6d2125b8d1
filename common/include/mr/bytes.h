/*
 * mr_bytes borrows: valid as long as the thing it was taken from, unless a function says otherwise.
 * mr_buf owns: a growing byte buffer. A null Kafka key or value is mr_bytes with data == NULL; an
 * empty one has data != NULL and len == 0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <mr/error.h>

typedef struct mr_bytes {
    const uint8_t *data;
    size_t len;
} mr_bytes;

typedef struct mr_buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
} mr_buf;

#define MR_BYTES_NULL ((mr_bytes){NULL, 0})
#define MR_BUF_NULL ((mr_buf){NULL, 0, 0})

static inline mr_bytes mr_bytes_of(const void *data, size_t len)
{
    return (mr_bytes){(const uint8_t *)data, len};
}

/* The characters of a C string without its end mark; NULL gives null bytes. */
static inline mr_bytes mr_bytes_text(const char *text)
{
    return text == NULL ? MR_BYTES_NULL : mr_bytes_of(text, strlen(text));
}

static inline bool mr_bytes_is_null(mr_bytes bytes)
{
    return bytes.data == NULL;
}

/* Two nulls are equal; null and empty are not. */
bool mr_bytes_equal(mr_bytes a, mr_bytes b);
/* Unsigned bytewise order, shorter first, as RocksDB's default comparator. */
int mr_bytes_compare(mr_bytes a, mr_bytes b);
bool mr_bytes_equal_text(mr_bytes bytes, const char *text);
bool mr_bytes_starts_with(mr_bytes bytes, mr_bytes prefix);

/* Appending never fails (see error.h on memory) and keeps one zero byte behind the content, not
 * counted in len, so that `(char *)buf.data` of a text is a C string once anything was appended. */
void mr_buf_reserve(mr_buf *buf, size_t extra);
void mr_buf_append(mr_buf *buf, const void *data, size_t len);
void mr_buf_append_bytes(mr_buf *buf, mr_bytes bytes);
void mr_buf_append_text(mr_buf *buf, const char *text);
void mr_buf_append_byte(mr_buf *buf, uint8_t byte);
/* Decimal; on the record path, where printf's cost shows. */
void mr_buf_append_integer(mr_buf *buf, int64_t number);
void mr_buf_printf(mr_buf *buf, const char *format, ...) MR_PRINTF(2, 3);
/* Forgets the content, keeps the memory. */
void mr_buf_clear(mr_buf *buf);
void mr_buf_deinit(mr_buf *buf);
/* "" for a buffer that nothing was appended to. */
const char *mr_buf_text(const mr_buf *buf);

static inline mr_bytes mr_buf_bytes(const mr_buf *buf)
{
    static const uint8_t empty[1] = {0};
    return mr_bytes_of(buf->data == NULL ? empty : buf->data, buf->len);
}
