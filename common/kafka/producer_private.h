/* The inside of the producer, shared by producer.c and transaction.c. */
#pragma once

#include "kafka/handle.h"
#include "kafka/producer.h"

struct mr_producer {
    mr_handle handle;
    mr_producer_options options; /* texts owned */
    rd_kafka_topic_t **topics;   /* the few that are written to; they belong to the handle */
    size_t n_topics;
    size_t topics_capacity;
    bool in_transaction;
    bool is_unclear; /* a commit was asked for and not answered: only init_transactions can tell */
    atomic_bool has_stray; /* a request of a transaction may still be on its way (stray.h) */
    bool is_aborting;
    bool has_failed; /* a record was not delivered */
    mr_error failure;
};

/* Opens the handle, with init_transactions when transactional. */
mr_status mr_producer_open(mr_producer *producer, int timeout_ms, mr_error *err) MR_MUST_USE;
void mr_producer_close_handle(mr_producer *producer);
/* Begins a transaction when none is open, with a handle made anew if the last one's requests may
 * still be on their way; nothing without a transactional id. */
mr_status mr_producer_begin(mr_producer *producer, mr_error *err) MR_MUST_USE;
/* The first half of a commit: everything is written and the offsets are part of the transaction. */
mr_status mr_producer_prepare(mr_producer *producer, mr_consumer *consumer,
                              const mr_topic_partition *offsets, size_t n,
                              mr_error *err) MR_MUST_USE;
