/*
 * Rows lie all over memory, and a million of them in no cache of the processor. Those that the
 * records of a batch will ask for are named to it together, before the first record's turn, so that
 * it fetches them side by side. It is a hint: that a row has its record's key is how stages mostly
 * are, and a wrong guess costs the time of a hash.
 */
#include "runtime/worker_impl.h"

#include "runtime/parking.h"
#include "runtime/task.h"

static bool may_have_record_key(const mr_store_spec *spec)
{
    const bool is_one_text = spec->key.n == 1 && spec->key.kinds[0] == MR_KEY_STRING;
    return (spec->key.raw || is_one_text) && strcmp(spec->name, MR_PARKING_STORE) != 0;
}

static mr_table *table_of(const mr_worker *worker, int32_t partition, size_t store)
{
    const mr_slot *slot = mr_worker_slot(worker, partition);
    return slot == NULL || slot->task == NULL ? NULL : mr_task_table(slot->task, store);
}

static void expect_rows(const mr_worker *worker, size_t store, const mr_upcoming *upcoming,
                        size_t n)
{
    uint64_t hashes[MR_FEED_BATCH];
    for (size_t i = 0; i < n; i++) {
        mr_table *table = table_of(worker, upcoming[i].partition, store);
        hashes[i] = table == NULL ? 0 : mr_table_expect_key(table, upcoming[i].key);
    }
    for (size_t i = 0; i < n; i++) {
        const mr_table *table = table_of(worker, upcoming[i].partition, store);
        if (table != NULL) {
            mr_table_expect_hash(table, hashes[i]);
        }
    }
}

void mr_worker_expect_upcoming(const mr_worker *worker)
{
    mr_upcoming upcoming[MR_FEED_BATCH];
    const size_t n = mr_feed_upcoming(worker->feed, upcoming);
    const mr_stage *stage = mr_worker_stage(worker);
    for (size_t i = 0; n > 0 && i < stage->n_stores; i++) {
        if (may_have_record_key(&stage->stores[i])) {
            expect_rows(worker, i, upcoming, n);
        }
    }
}
