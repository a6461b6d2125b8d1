#include <mr/bytes.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

enum { CAPACITY_MIN = 64 };

bool mr_bytes_equal(mr_bytes a, mr_bytes b)
{
    if (a.data == NULL || b.data == NULL) {
        return a.data == b.data;
    }
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

int mr_bytes_compare(mr_bytes a, mr_bytes b)
{
    const size_t common = a.len < b.len ? a.len : b.len;
    const int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool mr_bytes_equal_text(mr_bytes bytes, const char *text)
{
    return mr_bytes_equal(bytes, mr_bytes_text(text));
}

bool mr_bytes_starts_with(mr_bytes bytes, mr_bytes prefix)
{
    return bytes.len >= prefix.len &&
           (prefix.len == 0 || memcmp(bytes.data, prefix.data, prefix.len) == 0);
}

void mr_buf_reserve(mr_buf *buf, size_t extra)
{
    const size_t wanted = buf->len + extra + 1;
    assert(wanted > extra && wanted <= PTRDIFF_MAX);
    if (wanted <= buf->capacity) {
        return;
    }
    size_t capacity = buf->capacity < CAPACITY_MIN ? CAPACITY_MIN : buf->capacity;
    while (capacity < wanted) {
        capacity *= 2;
    }
    buf->data = mr_realloc(buf->data, capacity);
    buf->capacity = capacity;
}

void mr_buf_append(mr_buf *buf, const void *data, size_t len)
{
    mr_buf_reserve(buf, len);
    if (len > 0) {
        memcpy(buf->data + buf->len, data, len);
    }
    buf->len += len;
    buf->data[buf->len] = 0;
}

void mr_buf_append_bytes(mr_buf *buf, mr_bytes bytes)
{
    mr_buf_append(buf, bytes.data, bytes.len);
}

void mr_buf_append_text(mr_buf *buf, const char *text)
{
    mr_buf_append(buf, text, strlen(text));
}

void mr_buf_append_byte(mr_buf *buf, uint8_t byte)
{
    mr_buf_append(buf, &byte, 1);
}

void mr_buf_append_integer(mr_buf *buf, int64_t number)
{
    char text[MR_INTEGER_TEXT_SIZE];
    mr_buf_append(buf, text, mr_integer_format(number, text));
}

void mr_buf_printf(mr_buf *buf, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    const int len = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(len >= 0);
    mr_buf_reserve(buf, (size_t)len);
    (void)vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
    va_end(again);
    buf->len += (size_t)len;
}

void mr_buf_clear(mr_buf *buf)
{
    buf->len = 0;
    if (buf->data != NULL) {
        buf->data[0] = 0;
    }
}

void mr_buf_deinit(mr_buf *buf)
{
    free(buf->data);
    *buf = MR_BUF_NULL;
}

const char *mr_buf_text(const mr_buf *buf)
{
    return buf->data == NULL ? "" : (const char *)buf->data;
}
