#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/text.h"

int directory_setup(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = mr_asprintf("%s/mr-store-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(path) == NULL) {
        free(path);
        return -1;
    }
    *state = path;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

void remove_tree(const char *path)
{
    enum { DESCRIPTORS = 16 };
    (void)nftw(path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

int directory_teardown(void **state)
{
    remove_tree(*state);
    free(*state);
    return 0;
}

mr_database_options options_of(const char *directory)
{
    return (mr_database_options){
        .directory = directory,
        .identity = IDENTITY,
        .stores = STORE_NAMES,
        .cache_bytes = 4 << 20,
        .memtable_bytes = 4 << 20,
    };
}

mr_status open_at(const char *directory, mr_database **ret_database, mr_error *err)
{
    const mr_database_options options = options_of(directory);
    return mr_database_open(&options, &MR_LOG_NULL, ret_database, err);
}

mr_status open_read_only(const char *directory, mr_database **ret_database, mr_error *err)
{
    mr_database_options options = options_of(directory);
    options.read_only = true;
    return mr_database_open(&options, &MR_LOG_NULL, ret_database, err);
}

mr_status write_one(mr_partition *partition, const char *key, const char *value, int64_t offset,
                    mr_error *err)
{
    const mr_row row = {.store = 1, .key = mr_bytes_text(key), .value = mr_bytes_text(value)};
    const mr_progress progress = {
        .input_offset = offset, .commit = offset, .changelog_offset = {offset}, .n_stores = 1};
    return mr_partition_write(partition, &row, 1, &progress, err);
}

void make_state(const char *path)
{
    mr_error err;
    mr_database *database = NULL;
    mr_partition *partition = NULL;
    assert_ok(open_at(path, &database, &err));
    assert_ok(mr_partition_open(database, 3, &partition, &err));
    assert_ok(write_one(partition, "key", "value", 1, &err));
    mr_partition_close(partition);
    assert_ok(mr_database_close(database, &err));
}

void assert_row(mr_database *database)
{
    mr_error err;
    mr_partition *partition = NULL;
    mr_buf value = MR_BUF_NULL;
    assert_ok(mr_partition_open(database, 3, &partition, &err));
    assert_ok(mr_partition_get(partition, 1, mr_bytes_text("key"), &value, &err));
    assert_string_equal(mr_buf_text(&value), "value");
    mr_buf_deinit(&value);
    mr_partition_close(partition);
}

void assert_state_is_whole(const char *path)
{
    mr_error err;
    mr_database *database = NULL;
    assert_ok(open_at(path, &database, &err));
    assert_row(database);
    mr_database_free(database);
}

void assert_not_opened(const char *path, bool read_only, mr_status status, const char *part)
{
    mr_error err;
    mr_database *database = NULL;
    assert_int_equal(
        read_only ? open_read_only(path, &database, &err) : open_at(path, &database, &err), status);
    assert_null(database);
    assert_message(err, path);
    assert_message(err, part);
    assert_int_equal(err.action, MR_ACT_STOP);
}

void write_row(mr_partition *partition, uint8_t store, mr_bytes key, mr_bytes value)
{
    mr_error err;
    const mr_row row = {.store = store, .key = key, .value = value};
    const mr_progress progress = {.input_offset = 1};
    assert_ok(mr_partition_write(partition, &row, 1, &progress, &err));
}

void assert_value(mr_partition *partition, uint8_t store, mr_bytes key, mr_bytes expected)
{
    mr_error err;
    mr_buf value = MR_BUF_NULL;
    const mr_status status = mr_partition_get(partition, store, key, &value, &err);
    if (mr_bytes_is_null(expected)) {
        assert_int_equal(status, MR_NOT_FOUND);
    } else {
        assert_int_equal(status, MR_OK);
        assert_true(mr_bytes_equal(mr_buf_bytes(&value), expected));
    }
    mr_buf_deinit(&value);
}

uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * UINT64_C(2685821657736338717);
}

uint64_t random_below(uint64_t *seed, uint64_t bound)
{
    return (random_next(seed) >> 16) % bound;
}

uint64_t random_seed(const char *test)
{
    const char *text = getenv("MR_TEST_SEED");
    int64_t seed = 1;
    if (text != NULL && mr_parse_int64(text, &seed) != MR_OK) {
        fail_msg("MR_TEST_SEED is no number: %s", text);
    }
    print_message("%s: MR_TEST_SEED=%lld\n", test, (long long)seed);
    return (uint64_t)seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
}
