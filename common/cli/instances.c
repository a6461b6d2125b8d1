#include "cli/instances.h"

#include <dirent.h>
#include <stdlib.h>

#include "core/alloc.h"

MR_DEFINE_CLEANUP(char, free)
MR_DEFINE_CLEANUP(mr_group, mr_group_free)

/* ---- Names of state directories ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void mr_instance_names(const mr_cli *cli, const mr_stage *stage, mr_names *ret_names)
{
    *ret_names = (mr_names){0};
    MR_CLEANUP(freep) char *above = mr_stage_directory(&cli->settings, stage);
    DIR *entries = opendir(above);
    if (entries == NULL) {
        return; /* nothing of this stage was ever on this host */
    }
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (entry->d_name[0] != '.') {
            MR_GROW(ret_names->items, ret_names->capacity, ret_names->n + 1);
            ret_names->items[ret_names->n++] = mr_strdup(entry->d_name);
        }
    }
    (void)closedir(entries);
    if (ret_names->n > 1) {
        qsort(ret_names->items, ret_names->n, sizeof(ret_names->items[0]), compare_names);
    }
}

void mr_names_deinit(mr_names *names)
{
    for (size_t i = 0; i < names->n; i++) {
        free(names->items[i]);
    }
    free(names->items);
    *names = (mr_names){0};
}

/* ---- Finding ---- */

static mr_instance *add(mr_instances *instances, const char *address, const char *name,
                        const char *found)
{
    for (size_t i = 0; i < instances->n; i++) {
        if (strcmp(instances->items[i].address, address) == 0) {
            return &instances->items[i];
        }
    }
    MR_GROW(instances->items, instances->capacity, instances->n + 1);
    mr_instance *instance = &instances->items[instances->n++];
    *instance = (mr_instance){.name = name == NULL ? NULL : mr_strdup(name), .found = found};
    (void)snprintf(instance->address, sizeof(instance->address), "%s", address);
    return instance;
}

static void add_member(mr_instances *instances, const mr_stage *stage,
                       const mr_group_member *member)
{
    char address[MR_ADDRESS_SIZE];
    if (mr_client_id_address(member->client_id, address) != MR_OK) {
        return; /* another program in our group: nothing to ask there */
    }
    mr_instance *instance = add(instances, address, member->instance_id, "group");
    free(instance->partitions);
    instance->partitions = mr_alloc_zero(member->n_partitions + 1, sizeof(int32_t));
    instance->n_partitions = 0;
    for (size_t i = 0; i < member->n_partitions; i++) {
        if (strcmp(member->partitions[i].topic, stage->from[0]) == 0) {
            instance->partitions[instance->n_partitions++] = member->partitions[i].partition;
        }
    }
}

static mr_status find_in_group(mr_admin *admin, const mr_stage *stage, mr_instances *instances,
                               mr_error *err)
{
    mr_group *found = NULL;
    const mr_status status = mr_admin_group(admin, stage->group, &found, err);
    if (status != MR_OK) {
        return status;
    }
    MR_CLEANUP(mr_group_freep) mr_group *group = found;
    instances->group_state = mr_strdup(group->state);
    for (size_t i = 0; i < group->n_members; i++) {
        add_member(instances, stage, &group->members[i]);
    }
    return MR_OK;
}

static void find_in_files(const mr_cli *cli, const mr_stage *stage, mr_instances *instances)
{
    MR_CLEANUP(mr_names_deinit) mr_names names;
    mr_instance_names(cli, stage, &names);
    for (size_t i = 0; i < names.n; i++) {
        char *directory = NULL;
        char address[MR_ADDRESS_SIZE];
        int64_t pid;
        mr_error err;
        if (mr_instance_directory(&cli->settings, stage, names.items[i], &directory, &err) !=
            MR_OK) {
            continue;
        }
        if (mr_endpoint_read(directory, address, &pid) == MR_OK) {
            (void)add(instances, address, names.items[i], "file");
        }
        free(directory);
    }
}

mr_status mr_instances_find(const mr_cli *cli, mr_admin *admin, const mr_stage *stage,
                            mr_instances *ret_instances, mr_error *err)
{
    *ret_instances = (mr_instances){0};
    if (admin != NULL && !cli->is_dev) {
        const mr_status status = find_in_group(admin, stage, ret_instances, err);
        if (status < 0) {
            mr_instances_deinit(ret_instances);
            return status;
        }
    }
    find_in_files(cli, stage, ret_instances);
    return MR_OK;
}

void mr_instances_deinit(mr_instances *instances)
{
    for (size_t i = 0; i < instances->n; i++) {
        free(instances->items[i].name);
        free(instances->items[i].partitions);
    }
    free(instances->items);
    free(instances->group_state);
    *instances = (mr_instances){0};
}

static bool has_partition(const mr_instance *instance, int32_t partition)
{
    for (size_t i = 0; i < instance->n_partitions; i++) {
        if (instance->partitions[i] == partition) {
            return true;
        }
    }
    return false;
}

void mr_instances_put_first(mr_instances *instances, int32_t partition)
{
    for (size_t i = 1; i < instances->n; i++) {
        if (has_partition(&instances->items[i], partition)) {
            const mr_instance owner = instances->items[i];
            memmove(&instances->items[1], &instances->items[0], i * sizeof(instances->items[0]));
            instances->items[0] = owner;
            return;
        }
    }
}

/* ---- Asking ---- */

typedef mr_status (*requester)(mr_http_client *client, const char *address, const char *target,
                               int *ret_status, mr_buf *body, mr_error *err);

static mr_status ask(requester request, mr_http_client *http, const char *address,
                     const mr_stage *stage, const char *target, int *ret_status, mr_json **ret_json,
                     mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf body = MR_BUF_NULL;
    MR_CLEANUP(mr_buf_deinit) mr_buf addressed = MR_BUF_NULL;
    mr_buf_printf(&addressed, "%s%cstage=%s", target, strchr(target, '?') == NULL ? '?' : '&',
                  stage->group);
    const mr_status status =
        request(http, address, mr_buf_text(&addressed), ret_status, &body, err);
    if (status != MR_OK) {
        return status;
    }
    if (*ret_status == MR_HTTP_MISDIRECTED) {
        (void)mr_error_set(err, MR_ERR_SYSTEM, "http://%s is not of stage '%s' any more", address,
                           stage->name);
        return MR_TIMED_OUT;
    }
    mr_error ignored;
    *ret_json = NULL;
    (void)!mr_json_parse(mr_buf_bytes(&body), ret_json, &ignored);
    return MR_OK;
}

mr_status mr_instance_ask(mr_http_client *http, const char *address, const mr_stage *stage,
                          const char *target, int *ret_status, mr_json **ret_json, mr_error *err)
{
    return ask(mr_http_client_get, http, address, stage, target, ret_status, ret_json, err);
}

mr_status mr_instance_order(mr_http_client *http, const char *address, const mr_stage *stage,
                            const char *target, int *ret_status, mr_json **ret_json, mr_error *err)
{
    return ask(mr_http_client_post, http, address, stage, target, ret_status, ret_json, err);
}
