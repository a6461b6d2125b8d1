/*
 * The processors of a stage: found through the consumer group (addresses in the members' client.id)
 * and through the files `http` in this host's state directory.
 */
#pragma once

#include <mr/json.h>

#include "app/endpoint.h"
#include "app/http_get.h"
#include "cli/clients.h"

typedef struct mr_instance {
    char address[MR_ADDRESS_SIZE];
    char *name;          /* group.instance.id; NULL: not known */
    const char *found;   /* "group", "file" */
    int32_t *partitions; /* by the group's description; of the stage's first input */
    size_t n_partitions;
} mr_instance;

typedef struct mr_instances {
    mr_instance *items;
    size_t n;
    size_t capacity;
    char *group_state; /* "Stable", ...; NULL: the broker says nothing of groups */
} mr_instances;

/* `admin` may be NULL: only by files. That nobody is found is no failure. */
mr_status mr_instances_find(const mr_cli *cli, mr_admin *admin, const mr_stage *stage,
                            mr_instances *ret_instances, mr_error *err) MR_MUST_USE;
void mr_instances_deinit(mr_instances *instances);
/* The one that has the partition, first in the list; the others keep their order. */
void mr_instances_put_first(mr_instances *instances, int32_t partition);

/* GET that is answered with JSON. MR_TIMED_OUT: no processor of this stage is there (the group
 * keeps a static member's old address, and somebody else may have its port by now). Otherwise
 * *ret_json (NULL when the body is none) with the HTTP status. */
mr_status mr_instance_ask(mr_http_client *http, const char *address, const mr_stage *stage,
                          const char *target, int *ret_status, mr_json **ret_json,
                          mr_error *err) MR_MUST_USE;

/* The same with POST. */
mr_status mr_instance_order(mr_http_client *http, const char *address, const mr_stage *stage,
                            const char *target, int *ret_status, mr_json **ret_json,
                            mr_error *err) MR_MUST_USE;

/* Names of the instances' directories below the stage's state directory, in order. */
typedef struct mr_names {
    char **items;
    size_t n;
    size_t capacity;
} mr_names;
void mr_instance_names(const mr_cli *cli, const mr_stage *stage, mr_names *ret_names);
void mr_names_deinit(mr_names *names);
