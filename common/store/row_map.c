#include "store/row_map.h"

#include <stdlib.h>

#include <bsd/sys/tree.h>

#include "core/alloc.h"

/* uthash would end the process by exit(); core/alloc.h says why and aborts. */
#define uthash_malloc(size) mr_alloc(size)
#define uthash_fatal(message) abort()
/* uthash's own choice has a switch that clang warns about. */
#include "core/hash.h"

typedef struct node {
    UT_hash_handle hh;
    RB_ENTRY(node) link; /* meaningful while the map is ordered */
    uint8_t *value;      /* NULL: tombstone */
    size_t value_len;
    uint64_t tag;
    size_t key_len;
    uint8_t key[];
} node;

RB_HEAD(row_tree, node);

struct mr_row_map {
    node *rows; /* the hash */
    struct row_tree tree;
    bool ordered; /* every row is in the tree as well */
    size_t bytes;
};

static mr_bytes key_of(const node *row)
{
    return mr_bytes_of(row->key, row->key_len);
}

static mr_bytes value_of(const node *row)
{
    return mr_bytes_of(row->value, row->value_len);
}

static int compare_rows(const node *a, const node *b)
{
    return mr_bytes_compare(key_of(a), key_of(b));
}

/* Not all of the generated functions are used. */
RB_GENERATE_INTERNAL(row_tree, node, link, compare_rows, __attribute__((unused)) static)

mr_row_map *mr_row_map_new(void)
{
    mr_row_map *map = mr_alloc_zero(1, sizeof(*map));
    RB_INIT(&map->tree);
    return map;
}

static size_t bytes_of(const node *row)
{
    return sizeof(*row) + row->key_len + row->value_len;
}

static void free_row(node *row)
{
    free(row->value);
    free(row);
}

void mr_row_map_clear(mr_row_map *map)
{
    node *each = map->rows;
    HASH_CLEAR(hh, map->rows);
    while (each != NULL) {
        node *next = each->hh.next;
        free_row(each);
        each = next;
    }
    RB_INIT(&map->tree);
    map->ordered = false;
    map->bytes = 0;
}

void mr_row_map_free(mr_row_map *map)
{
    if (map != NULL) {
        mr_row_map_clear(map);
        free(map);
    }
}

static node *find(const mr_row_map *map, mr_bytes key, unsigned hash)
{
    node *found = NULL;
    HASH_FIND_BYHASHVALUE(hh, map->rows, key.data, key.len, hash, found);
    return found;
}

static unsigned hash_of(mr_bytes key)
{
    unsigned hash = 0;
    HASH_VALUE(key.data, key.len, hash);
    return hash;
}

static void set_value(node *row, mr_bytes value)
{
    if (mr_bytes_is_null(value)) {
        free(row->value);
        row->value = NULL;
    } else {
        /* The new value may lie within the old one. */
        uint8_t *copy = mr_alloc(value.len);
        memcpy(copy, value.data, value.len);
        free(row->value);
        row->value = copy;
    }
    row->value_len = value.len;
}

void mr_row_map_put(mr_row_map *map, mr_bytes key, mr_bytes value, uint64_t tag)
{
    assert(!mr_bytes_is_null(key));
    const unsigned hash = hash_of(key);
    node *row = find(map, key, hash);
    if (row == NULL) {
        row = mr_alloc(sizeof(*row) + key.len);
        *row = (struct node){.key_len = key.len};
        memcpy(row->key, key.data, key.len);
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->rows, row->key, row->key_len, hash, row);
        if (map->ordered) {
            RB_INSERT(row_tree, &map->tree, row);
        }
    } else {
        map->bytes -= bytes_of(row);
    }
    set_value(row, value);
    row->tag = tag;
    map->bytes += bytes_of(row);
}

mr_status mr_row_map_get(const mr_row_map *map, mr_bytes key, mr_bytes *ret_value,
                         uint64_t *ret_tag)
{
    const node *row = find(map, key, hash_of(key));
    if (row == NULL) {
        return MR_NOT_FOUND;
    }
    *ret_value = value_of(row);
    if (ret_tag != NULL) {
        *ret_tag = row->tag;
    }
    return MR_OK;
}

void mr_row_map_remove(mr_row_map *map, mr_bytes key)
{
    node *row = find(map, key, hash_of(key));
    if (row == NULL) {
        return;
    }
    if (map->ordered) {
        RB_REMOVE(row_tree, &map->tree, row);
    }
    map->bytes -= bytes_of(row);
    HASH_DEL(map->rows, row);
    free_row(row);
}

size_t mr_row_map_count(const mr_row_map *map)
{
    return HASH_COUNT(map->rows);
}

size_t mr_row_map_bytes(const mr_row_map *map)
{
    return map->bytes;
}

/* ---- Order ---- */

static void order(mr_row_map *map)
{
    if (map->ordered) {
        return;
    }
    for (node *each = map->rows; each != NULL; each = each->hh.next) {
        RB_INSERT(row_tree, &map->tree, each);
    }
    map->ordered = true;
}

/* Written out because RB_NFIND wants a whole row to compare with. */
static node *first_from(mr_row_map *map, mr_bytes from, bool inclusive)
{
    node *found = NULL;
    for (node *at = RB_ROOT(&map->tree); at != NULL;) {
        const int side = mr_bytes_compare(key_of(at), from);
        if (side > 0 || (side == 0 && inclusive)) {
            found = at;
            at = RB_LEFT(at, link);
        } else {
            at = RB_RIGHT(at, link);
        }
    }
    return found;
}

mr_status mr_row_map_next(mr_row_map *map, mr_bytes from, bool inclusive, mr_bytes to,
                          mr_bytes *ret_key, mr_bytes *ret_value)
{
    order(map);
    const node *row = first_from(map, from, inclusive || mr_bytes_is_null(from));
    if (row == NULL || (!mr_bytes_is_null(to) && mr_bytes_compare(key_of(row), to) >= 0)) {
        return MR_END;
    }
    *ret_key = key_of(row);
    *ret_value = value_of(row);
    return MR_OK;
}

static int compare_mr_rows(const void *a, const void *b)
{
    return mr_bytes_compare(((const mr_row *)a)->key, ((const mr_row *)b)->key);
}

void mr_row_map_rows(mr_row_map *map, uint8_t store, mr_row **ret_rows)
{
    const size_t n = mr_row_map_count(map);
    mr_row *rows = n == 0 ? NULL : mr_alloc(n * sizeof(*rows));
    size_t i = 0;
    if (map->ordered) {
        node *each = NULL;
        RB_FOREACH(each, row_tree, &map->tree)
        {
            rows[i++] = (mr_row){.store = store, .key = key_of(each), .value = value_of(each)};
        }
    } else {
        for (const node *each = map->rows; each != NULL; each = each->hh.next) {
            rows[i++] = (mr_row){.store = store, .key = key_of(each), .value = value_of(each)};
        }
        if (n > 1) {
            qsort(rows, n, sizeof(*rows), compare_mr_rows);
        }
    }
    assert(i == n);
    *ret_rows = rows;
}
