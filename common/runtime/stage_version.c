/*
 * A stage that is built beside the live one. Its rows go to topics with names of its own, and what
 * it sends (`to`) goes nowhere (task.c): nobody who reads what the live one writes sees anything of
 * it.
 */
#include <mr/app.h>

#include <stdlib.h>

#include "core/alloc.h"

enum { VERSION_BYTES_MAX = 32 };

MR_DEFINE_CLEANUP(char, free)

/* The group's name says it all: mr_stage itself is pinned for native handlers. */
const char *mr_stage_version(const mr_stage *stage)
{
    const size_t len = strlen(stage->app->name) + 1 + strlen(stage->name);
    return stage->group[len] == '\0' ? NULL : stage->group + len + 1;
}

char *mr_stage_place(const mr_stage *stage)
{
    return mr_asprintf("%s/%s", stage->app->name, stage->group + strlen(stage->app->name) + 1);
}

static mr_status check_version(const char *version, mr_error *err)
{
    const size_t len = strlen(version);
    if (len == 0 || len > VERSION_BYTES_MAX ||
        strspn(version, "abcdefghijklmnopqrstuvwxyz0123456789-") != len) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "version '%.80s' is to be 1 to %d of the characters a-z, 0-9 and '-'",
                            version, VERSION_BYTES_MAX);
    }
    return MR_OK;
}

static mr_status check_kind(const mr_stage *stage, mr_error *err)
{
    const char *reason = NULL;
    if (strcmp(stage->kind, "aggregate") == 0) {
        reason = "its truth are its events, which are written once: `millrace replay` folds them "
                 "again";
    } else if (strcmp(stage->kind, "project") != 0) {
        reason = "it keeps no view that could be built again";
    }
    if (reason == NULL) {
        return MR_OK;
    }
    return mr_error_set(err, MR_ERR_USAGE,
                        "stage '%s' is of kind %s and has no versions side by side: %s",
                        stage->name, stage->kind, reason);
}

/* A stage "view-v2" has the group and the directory that version v2 of "view" would have. */
static mr_status check_stages(const mr_app *app, const mr_stage *stage, const char *version,
                              mr_error *err)
{
    MR_CLEANUP(freep) char *name = mr_asprintf("%s-%s", stage->name, version);
    if (mr_app_stage(app, name) == NULL) {
        return MR_OK;
    }
    return mr_error_set(err, MR_ERR_USAGE,
                        "version '%s' of stage '%s' would be what stage '%s' is: take another name",
                        version, stage->name, name);
}

/* What is done with each topic that the stage writes, and the name that it has in the version. */
typedef mr_status topic_step(mr_app *app, char **topic, const char *name, mr_error *err);

static mr_status check_topic(mr_app *app, char **topic, const char *name, mr_error *err)
{
    if (mr_app_topic(app, name) == NULL) {
        return MR_OK;
    }
    return mr_error_set(err, MR_ERR_USAGE,
                        "instead of topic %s the version would write %s, which the app has: take "
                        "another name",
                        *topic, name);
}

static mr_status move_topic(mr_app *app, char **topic, const char *name, mr_error *err)
{
    (void)err;
    const mr_topic live = *mr_app_topic(app, *topic); /* by value: the array moves */
    mr_app_add_topic(app, name, live.role, live.partitions);
    mr_topic *added = (mr_topic *)(uintptr_t)mr_app_topic(app, name);
    added->retention_ms = live.retention_ms;
    added->compact = live.compact;
    free(*topic);
    *topic = mr_strdup(name);
    return MR_OK;
}

static mr_status each_topic(mr_app *app, mr_stage *stage, topic_step *step, mr_error *err)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        mr_store_spec *store = &stage->stores[i];
        MR_CLEANUP(freep)
        char *changelog = mr_asprintf("%s-%s-changelog", stage->group, store->name);
        MR_TRY(step(app, &store->changelog, changelog, err));
        if (store->topic != NULL) {
            MR_CLEANUP(freep)
            char *topic = mr_asprintf("%s-%s", store->topic, mr_stage_version(stage));
            MR_TRY(step(app, &store->topic, topic, err));
        }
    }
    MR_CLEANUP(freep) char *dead_letters = mr_asprintf("%s-dlq", stage->group);
    return step(app, &stage->dead_letters, dead_letters, err);
}

mr_status mr_app_set_version(mr_app *app, const char *stage_name, const char *version,
                             mr_error *err)
{
    mr_stage *stage = (mr_stage *)(uintptr_t)mr_app_stage(app, stage_name);
    assert(stage != NULL && mr_stage_version(stage) == NULL);
    MR_TRY(check_kind(stage, err));
    MR_TRY(check_version(version, err));
    MR_TRY(check_stages(app, stage, version, err));
    char *group = mr_asprintf("%s-%s", stage->group, version);
    free(stage->group);
    stage->group = group;
    MR_TRY(each_topic(app, stage, check_topic, err));
    return each_topic(app, stage, move_topic, err);
}
