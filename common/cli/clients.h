/* The Kafka clients of verbs, from the invocation's settings. */
#pragma once

#include "cli/cli.h"
#include "kafka/admin.h"
#include "kafka/producer.h"
#include "kafka/reader.h"
#include "runtime/rebuild.h"
#include "runtime/rewrite.h"

MR_DEFINE_CLEANUP(mr_admin, mr_admin_free)
MR_DEFINE_CLEANUP(mr_producer, mr_producer_free)

mr_status mr_cli_admin(const mr_cli *cli, mr_admin **ret_admin, mr_error *err) MR_MUST_USE;
mr_status mr_cli_reader(const mr_cli *cli, mr_reader **ret_reader, mr_error *err) MR_MUST_USE;
mr_status mr_cli_producer(const mr_cli *cli, mr_producer **ret_producer, mr_error *err) MR_MUST_USE;

/* To restore these tasks of a stage into a directory. They borrow. */
mr_rebuild_options mr_cli_rebuild_options(const mr_cli *cli, const mr_stage *stage,
                                          const char *directory, const int32_t *numbers, size_t n);
mr_status mr_cli_rewrite(const mr_cli *cli, const mr_stage *stage, mr_rewrite **ret_rewrite,
                         mr_error *err) MR_MUST_USE;

/* The number of partitions; no such topic is MR_ERR_USAGE that says how to make it. */
mr_status mr_cli_partitions(mr_admin *admin, const char *topic, int32_t *ret_partitions,
                            mr_error *err) MR_MUST_USE;

/* First offset and end of every partition of a topic; free() the array. */
typedef struct mr_extent {
    int32_t partition;
    int64_t begin;
    int64_t end;
} mr_extent;
/* How many records lie there; ends of transactions are none. Reads them when they are not too many,
 * else counts offsets. */
mr_status mr_cli_count(const mr_cli *cli, mr_reader *reader, const char *topic,
                       const mr_extent *extents, size_t n, int64_t *ret_count,
                       mr_error *err) MR_MUST_USE;
mr_status mr_cli_extents(const mr_cli *cli, mr_admin *admin, mr_reader *reader, const char *topic,
                         mr_extent **ret_extents, size_t *ret_n, mr_error *err) MR_MUST_USE;
