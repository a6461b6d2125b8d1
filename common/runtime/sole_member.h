/*
 * Having a stage's group for oneself: as an ordinary member, which is assigned every partition, so
 * that no processor of the stage runs. A processor that starts meanwhile waits for the rebalance,
 * by which this member is told, and which cannot end while it holds on.
 *
 * Thread: one, but for its own, which polls the group.
 */
#pragma once

#include <mr/app.h>
#include <mr/log.h>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "runtime/options.h"

typedef struct mr_sole_member mr_sole_member;

typedef struct mr_sole_member_options {
    const mr_stage *stage;
    const mr_runtime_options *runtime;
    const mr_properties *properties;
    const mr_option *ours;
    size_t n_ours;
    const mr_log *log;
    const char *client_id;
} mr_sole_member_options;

/* MR_OK: the stage's group has no member, or there is none. Else MR_ERR_USAGE that names them. */
mr_status mr_group_check_idle(mr_admin *admin, const mr_stage *stage, mr_error *err) MR_MUST_USE;

/* All partitions of all inputs of a stage, with no offset; free() the array. */
mr_topic_partition *mr_stage_inputs(const mr_stage *stage, size_t *ret_n);

/* Asks first, then joins. MR_ERR_USAGE: there are other members. */
mr_status mr_sole_member_join(const mr_sole_member_options *options, mr_sole_member **ret_member,
                              mr_error *err) MR_MUST_USE;
/* Leaves the group. NULL is fine. */
void mr_sole_member_leave(mr_sole_member *member);

mr_consumer *mr_sole_member_consumer(mr_sole_member *member);
/* Fails once somebody else came, or the group was lost. */
mr_status mr_sole_member_check(mr_sole_member *member, mr_error *err) MR_MUST_USE;
/* The same, and nobody else gets a partition until mr_sole_member_release; not after a failure. */
mr_status mr_sole_member_hold(mr_sole_member *member, mr_error *err) MR_MUST_USE;
void mr_sole_member_release(mr_sole_member *member);
