/*
 * One store of one task: decoded rows in a cache above RocksDB. Kafka Streams stacks the same as
 * Caching(ChangeLogging(RocksDB)).
 *
 * A row in the cache is changed (since the last commit), then behind (committed, but not in
 * RocksDB), then clean. Changed and behind ones stay in the cache; a flush takes all that are
 * behind, encoded and in key order, and they are clean from then on: while the flusher writes, what
 * it writes can still be read. A row is looked up in the cache, in what is being flushed, in
 * RocksDB. When a row that is behind is changed, what is committed of it is kept as an image for
 * queries, which see committed rows only, and for a flush. After an aborted commit the table is
 * discarded and built anew from RocksDB and the changelog.
 *
 * Thread: the worker's.
 */
#pragma once

#include <mr/app.h>
#include <mr/codec.h>
#include <mr/value.h>

#include "runtime/row_cache.h"
#include "store/database.h"

typedef struct mr_table mr_table;

/* `partition` NULL: nothing below `behind` (the broker-free driver). */
mr_table *mr_table_new(const mr_store_spec *spec, mr_partition *partition, mr_codec *codec);
void mr_table_free(mr_table *table);

/* The row's entry, loaded; the entry stays valid until the next eviction or commit. */
mr_status mr_table_find(mr_table *table, mr_bytes key, mr_entry **ret_entry,
                        mr_error *err) MR_MUST_USE;
/* Two steps, as mr_row_cache_expect_key and _hash: the row of a key that is a record's. */
uint64_t mr_table_expect_key(mr_table *table, mr_bytes key);
void mr_table_expect_hash(const mr_table *table, uint64_t hash);
/* NULL when there is no such row. */
const void *mr_entry_value(const mr_entry *entry);
/* The value to change in place, initial when there was none; marks the row as changed. */
void *mr_table_own(mr_table *table, mr_entry *entry);
/* The row's value, initial whatever it was, without reading it; marks the row as changed. */
void *mr_table_replace(mr_table *table, mr_bytes key);
/* Exchanges the row's value with `value` (of the same type) and marks it as changed. */
void mr_table_swap(mr_table *table, mr_entry *entry, void *value);
void mr_table_delete(mr_table *table, mr_entry *entry);

/* Keys in [from, to) with a row, ascending, `to` null = to the end; as mr_row_visitor. */
typedef mr_status (*mr_key_visitor)(void *argument, mr_bytes key, mr_error *err);
/* Every key that might have a row, the cache's changed ones included: look it up to be sure. */
mr_status mr_table_keys(mr_table *table, mr_bytes from, mr_bytes to, mr_key_visitor visit,
                        void *argument, mr_error *err) MR_MUST_USE;

/* Whether there may be a row at all: false is certain. */
mr_status mr_table_has_rows(mr_table *table, bool *ret_has_rows, mr_error *err) MR_MUST_USE;

/* ---- Commit ---- */
size_t mr_table_changed(const mr_table *table);
/* Encodes every changed row in the order of first change and hands it to `write` (null value:
 * deleted). Afterwards no row counts as changed, and these are behind. */
typedef mr_status (*mr_row_writer)(void *argument, mr_bytes key, mr_bytes value, mr_error *err);
mr_status mr_table_encode(mr_table *table, mr_row_writer write, void *argument,
                          mr_error *err) MR_MUST_USE;

/* ---- Committed rows ---- */
/* Encoded, as committed; MR_NOT_FOUND. */
mr_status mr_table_committed(mr_table *table, mr_bytes key, mr_buf *value,
                             mr_error *err) MR_MUST_USE;
/* Ascending committed rows in [from, to): the visitor gets encoded values. */
typedef mr_status (*mr_encoded_visitor)(void *argument, mr_bytes key, mr_bytes value,
                                        mr_error *err);
mr_status mr_table_scan_committed(mr_table *table, mr_bytes from, mr_bytes to,
                                  mr_encoded_visitor visit, void *argument,
                                  mr_error *err) MR_MUST_USE;

/* ---- Writing behind ---- */
/* What the rows that are behind take in the cache. */
size_t mr_table_behind_bytes(const mr_table *table);
/* The committed rows that are not in RocksDB, ascending; they live until mr_table_flushed. None
 * when there are none or a flush is under way. */
mr_status mr_table_flush_begin(mr_table *table, const mr_row **ret_rows, size_t *ret_n,
                               mr_error *err) MR_MUST_USE;
/* RocksDB has them. */
void mr_table_flushed(mr_table *table);

/* ---- Memory ---- */
size_t mr_table_cache_bytes(const mr_table *table);
/* Drops clean entries, those not used of late first, until at most `bytes_max` are held. */
void mr_table_evict(mr_table *table, size_t bytes_max);
