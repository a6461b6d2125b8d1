/* The inside of a table, shared by the files that are its parts:
 *   table.c  rows, commit, flush;  table_walk.c  rows in the order of their keys. */
#pragma once

#include "runtime/key_set.h"
#include "runtime/sorted_rows.h"
#include "runtime/table.h"

/* A row that was changed since the last commit. */
typedef struct mr_changed {
    mr_entry *entry;
    /* What is committed of it, where that lies nowhere else (the entry was behind). */
    bool has_image;
    bool image_exists; /* there was such a row */
    void *image;       /* kept for reuse when the type is flat; NULL: none so far */
} mr_changed;

struct mr_table {
    const mr_store_spec *spec;
    const mr_type *type;
    mr_partition *partition;
    mr_codec *codec;
    mr_row_cache *cache;
    /* Every row that exists is in the cache, so what is not there does not exist: a table that
     * began empty, as in a replay from offset zero, until the first row is dropped. */
    bool is_whole;
    bool knows_whole;    /* so far RocksDB was not asked */
    mr_changed *changed; /* in the order of first change */
    size_t n_changed;
    size_t changed_capacity; /* all of them made */
    mr_entry **behind;       /* committed, and neither in RocksDB nor being written there */
    size_t n_behind;
    size_t behind_capacity;
    size_t behind_bytes;
    mr_key_set *keys; /* of `changed` and `behind`, in order; NULL until a scan asks for it */
    mr_sorted_rows flushing; /* with rows while a flush is under way */
    mr_buf scratch;
};

static inline bool mr_table_is_flushing(const mr_table *table)
{
    return table->flushing.rows != NULL;
}

/* What is committed under the key: borrowed from where it lies, or in the scratch buffer. */
mr_status mr_table_read_committed(mr_table *table, mr_bytes key, mr_bytes *ret_value,
                                  mr_error *err) MR_MUST_USE;
