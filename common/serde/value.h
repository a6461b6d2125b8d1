/* What the value modules share beside mr/value.h. */
#pragma once

#include <mr/value.h>

/* What a value keeps for reuse at most in one piece, so that one huge record does not hold it for
 * ever. */
enum { MR_KEEP_BYTES_MAX = 64 * 1024 };

/* The branch whose value the payload holds in memory: see value.c on unions with null. */
const mr_type *mr_union_held(const mr_type *type, const void *value);
/* Frees what the payload holds; the payload must be made again. */
void mr_union_release(const mr_type *type, void *value);

/* Room for `count` elements in all. */
void mr_array_reserve(const mr_type *type, mr_array *array, size_t count);
/* Appends an element that is valid, but holds whatever its memory held before. */
void *mr_array_extend(const mr_type *type, mr_array *array);

/*
 * Bulk load of a map: entries are appended in any order with possible repetitions, then sorted
 * once; of equal keys the last one stays. In between nothing else may be done to the map. The
 * value of an appended entry holds whatever its memory held before.
 */
void *mr_map_append(const mr_type *type, mr_array *map, mr_bytes key);
void mr_map_sort(const mr_type *type, mr_array *map);
