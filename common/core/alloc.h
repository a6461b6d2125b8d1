/* Allocation that cannot fail: on exhaustion one line to stderr and abort(). See mr/error.h. */
#pragma once

#include <stddef.h>

void *mr_alloc(size_t size) __attribute__((malloc, returns_nonnull));
void *mr_alloc_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mr_realloc(void *pointer, size_t size) __attribute__((returns_nonnull));
char *mr_strdup(const char *text) __attribute__((malloc, returns_nonnull));
char *mr_strndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));
char *mr_asprintf(const char *format, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

/* Grows an array so that it holds at least `count` items, doubling: for lists that the caller
 * bounds. */
#define MR_GROW(array, capacity, count)                                                            \
    do {                                                                                           \
        if ((count) > (capacity)) {                                                                \
            (capacity) = (count) > 2 * (capacity) ? (count) : 2 * (capacity);                      \
            (array) = mr_realloc((array), (size_t)(capacity) * sizeof(*(array)));                  \
        }                                                                                          \
    } while (0)
