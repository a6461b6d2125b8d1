/*
 * The last value of each key of a changelog, to be written at once: rows are piled up in any order
 * and taken out in key order when the pile is whole.
 *
 * Memory is what counts here, and places in it that are touched: keys and values lie one behind the
 * other in chunks, found by a table of eight bytes a place. A value that grows beyond its room
 * leaves a gap, which counts until the pile is cleared.
 *
 * Thread: one; once the rows are out, the rows may be read by any.
 */
#pragma once

#include "store/database.h"

typedef struct mr_row_pile mr_row_pile;

mr_row_pile *mr_row_pile_new(void);
void mr_row_pile_free(mr_row_pile *pile);
MR_DEFINE_CLEANUP(mr_row_pile, mr_row_pile_free)

/* Adds or replaces; key and value are copied, a null value is a tombstone. Together they are
 * smaller than 4 GiB. */
void mr_row_pile_put(mr_row_pile *pile, mr_bytes key, mr_bytes value);
/* Puts all of the other's rows. */
void mr_row_pile_put_all(mr_row_pile *pile, mr_row_pile *other);
/* Gives the memory back. */
void mr_row_pile_clear(mr_row_pile *pile);

size_t mr_row_pile_count(mr_row_pile *pile);
/* What the pile takes, gaps and table included, and what its rows will when they are taken out. */
size_t mr_row_pile_bytes(const mr_row_pile *pile);

/* Writes as many rows of that store as mr_row_pile_count has just said, keys ascending. They borrow
 * from the pile until it is changed. */
void mr_row_pile_rows(const mr_row_pile *pile, uint8_t store, mr_row *ret_rows);
