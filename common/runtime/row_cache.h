/*
 * Decoded rows of one store by their keys, and which of them have not been asked for of late.
 *
 * A row, its key and its value's fixed part are one allocation, found through an open-addressing
 * hash table: a lookup touches two places in memory, whatever the number of rows. Eviction is the
 * clock's (second chance): a use sets a bit and moves nothing. Thread: the worker's.
 */
#pragma once

#include <mr/value.h>

typedef struct mr_row_cache mr_row_cache;

/* A row that is there, or is known not to be there. Stays where it is until it is dropped. */
typedef struct mr_entry {
    uint32_t key_len;
    uint32_t bytes_below; /* of the value, as counted last */
    uint32_t changed_at;  /* its place among the table's changed rows, when it is one */
    bool exists : 1;      /* there is such a row; otherwise the value is the initial one */
    bool changed : 1;     /* since the last commit: is not evicted */
    bool behind : 1;      /* committed, but not in RocksDB: is not evicted */
    bool write_only : 1;  /* nobody has asked for it: goes once it is in RocksDB */
    bool used : 1;        /* since the clock's hand passed */
    uint64_t memory[];    /* the value, then the key */
} mr_entry;

mr_row_cache *mr_row_cache_new(const mr_type *type);
void mr_row_cache_free(mr_row_cache *cache); /* NULL is fine */

/* NULL: not here. What is, counts as used. */
mr_entry *mr_row_cache_find(mr_row_cache *cache, mr_bytes key);
/* A new entry, of no row, for a key that is not here. */
mr_entry *mr_row_cache_add(mr_row_cache *cache, mr_bytes key);
void mr_row_cache_drop(mr_row_cache *cache, mr_entry *entry);
/* To be called when the value's size may have changed. */
void mr_row_cache_account(mr_row_cache *cache, mr_entry *entry);

static inline void *mr_entry_memory(mr_entry *entry)
{
    return entry->memory;
}
mr_bytes mr_row_cache_key(const mr_row_cache *cache, const mr_entry *entry);
/*
 * What will be looked at soon, the processor may fetch from memory meanwhile: an entry; or, in two
 * steps with others between them, the entry of a key, if there is one.
 */
void mr_row_cache_expect(const mr_row_cache *cache, const mr_entry *entry);
uint64_t mr_row_cache_expect_key(const mr_row_cache *cache, mr_bytes key); /* for the next step */
void mr_row_cache_expect_hash(const mr_row_cache *cache, uint64_t hash);

/* What is held for one row, the hash table's share included. */
size_t mr_row_cache_entry_bytes(const mr_row_cache *cache, const mr_entry *entry);
/* The same for all. */
size_t mr_row_cache_bytes(const mr_row_cache *cache);
/* Drops entries that are neither changed nor behind, those not used of late first, until at most
 * `bytes_max` are held. Whether a row that exists was dropped. */
bool mr_row_cache_evict(mr_row_cache *cache, size_t bytes_max);
