#include "runtime/row_pile.h"

#include <stdlib.h>

#include <xxhash.h>

#include "core/alloc.h"
#include "runtime/row_order.h"

enum {
    CHUNK_SHIFT = 13, /* units a chunk */
    UNIT = 8,         /* bytes; rows begin at multiples of it */
    CHUNK_UNITS = 1 << CHUNK_SHIFT,
    CHUNK_BYTES = CHUNK_UNITS * UNIT,
    PLACES_MIN = 1024,
    WAITING_MAX = 32,
};

/* A row in its chunk: key and value follow. */
typedef struct piled {
    uint32_t key_len;
    uint32_t value_len;
    uint32_t room; /* bytes for the value */
    bool deleted;  /* a tombstone */
} piled;

/* Where a key's row is; of its hash as much as there is place for. */
typedef struct place {
    uint32_t hash;
    uint32_t at; /* unit + 1, counted over all chunks; 0: free */
} place;

/* Put, but not yet in its chunk. */
typedef struct waiting {
    size_t at; /* of the key, in waiting_bytes; the value follows */
    uint32_t key_len;
    uint32_t value_len;
    uint32_t hash;
    bool deleted;
} waiting;

struct mr_row_pile {
    uint64_t **chunks; /* each CHUNK_BYTES long, or as long as one large row */
    size_t n_chunks;
    size_t chunks_capacity;
    size_t units_used;  /* of the last chunk */
    size_t chunk_units; /* that the last chunk has */
    size_t chunks_bytes;
    place *places; /* open addressing, linear probing; a power of two */
    size_t n_places;
    size_t count;
    waiting waiting[WAITING_MAX];
    size_t n_waiting;
    mr_buf waiting_bytes;
};

mr_row_pile *mr_row_pile_new(void)
{
    return mr_alloc_zero(1, sizeof(mr_row_pile));
}

void mr_row_pile_clear(mr_row_pile *pile)
{
    for (size_t i = 0; i < pile->n_chunks; i++) {
        free(pile->chunks[i]);
    }
    free(pile->chunks);
    free(pile->places);
    mr_buf_deinit(&pile->waiting_bytes);
    *pile = (mr_row_pile){0};
}

void mr_row_pile_free(mr_row_pile *pile)
{
    if (pile != NULL) {
        mr_row_pile_clear(pile);
        free(pile);
    }
}

/* ---- Rows in chunks ---- */

static size_t units_of(size_t key_len, size_t room)
{
    return (sizeof(piled) + key_len + room + UNIT - 1) / UNIT;
}

static piled *row_at(const mr_row_pile *pile, uint32_t at)
{
    return (piled *)(pile->chunks[(at - 1) >> CHUNK_SHIFT] + ((at - 1) & (CHUNK_UNITS - 1)));
}

static uint8_t *key_of(const piled *row)
{
    return (uint8_t *)(uintptr_t)(row + 1);
}

static uint8_t *value_of(const piled *row)
{
    return key_of(row) + row->key_len;
}

static mr_bytes key_bytes(const piled *row)
{
    return mr_bytes_of(key_of(row), row->key_len);
}

static mr_bytes value_bytes(const piled *row)
{
    return row->deleted ? MR_BYTES_NULL : mr_bytes_of(value_of(row), row->value_len);
}

static void set_value(piled *row, mr_bytes value)
{
    row->deleted = mr_bytes_is_null(value);
    row->value_len = (uint32_t)value.len;
    if (value.len > 0) {
        memcpy(value_of(row), value.data, value.len);
    }
}

/* A large row has a chunk for itself, so that all of them begin where their number says. */
static void add_chunk(mr_row_pile *pile, size_t units)
{
    pile->chunk_units = units > CHUNK_UNITS ? units : CHUNK_UNITS;
    MR_GROW(pile->chunks, pile->chunks_capacity, pile->n_chunks + 1);
    pile->chunks[pile->n_chunks++] = mr_alloc(pile->chunk_units * UNIT);
    assert(pile->n_chunks <= UINT32_MAX >> CHUNK_SHIFT);
    pile->chunks_bytes += pile->chunk_units * UNIT;
    pile->units_used = 0;
}

static uint32_t append(mr_row_pile *pile, mr_bytes key, mr_bytes value)
{
    const size_t units = units_of(key.len, value.len);
    assert(units * UNIT <= UINT32_MAX);
    if (pile->units_used + units > pile->chunk_units) {
        add_chunk(pile, units);
    }
    const size_t at = ((pile->n_chunks - 1) << CHUNK_SHIFT) + pile->units_used + 1;
    pile->units_used += units;
    piled *row = row_at(pile, (uint32_t)at);
    *row = (piled){
        .key_len = (uint32_t)key.len,
        /* All of the last unit: most values that grow, grow by a byte. */
        .room = (uint32_t)(units * UNIT - sizeof(piled) - key.len),
    };
    if (key.len > 0) {
        memcpy(key_of(row), key.data, key.len);
    }
    set_value(row, value);
    return (uint32_t)at;
}

/* ---- The table ---- */

static uint32_t hash_of(mr_bytes key)
{
    return (uint32_t)XXH3_64bits(key.data, key.len);
}

/* The place that has the key, or the free one where it belongs. */
static place *place_of(const mr_row_pile *pile, mr_bytes key, uint32_t hash)
{
    size_t i = hash & (pile->n_places - 1);
    while (pile->places[i].at != 0 &&
           (pile->places[i].hash != hash ||
            !mr_bytes_equal(key_bytes(row_at(pile, pile->places[i].at)), key))) {
        i = (i + 1) & (pile->n_places - 1);
    }
    return &pile->places[i];
}

