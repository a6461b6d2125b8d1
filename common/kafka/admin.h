/* Topics and groups as an operator sees them. Each call waits at most the admin's timeout. */
#pragma once

#include "kafka/client.h"

typedef struct mr_admin mr_admin;

typedef struct mr_admin_options {
    const mr_properties *properties;
    const mr_option *ours;
    size_t n_ours;
    const mr_log *log;
    const char *client_id;
    int timeout_ms;
} mr_admin_options;

mr_status mr_admin_new(const mr_admin_options *options, mr_admin **ret_admin,
                       mr_error *err) MR_MUST_USE;
void mr_admin_free(mr_admin *admin);

/* Number of partitions; MR_NOT_FOUND: no such topic (never creates one on a real broker). */
mr_status mr_admin_partitions(mr_admin *admin, const char *topic, int32_t *ret_partitions,
                              mr_error *err) MR_MUST_USE;

typedef struct mr_topic_config {
    const char *name;
    const char *value;
} mr_topic_config;

/* `replication` -1: the broker's default. MR_NOT_FOUND never; existing: MR_END. */
mr_status mr_admin_create_topic(mr_admin *admin, const char *topic, int32_t partitions,
                                int16_t replication, const mr_topic_config *configs,
                                size_t n_configs, mr_error *err) MR_MUST_USE;
/* Value of one topic configuration into `ret_value`; MR_NOT_FOUND: no such setting or topic, or it
 * is the embedded broker, which has none and is known for it when it was asked for partitions. */
mr_status mr_admin_topic_config(mr_admin *admin, const char *topic, const char *name,
                                mr_buf *ret_value, mr_error *err) MR_MUST_USE;
/* Sets some, keeps the others (describe, merge, alter: platform fact A 5). */
mr_status mr_admin_set_topic_configs(mr_admin *admin, const char *topic,
                                     const mr_topic_config *configs, size_t n_configs,
                                     mr_error *err) MR_MUST_USE;

/* MR_NOT_FOUND: no such topic. The broker answers before the last of its files is gone. */
mr_status mr_admin_delete_topic(mr_admin *admin, const char *topic, mr_error *err) MR_MUST_USE;

/* Deletes the records below `offset` (a repartition topic's, once consumed). */
mr_status mr_admin_delete_before(mr_admin *admin, const char *topic, int32_t partition,
                                 int64_t offset, mr_error *err) MR_MUST_USE;

typedef struct mr_group_member {
    char *client_id;
    char *host;
    char *instance_id;              /* NULL: dynamic */
    mr_topic_partition *partitions; /* topics owned by the group description */
    size_t n_partitions;
} mr_group_member;

typedef struct mr_group {
    char *state; /* "Stable", "Empty", "Dead", ... */
    mr_group_member *members;
    size_t n_members;
} mr_group;

/* MR_NOT_FOUND: the broker knows no such group. The embedded broker cannot describe groups:
 * MR_ERR_KAFKA that says so. */
mr_status mr_admin_group(mr_admin *admin, const char *group, mr_group **ret_group,
                         mr_error *err) MR_MUST_USE;
void mr_group_free(mr_group *group);

/* With its offsets. MR_NOT_FOUND: no such group. MR_ERR_USAGE: it has members. */
mr_status mr_admin_delete_group(mr_admin *admin, const char *group, mr_error *err) MR_MUST_USE;

/* Fills the offsets with what `group` has committed and their marks of replays, -1 where nothing.
 */
mr_status mr_admin_committed(mr_admin *admin, const char *group, mr_topic_partition *partitions,
                             size_t n, mr_error *err) MR_MUST_USE;
