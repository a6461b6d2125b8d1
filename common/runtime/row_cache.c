#include "runtime/row_cache.h"

#include <stdlib.h>

#include <xxhash.h>

#include "core/alloc.h"

/*
 * A place holds an entry's address, which has 48 bits on the machines that we run on, and above it
 * 16 bits of the key's hash: most places that a lookup passes by are told apart without a look at
 * their entries, for 8 bytes a place.
 */
typedef uint64_t mr_place; /* 0: free */
enum { TAG_SHIFT = 48 };
static const uint64_t tag_mask = UINT64_C(0xffff) << TAG_SHIFT;

struct mr_row_cache {
    const mr_type *type;
    mr_place *places; /* open addressing, linear probing; a power of two */
    size_t n_places;
    size_t n_entries;
    size_t hand; /* where the clock looks next */
    size_t bytes_below;
    size_t key_bytes;
};

enum { PLACES_MIN = 16 };

mr_row_cache *mr_row_cache_new(const mr_type *type)
{
    mr_row_cache *cache = mr_alloc_zero(1, sizeof(*cache));
    cache->type = type;
    cache->n_places = PLACES_MIN;
    cache->places = mr_alloc_zero(cache->n_places, sizeof(mr_place));
    return cache;
}

static mr_entry *entry_at(const mr_row_cache *cache, size_t at)
{
    return (mr_entry *)(uintptr_t)(cache->places[at] & ~tag_mask);
}

static mr_place make_place(mr_entry *entry, uint64_t hash)
{
    assert(((uint64_t)(uintptr_t)entry & tag_mask) == 0);
    return (uint64_t)(uintptr_t)entry | (hash & tag_mask);
}

static void free_entry(mr_row_cache *cache, mr_entry *entry)
{
    cache->bytes_below -= entry->bytes_below;
    cache->key_bytes -= entry->key_len;
    mr_value_deinit(cache->type, entry->memory);
    free(entry);
}

void mr_row_cache_free(mr_row_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    for (size_t i = 0; i < cache->n_places; i++) {
        if (cache->places[i] != 0) {
            free_entry(cache, entry_at(cache, i));
        }
    }
    free(cache->places);
    free(cache);
}

mr_bytes mr_row_cache_key(const mr_row_cache *cache, const mr_entry *entry)
{
    return mr_bytes_of((const uint8_t *)entry->memory + cache->type->size, entry->key_len);
}

static uint64_t hash_of(mr_bytes key)
{
    return XXH3_64bits(key.data, key.len);
}

static size_t next_place(const mr_row_cache *cache, size_t at)
{
    return (at + 1) & (cache->n_places - 1);
}

void mr_row_cache_expect(const mr_row_cache *cache, const mr_entry *entry)
{
    __builtin_prefetch(entry);
    __builtin_prefetch((const uint8_t *)entry->memory + cache->type->size);
}

uint64_t mr_row_cache_expect_key(const mr_row_cache *cache, mr_bytes key)
{
    const uint64_t hash = hash_of(key);
    __builtin_prefetch(&cache->places[hash & (cache->n_places - 1)]);
    return hash;
}

void mr_row_cache_expect_hash(const mr_row_cache *cache, uint64_t hash)
{
    size_t at = hash & (cache->n_places - 1);
    while (cache->places[at] != 0 && (cache->places[at] & tag_mask) != (hash & tag_mask)) {
        at = next_place(cache, at);
    }
    if (cache->places[at] != 0) {
        mr_row_cache_expect(cache, entry_at(cache, at));
    }
}

/* The place that holds the key, or the free one where it belongs. */
static size_t place_of(const mr_row_cache *cache, mr_bytes key, uint64_t hash)
{
    size_t at = hash & (cache->n_places - 1);
    while (cache->places[at] != 0 &&
           ((cache->places[at] & tag_mask) != (hash & tag_mask) ||
            !mr_bytes_equal(mr_row_cache_key(cache, entry_at(cache, at)), key))) {
        at = next_place(cache, at);
    }
    return at;
}

mr_entry *mr_row_cache_find(mr_row_cache *cache, mr_bytes key)
{
    mr_entry *entry = entry_at(cache, place_of(cache, key, hash_of(key)));
    if (entry != NULL) {
        entry->used = true;
    }
    return entry;
}

