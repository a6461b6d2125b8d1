/*
 * Requests of a transaction that went without an answer. librdkafka asks again, and the first may
 * still be on its way: it can reach the broker within a later transaction of the same producer.
 *
 * Without KIP-890 the broker cannot tell that it belongs to the one before. A late end ends the new
 * transaction half-way, late offsets replace the new ones. It does refuse what comes from before a
 * call of init_transactions, so a producer with a stray begins no other transaction.
 * Private to common/kafka.
 */
#pragma once

#include <stdatomic.h>

#include <librdkafka/rdkafka.h>

#include <mr/error.h>

/* `has_stray` is set, from librdkafka's threads, as long as the handle lives that is made of
 * `conf`. */
mr_status mr_stray_watch(rd_kafka_conf_t *conf, atomic_bool *has_stray, mr_error *err) MR_MUST_USE;
