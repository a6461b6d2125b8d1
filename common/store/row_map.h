/*
 * Rows in memory, in key order: what is committed but not yet written to RocksDB.
 *
 * A row is a value or a tombstone (null value: the key is deleted below) with the caller's tag.
 * Looking a key up costs one hash; an ordered index is built at the first ordered step and kept
 * from then on, until the map is cleared: a map that is only looked up never pays for order.
 *
 * Thread: one.
 */
#pragma once

#include <mr/bytes.h>

#include "store/database.h"

typedef struct mr_row_map mr_row_map;

mr_row_map *mr_row_map_new(void);
void mr_row_map_free(mr_row_map *map);
MR_DEFINE_CLEANUP(mr_row_map, mr_row_map_free)

/* Adds or replaces; key and value are copied, a null value is a tombstone. */
void mr_row_map_put(mr_row_map *map, mr_bytes key, mr_bytes value, uint64_t tag);

/* MR_NOT_FOUND when the map knows nothing of the key; a tombstone is found, with a null value.
 * The value is valid until the key is put or removed. The tag is left out with NULL. */
mr_status mr_row_map_get(const mr_row_map *map, mr_bytes key, mr_bytes *ret_value,
                         uint64_t *ret_tag) MR_MUST_USE;

/* Nothing happens when the key is absent. */
void mr_row_map_remove(mr_row_map *map, mr_bytes key);
void mr_row_map_clear(mr_row_map *map);

size_t mr_row_map_count(const mr_row_map *map);
/* Keys, values and what the map itself takes for them. */
size_t mr_row_map_bytes(const mr_row_map *map);

/*
 * The first row at (inclusive) or after `from` and before `to`; null bytes are the ends. MR_END
 * when there is none. Walk with the key that was returned: rows may be put and removed between two
 * calls. Key and value are valid until their row is put or removed.
 */
mr_status mr_row_map_next(mr_row_map *map, mr_bytes from, bool inclusive, mr_bytes to,
                          mr_bytes *ret_key, mr_bytes *ret_value) MR_MUST_USE;

/* All mr_row_map_count() rows, keys ascending, as mr_partition_write takes them. They borrow from
 * the map; free() the array. NULL when the map is empty. */
void mr_row_map_rows(mr_row_map *map, uint8_t store, mr_row **ret_rows);