static uint64_t hash_at(const mr_row_cache *cache, size_t at)
{
    return hash_of(mr_row_cache_key(cache, entry_at(cache, at)));
}

static void grow(mr_row_cache *cache)
{
    mr_row_cache before = *cache;
    cache->n_places *= 2;
    cache->places = mr_alloc_zero(cache->n_places, sizeof(mr_place));
    for (size_t i = 0; i < before.n_places; i++) {
        if (before.places[i] != 0) {
            size_t at = hash_at(&before, i) & (cache->n_places - 1);
            while (cache->places[at] != 0) {
                at = next_place(cache, at);
            }
            cache->places[at] = before.places[i];
        }
    }
    free(before.places);
    cache->hand = 0;
}

mr_entry *mr_row_cache_add(mr_row_cache *cache, mr_bytes key)
{
    assert(key.len <= UINT32_MAX);
    if ((cache->n_entries + 1) * 4 > cache->n_places * 3) {
        grow(cache);
    }
    const uint64_t hash = hash_of(key);
    const size_t at = place_of(cache, key, hash);
    assert(cache->places[at] == 0);
    mr_entry *entry = mr_alloc(sizeof(*entry) + cache->type->size + key.len);
    *entry = (mr_entry){.key_len = (uint32_t)key.len, .used = true};
    mr_value_init(cache->type, entry->memory);
    if (key.len > 0) {
        memcpy((uint8_t *)entry->memory + cache->type->size, key.data, key.len);
    }
    cache->places[at] = make_place(entry, hash);
    cache->n_entries++;
    cache->key_bytes += key.len;
    mr_row_cache_account(cache, entry);
    return entry;
}

/* Closes the gap: what was pushed on past it by other keys moves back. */
static void free_place(mr_row_cache *cache, size_t gap)
{
    const size_t mask = cache->n_places - 1;
    for (size_t at = next_place(cache, gap); cache->places[at] != 0; at = next_place(cache, at)) {
        const size_t home = hash_at(cache, at) & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            cache->places[gap] = cache->places[at];
            gap = at;
        }
    }
    cache->places[gap] = 0;
    cache->n_entries--;
}

void mr_row_cache_drop(mr_row_cache *cache, mr_entry *entry)
{
    const mr_bytes key = mr_row_cache_key(cache, entry);
    const size_t at = place_of(cache, key, hash_of(key));
    assert(entry_at(cache, at) == entry);
    free_place(cache, at);
    free_entry(cache, entry);
}

/* ---- Memory ---- */

void mr_row_cache_account(mr_row_cache *cache, mr_entry *entry)
{
    if (cache->type->flat) {
        return;
    }
    const size_t below = mr_value_bytes(cache->type, entry->memory) - cache->type->size;
    cache->bytes_below -= entry->bytes_below;
    entry->bytes_below = below > UINT32_MAX ? UINT32_MAX : (uint32_t)below;
    cache->bytes_below += entry->bytes_below;
}

/* The hash table grows and does not shrink: an entry's share of it is counted as two places; and
 * the allocator rounds up. */
static size_t fixed_bytes(const mr_row_cache *cache)
{
    enum { ROUNDING = 8 };
    return sizeof(mr_entry) + cache->type->size + 2 * sizeof(mr_place) + ROUNDING;
}

size_t mr_row_cache_entry_bytes(const mr_row_cache *cache, const mr_entry *entry)
{
    return fixed_bytes(cache) + entry->key_len + entry->bytes_below;
}

size_t mr_row_cache_bytes(const mr_row_cache *cache)
{
    return cache->n_entries * fixed_bytes(cache) + cache->key_bytes + cache->bytes_below;
}

bool mr_row_cache_evict(mr_row_cache *cache, size_t bytes_max)
{
    bool lost = false;
    /* Twice round: at the first pass everything may have been used. */
    for (size_t left = 2 * cache->n_places; left > 0 && mr_row_cache_bytes(cache) > bytes_max;
         left--) {
        mr_entry *entry = entry_at(cache, cache->hand);
        if (entry != NULL && !entry->changed && !entry->behind && !entry->used) {
            lost = lost || entry->exists;
            free_place(cache, cache->hand); /* another entry may lie here now: look again */
            free_entry(cache, entry);
            continue;
        }
        if (entry != NULL) {
            entry->used = false;
        }
        cache->hand = next_place(cache, cache->hand);
    }
    return lost;
}
