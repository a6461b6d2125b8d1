/*
 * The broker-free driver: a whole app in one process, one partition a topic, in memory. For
 * `millrace test` and the topology suite (Kafka Streams calls its own TopologyTestDriver).
 *
 * A record that is fed runs through every stage that reads its topic, and what these send runs on,
 * first sent, first run, until nothing is left (bounded: an app that goes round for ever is an
 * error). Every record is its own commit.
 */
#pragma once

#include <mr/kind.h>

typedef struct mr_driver mr_driver;

typedef mr_status (*mr_handler_factory)(void *argument, const mr_stage *stage,
                                        mr_handler **ret_handler, mr_error *err);

/* `app` is prepared. */
mr_status mr_driver_new(const mr_app *app, const mr_kind *const *kinds, mr_handler_factory factory,
                        void *argument, mr_driver **ret_driver, mr_error *err) MR_MUST_USE;
void mr_driver_free(mr_driver *driver);

/* Writes the record to its topic (offset is given by the driver) and runs everything it causes.
 * Failures of records are dead letters, as in a processor: see the stage's dead-letter topic. */
mr_status mr_driver_feed(mr_driver *driver, const mr_record *record, mr_error *err) MR_MUST_USE;
/* Encodes `value` (single-object) with CloudEvents headers, and feeds it. */
mr_status mr_driver_send(mr_driver *driver, const char *topic, mr_bytes key,
                         const mr_envelope *envelope, const mr_schema *schema, const void *value,
                         mr_error *err) MR_MUST_USE;
/* Runs one record through one stage only; nothing it sends runs on. For given / when / then. */
mr_status mr_driver_step(mr_driver *driver, const mr_stage *stage, const mr_envelope *envelope,
                         const mr_schema *schema, const void *value, mr_error *err) MR_MUST_USE;
/* Takes an event that an aggregate stage wrote into its state (mr_kind.fold), sending nothing: for
 * "given", and for state as of a version. The envelope needs id, type and subject. */
mr_status mr_driver_fold(mr_driver *driver, const mr_stage *stage, const mr_envelope *envelope,
                         const mr_schema *schema, const void *value, mr_error *err) MR_MUST_USE;
mr_status mr_driver_fold_record(mr_driver *driver, const mr_stage *stage, const mr_record *record,
                                mr_error *err) MR_MUST_USE;

/* Everything written to a topic so far, in order; borrowed until the next feed. */
size_t mr_driver_count(const mr_driver *driver, const char *topic);
const mr_record *mr_driver_record(const mr_driver *driver, const char *topic, size_t i);
/* Decodes such a record into a heap value of its type (free with mr_value_free). */
mr_status mr_driver_decode(mr_driver *driver, const mr_record *record, const mr_schema **ret_schema,
                           void **ret_value, mr_error *err) MR_MUST_USE;
/* A committed row; MR_NOT_FOUND. Borrowed until the next feed. */
mr_status mr_driver_row(mr_driver *driver, const mr_stage *stage, size_t store, mr_bytes key,
                        const void **ret_value, mr_error *err) MR_MUST_USE;
