#include "core/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void)
{
    static const char message[] =
        "millrace: out of memory; what is committed is safe, restart with "
        "more memory or a smaller memory.budget\n";
    /* Nothing else can be done about a failing write here. */
    const ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
    (void)written;
    abort();
}

void *mr_alloc(size_t size)
{
    void *pointer = malloc(size == 0 ? 1 : size);
    if (pointer == NULL) {
        out_of_memory();
    }
    return pointer;
}

void *mr_alloc_zero(size_t count, size_t size)
{
    void *pointer = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
    if (pointer == NULL) {
        out_of_memory();
    }
    return pointer;
}

void *mr_realloc(void *pointer, size_t size)
{
    void *grown = realloc(pointer, size == 0 ? 1 : size);
    if (grown == NULL) {
        out_of_memory();
    }
    return grown;
}

char *mr_strndup(const char *text, size_t len)
{
    char *copy = mr_alloc(len + 1);
    if (len > 0) {
        memcpy(copy, text, len);
    }
    copy[len] = '\0';
    return copy;
}

char *mr_strdup(const char *text)
{
    return mr_strndup(text, strlen(text));
}

char *mr_asprintf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    const int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len < 0) {
        out_of_memory();
    }
    return text;
}
