/* Every RocksDB option and why: many small tasks, point lookups, ascending scans, no WAL. */
#include "store/rocks.h"

#include <stdlib.h>

enum {
    KIB = 1024,
    MIB = 1024 * KIB,
    CACHE_BYTES_MIN = 1 * MIB,
    CACHE_SHARD_BYTES_MIN = 4 * MIB,
    CACHE_SHARD_BITS_MAX = 4,
    MEMTABLE_BYTES_MIN = 128 * KIB,
    /* One column family's share of the budget at most; two of them while one is being flushed. */
    WRITE_BUFFER_BYTES_MAX = 64 * MIB,
    WRITE_BUFFER_NUMBER = 2,
    ARENA_BYTES_MIN = 16 * KIB,
    ARENA_BYTES_MAX = 256 * KIB,
    OPEN_FILES_MAX = 512,
    BACKGROUND_JOBS_MAX = 2,
    /* Written behind, a table has keys of the whole range: merged with all rows each time that
     * there are four, as is the preset, most of the work would be done again and again. */
    FRESH_TABLES_MAX = 8,
    BLOCK_BYTES = 4 * KIB,
    TABLE_FORMAT = 5,
    SYNC_BYTES = 1 * MIB,
    INFO_LOG_BYTES = 1 * MIB,
    INFO_LOG_FILES = 3,
    INFO_LOG_LEVEL_WARN = 2,
};
static const double bloom_bits = 10;
static const double memtable_bloom_ratio = 0.02;

static size_t clamp(size_t value, size_t min, size_t max)
{
    return value < min ? min : value > max ? max : value;
}

static void set_table(rocksdb_options_t *options, rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_format_version(table, TABLE_FORMAT);
    /* The options take the policy. */
    rocksdb_block_based_options_set_filter_policy(
        table, rocksdb_filterpolicy_create_bloom_full(bloom_bits));
    /* Index and filter blocks count in the one cache; otherwise they grow with the data, unseen. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    /* Undivided they are near a megabyte for a table: a small cache would read one for each row. */
    rocksdb_block_based_options_set_index_type(
        table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(table, 1);
    rocksdb_block_based_options_set_metadata_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
    rocksdb_block_based_options_set_data_block_index_type(
        table, rocksdb_block_based_table_data_block_index_type_binary_search_and_hash);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
}

/* The C API of 7.8 has no write buffer manager to share, but db_write_buffer_size makes one for
 * all column families of the database. */
static void set_memtables(rocksdb_options_t *options, size_t budget)
{
    const size_t total = budget < MEMTABLE_BYTES_MIN ? MEMTABLE_BYTES_MIN : budget;
    const size_t one = clamp(total / WRITE_BUFFER_NUMBER, 1, WRITE_BUFFER_BYTES_MAX);
    rocksdb_options_set_db_write_buffer_size(options, total);
    rocksdb_options_set_write_buffer_size(options, one);
    rocksdb_options_set_max_write_buffer_number(options, WRITE_BUFFER_NUMBER);
    /* A task that wrote one row has one arena block: small, because tasks are many. */
    rocksdb_options_set_arena_block_size(options, clamp(one / 8, ARENA_BYTES_MIN, ARENA_BYTES_MAX));
    /* New aggregates look up keys that are not there. */
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, memtable_bloom_ratio);
    rocksdb_options_set_memtable_whole_key_filtering(options, 1);
}

static void set_files(rocksdb_options_t *options, const mr_database_options *wanted)
{
    rocksdb_options_set_create_if_missing(options, wanted->read_only ? 0 : 1);
    rocksdb_options_set_paranoid_checks(options, 1);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(options, 1);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, FRESH_TABLES_MAX);
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS_MAX);
    rocksdb_options_set_bytes_per_sync(options, SYNC_BYTES);
    /* A reader opens every table at once and keeps it: the owner may delete the file meanwhile. */
    rocksdb_options_set_max_open_files(options, wanted->read_only ? -1 : OPEN_FILES_MAX);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_is_fd_close_on_exec(options, 1);
    rocksdb_options_set_info_log_level(options, INFO_LOG_LEVEL_WARN);
    rocksdb_options_set_max_log_file_size(options, INFO_LOG_BYTES);
    rocksdb_options_set_keep_log_file_num(options, INFO_LOG_FILES);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
}

/*
 * Options that only the text form of the C API reaches. Closing without flushing is wanted
 * (mr_database_free), but RocksDB flushes what has no WAL. Rows come in key order, each store
 * within its own range of keys: a position remembered by the first byte makes inserting cheaper.
 */
static mr_status apply_text(mr_tuning *tuning, const char *path, mr_error *err)
{
    rocksdb_options_t *options = rocksdb_options_create();
    char *failure = NULL;
    rocksdb_get_options_from_string(
        tuning->options,
        "avoid_flush_during_shutdown=true;"
        "memtable_insert_with_hint_prefix_extractor=rocksdb.CappedPrefix.1",
        options, &failure);
    if (failure != NULL) {
        rocksdb_options_destroy(options);
        return mr_rocks_failure(err, path, NULL, "set its options", failure);
    }
    rocksdb_options_destroy(tuning->options);
    tuning->options = options;
    return MR_OK;
}

/* RocksDB's own choice is many shards of half a megabyte, too small for what they have to hold. */
static rocksdb_cache_t *new_cache(size_t wanted)
{
    const size_t bytes = wanted < CACHE_BYTES_MIN ? CACHE_BYTES_MIN : wanted;
    int shard_bits = 0;
    while (shard_bits < CACHE_SHARD_BITS_MAX &&
           bytes >> (shard_bits + 1) >= CACHE_SHARD_BYTES_MIN) {
        shard_bits++;
    }
    rocksdb_lru_cache_options_t *options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(options, bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(options, shard_bits);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(options);
    rocksdb_lru_cache_options_destroy(options);
    return cache;
}

mr_status mr_tuning_init(mr_tuning *tuning, const mr_database_options *wanted, mr_error *err)
{
    *tuning = (mr_tuning){
        .options = rocksdb_options_create(),
        .cache = new_cache(wanted->cache_bytes),
        .env = wanted->in_memory ? rocksdb_create_mem_env() : NULL,
        .write = rocksdb_writeoptions_create(),
        .read = rocksdb_readoptions_create(),
        .flush = rocksdb_flushoptions_create(),
    };
    set_table(tuning->options, tuning->cache);
    set_memtables(tuning->options, wanted->memtable_bytes);
    set_files(tuning->options, wanted);
    if (tuning->env != NULL) {
        rocksdb_options_set_env(tuning->options, tuning->env);
    }
    rocksdb_writeoptions_disable_WAL(tuning->write, 1);
    rocksdb_flushoptions_set_wait(tuning->flush, 1);
    return apply_text(tuning, wanted->directory, err);
}

void mr_tuning_deinit(mr_tuning *tuning)
{
    rocksdb_flushoptions_destroy(tuning->flush);
    rocksdb_readoptions_destroy(tuning->read);
    rocksdb_writeoptions_destroy(tuning->write);
    rocksdb_options_destroy(tuning->options);
    rocksdb_cache_destroy(tuning->cache);
    if (tuning->env != NULL) {
        rocksdb_env_destroy(tuning->env);
    }
    *tuning = (mr_tuning){0};
}
