/* What the tests of this layer share: a directory to work in, a seeded random stream, short calls.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "store/database.h"

#define IDENTITY "tickets/cart"
#define STORE_NAMES "state,parked"

/* Fails the test with the error's own message. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        const mr_status status_ = (call);                                                          \
        if (status_ != MR_OK) {                                                                    \
            fail_msg("%s gave %d: %s", #call, status_, status_ < 0 ? err.message : "");            \
        }                                                                                          \
    } while (0)

#define assert_message(err, part)                                                                  \
    do {                                                                                           \
        if (strstr((err).message, (part)) == NULL) {                                               \
            fail_msg("'%s' is not in: %s", (part), (err).message);                                 \
        }                                                                                          \
    } while (0)

/* A new directory below TMPDIR, for cmocka's setup and teardown: *state is its name. */
int directory_setup(void **state);
int directory_teardown(void **state);

/* Removes a directory and all that is in it. */
void remove_tree(const char *path);

mr_database_options options_of(const char *directory);
mr_status open_at(const char *directory, mr_database **ret_database, mr_error *err);
mr_status open_read_only(const char *directory, mr_database **ret_database, mr_error *err);

/* One row of store 1 and the progress with this input offset and one store. */
mr_status write_one(mr_partition *partition, const char *key, const char *value, int64_t offset,
                    mr_error *err);

/* A directory with one flushed row in task 3; the row is there; it is there when it is opened. */
void make_state(const char *path);
void assert_row(mr_database *database);
void assert_state_is_whole(const char *path);
/* Opening it stops with this status, and a message that names it and has this part. */
void assert_not_opened(const char *path, bool read_only, mr_status status, const char *part);

void write_row(mr_partition *partition, uint8_t store, mr_bytes key, mr_bytes value);
/* Null: there is no such row. */
void assert_value(mr_partition *partition, uint8_t store, mr_bytes key, mr_bytes expected);

/* xorshift64*: the same stream for a seed, everywhere. */
uint64_t random_next(uint64_t *seed);
uint64_t random_below(uint64_t *seed, uint64_t bound);
/* MR_TEST_SEED or 1; printed, so that a failing run can be repeated. */
uint64_t random_seed(const char *test);