static void grow(mr_row_pile *pile)
{
    const size_t n_before = pile->n_places;
    place *before = pile->places;
    pile->n_places = n_before == 0 ? PLACES_MIN : 2 * n_before;
    pile->places = mr_alloc_zero(pile->n_places, sizeof(place));
    for (size_t i = 0; i < n_before; i++) {
        if (before[i].at != 0) {
            size_t to = before[i].hash & (pile->n_places - 1);
            while (pile->places[to].at != 0) {
                to = (to + 1) & (pile->n_places - 1);
            }
            pile->places[to] = before[i];
        }
    }
    free(before);
}

static void put(mr_row_pile *pile, mr_bytes key, mr_bytes value, uint32_t hash)
{
    if (pile->count >= pile->n_places / 2) {
        grow(pile);
    }
    place *found = place_of(pile, key, hash);
    if (found->at == 0) {
        *found = (place){hash, append(pile, key, value)};
        pile->count++;
        return;
    }
    piled *row = row_at(pile, found->at);
    if (value.len <= row->room) {
        set_value(row, value);
    } else {
        found->at = append(pile, key, value);
    }
}

/* ---- Putting ---- */

/*
 * A large pile is in no cache, and a put needs two places of it, one after the other. So puts wait
 * until they are many, and the places of all of them are fetched at the same time.
 */
static void settle(mr_row_pile *pile)
{
    for (size_t i = 0; i < pile->n_waiting && pile->n_places > 0; i++) {
        const uint32_t at = pile->places[pile->waiting[i].hash & (pile->n_places - 1)].at;
        if (at != 0) {
            __builtin_prefetch(row_at(pile, at), 1);
        }
    }
    for (size_t i = 0; i < pile->n_waiting; i++) {
        const waiting *each = &pile->waiting[i];
        const uint8_t *key = pile->waiting_bytes.data + each->at;
        put(pile, mr_bytes_of(key, each->key_len),
            each->deleted ? MR_BYTES_NULL : mr_bytes_of(key + each->key_len, each->value_len),
            each->hash);
    }
    pile->n_waiting = 0;
    mr_buf_clear(&pile->waiting_bytes);
}

void mr_row_pile_put(mr_row_pile *pile, mr_bytes key, mr_bytes value)
{
    assert(!mr_bytes_is_null(key));
    const uint32_t hash = hash_of(key);
    if (pile->n_places > 0) {
        __builtin_prefetch(&pile->places[hash & (pile->n_places - 1)]);
    }
    pile->waiting[pile->n_waiting++] = (waiting){
        .at = pile->waiting_bytes.len,
        .key_len = (uint32_t)key.len,
        .value_len = (uint32_t)value.len,
        .hash = hash,
        .deleted = mr_bytes_is_null(value),
    };
    mr_buf_append_bytes(&pile->waiting_bytes, key);
    mr_buf_append_bytes(&pile->waiting_bytes, value);
    if (pile->n_waiting == WAITING_MAX || pile->waiting_bytes.len > CHUNK_BYTES) {
        settle(pile);
    }
}

void mr_row_pile_put_all(mr_row_pile *pile, mr_row_pile *other)
{
    settle(other);
    for (size_t i = 0; i < other->n_places; i++) {
        if (other->places[i].at != 0) {
            const piled *row = row_at(other, other->places[i].at);
            mr_row_pile_put(pile, key_bytes(row), value_bytes(row));
        }
    }
}

size_t mr_row_pile_count(mr_row_pile *pile)
{
    settle(pile);
    return pile->count;
}

/* ---- Order ---- */

_Static_assert(sizeof(mr_row_order) <= sizeof(mr_row), "rows are sorted in the memory for them");

size_t mr_row_pile_bytes(const mr_row_pile *pile)
{
    return pile->chunks_bytes + pile->n_places * sizeof(place) + pile->waiting_bytes.capacity +
           pile->count * (sizeof(mr_row) + sizeof(mr_row_order));
}

/* All rows with the bytes behind what all keys begin with. */
static void list(const mr_row_pile *pile, mr_row_order *items)
{
    mr_bytes common = MR_BYTES_NULL;
    size_t n = 0;
    for (size_t i = 0; i < pile->n_places; i++) {
        if (pile->places[i].at != 0) {
            const mr_bytes key = key_bytes(row_at(pile, pile->places[i].at));
            common = n == 0 ? key : mr_bytes_of(key.data, mr_row_order_common(common, key));
            items[n++].at = pile->places[i].at;
        }
    }
    for (size_t i = 0; i < n; i++) {
        items[i].prefix = mr_row_order_prefix(key_bytes(row_at(pile, items[i].at)), common.len);
    }
}

void mr_row_pile_rows(const mr_row_pile *pile, uint8_t store, mr_row *ret_rows)
{
    assert(pile->n_waiting == 0);
    const size_t n = pile->count;
    if (n == 0) {
        return;
    }
    mr_row_order *items = mr_alloc(n * sizeof(*items));
    list(pile, items);
    mr_row_order_sort(items, n, (mr_row_order *)(void *)ret_rows);
    for (size_t i = 0; i < n; i++) {
        const piled *row = row_at(pile, items[i].at);
        ret_rows[i] = (mr_row){.store = store, .key = key_bytes(row), .value = value_bytes(row)};
    }
    mr_row_order_settle(items, n, ret_rows);
    free(items);
}
