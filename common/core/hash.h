/*
 * uthash with our allocation (its own answer to a lack of memory is exit) and with a hash function
 * whose code clang compiles without a warning. Include this one, not <uthash.h>.
 */
#pragma once

#include <stdlib.h>

#include "core/alloc.h"

#define uthash_malloc(size) mr_alloc(size)
#define uthash_fatal(message) abort()
/* Jenkins' function, its preset, falls through switch labels; this one is a loop. */
#define HASH_FUNCTION(key, length, hash) HASH_FNV(key, length, hash)

#include <uthash.h>
