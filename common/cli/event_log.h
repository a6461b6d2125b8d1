/* Reading topics for verbs: an aggregate's events, results, dead letters. Read committed. */
#pragma once

#include <mr/envelope.h>

#include "cli/clients.h"

/* MR_OK: go on. MR_END: enough. A failure ends the reading with it. */
typedef mr_status (*mr_log_visitor)(void *context, const mr_record *record,
                                    const mr_envelope *envelope, mr_error *err);

/*
 * Every record of the partitions from their offsets (-1: the beginning) to where they end now, in
 * order within a partition. Records whose headers cannot be read are told on stderr and left out.
 * Waits at most broker.timeout.ms for each next record.
 */
mr_status mr_log_read(const mr_cli *cli, mr_reader *reader, const mr_topic_partition *partitions,
                      size_t n, mr_log_visitor visit, void *context, mr_error *err) MR_MUST_USE;

/* All events of one aggregate. MR_ERR_USAGE when `stage` is no aggregate. */
mr_status mr_log_read_aggregate(const mr_cli *cli, const mr_stage *stage, mr_bytes id,
                                mr_log_visitor visit, void *context, mr_error *err) MR_MUST_USE;
/* All events of all aggregates of a stage. */
mr_status mr_log_read_stage(const mr_cli *cli, const mr_stage *stage, mr_log_visitor visit,
                            void *context, mr_error *err) MR_MUST_USE;

/* The aggregate stage of that name, with a did-you-mean. */
mr_status mr_cli_aggregate(const mr_cli *cli, const char *name, const mr_stage **ret_stage,
                           mr_error *err) MR_MUST_USE;

/* A record's value for the reader's schema of its ce_type, else as its writer wrote it; JSON by its
 * content type. A heap value, NULL for a tombstone. */
mr_status mr_log_decode(const mr_cli *cli, mr_codec *codec, const mr_record *record,
                        const mr_envelope *envelope, const mr_schema **ret_schema, void **ret_value,
                        mr_error *err) MR_MUST_USE;
