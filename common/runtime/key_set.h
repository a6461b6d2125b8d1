/*
 * Keys in the order of their bytes. Thread: one.
 */
#pragma once

#include <mr/bytes.h>

typedef struct mr_key_set mr_key_set;

mr_key_set *mr_key_set_new(void);
void mr_key_set_free(mr_key_set *set); /* NULL is fine */

/* Copies the key; one that is there already stays. */
void mr_key_set_add(mr_key_set *set, mr_bytes key);

/* The first key at (inclusive) or after `from` and before `to`; null bytes are the ends. MR_END
 * when there is none. Walk with the key that was returned: keys may be added between two calls.
 * The key is valid as long as the set. */
mr_status mr_key_set_next(const mr_key_set *set, mr_bytes from, bool inclusive, mr_bytes to,
                          mr_bytes *ret_key) MR_MUST_USE;
