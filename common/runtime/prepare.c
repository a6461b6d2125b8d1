/*
 * From a loaded definition to a complete one: the kinds' own stores, the runtime's stores,
 * changelog names, and every topic with its role and partition count.
 */
#include <mr/kind.h>

#include <stdlib.h>

#include "core/alloc.h"
#include "runtime/parking.h"
#include "store/database.h"

static const mr_kind *find_kind(const mr_kind *const *kinds, const char *name)
{
    for (; *kinds != NULL; kinds++) {
        if (strcmp((*kinds)->name, name) == 0) {
            return *kinds;
        }
    }
    return NULL;
}

static const mr_schema *parking_schema(mr_app *app, mr_error *err)
{
    const mr_schema *schema = mr_schemas_find(app->schemas, mr_bytes_text("millrace.ParkedKey"));
    if (schema == NULL &&
        mr_schemas_add(app->schemas, mr_parking_schema_json, "parking.c", &schema, err) != MR_OK) {
        return NULL;
    }
    return schema;
}

static mr_status prepare_stateful(mr_app *app, mr_stage *stage, mr_error *err)
{
    if (stage->n_from != 1) {
        return mr_error_set(
            err, MR_ERR_USAGE,
            "%s: stage '%s' has %zu input topics; a stateful stage has one, because "
            "the order between topics is not repeatable: merge them with a "
            "transform stage first",
            stage->definition, stage->name, stage->n_from);
    }
    const mr_schema *schema = parking_schema(app, err);
    if (schema == NULL) {
        return err->status;
    }
    (void)mr_stage_add_store(stage, MR_PARKING_STORE, schema, (mr_store_key){.raw = true}, true);
    if (stage->n_stores > MR_STORES_MAX) {
        return mr_error_set(err, MR_ERR_USAGE, "%s: stage '%s' has %zu stores; at most %d",
                            stage->definition, stage->name, stage->n_stores, MR_STORES_MAX);
    }
    return MR_OK;
}

/* Numbers the stores, and names and declares their changelogs. */
static void add_store_topics(mr_app *app, mr_stage *stage, int32_t partitions)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        mr_store_spec *store = &stage->stores[i];
        store->number = (uint8_t)(i + 1);
        free(store->changelog);
        store->changelog = mr_asprintf("%s-%s-%s-changelog", app->name, stage->name, store->name);
        mr_app_add_topic(app, store->changelog, MR_TOPIC_CHANGELOG, partitions);
        if (store->topic != NULL) {
            mr_app_add_topic(app, store->topic, MR_TOPIC_PROJECTION, app->partitions);
        }
    }
}

static void add_stage_topics(mr_app *app, mr_stage *stage)
{
    const bool aggregate = strcmp(stage->kind, "aggregate") == 0;
    for (size_t i = 0; i < stage->n_to; i++) {
        mr_app_add_topic(app, stage->to[i], aggregate ? MR_TOPIC_EVENTS : MR_TOPIC_INPUT,
                         app->partitions);
    }
    if (stage->results != NULL) {
        mr_app_add_topic(app, stage->results, MR_TOPIC_RESULTS, app->partitions);
    }
    mr_app_add_topic(app, stage->dead_letters, MR_TOPIC_DEAD, 1);
}

/* Inputs come after all outputs are declared: one that is written inside has its role already. */
static void add_inputs_and_changelogs(mr_app *app)
{
    for (size_t s = 0; s < app->n_stages; s++) {
        for (size_t i = 0; i < app->stages[s].n_from; i++) {
            mr_app_add_topic(app, app->stages[s].from[i], MR_TOPIC_INPUT, app->partitions);
        }
    }
    for (size_t s = 0; s < app->n_stages; s++) {
        mr_stage *stage = &app->stages[s];
        const mr_topic *input = mr_app_topic(app, stage->from[0]);
        assert(input != NULL);
        add_store_topics(app, stage, input->partitions);
    }
}

/* A kind keeps stores of its own beside the app's. */
static mr_status check_store_names(const mr_stage *stage, mr_error *err)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        if (mr_stage_store(stage, stage->stores[i].name) != &stage->stores[i]) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "%s: stages.%s.stores.%s: the stage itself keeps a store of that "
                                "name; take another one",
                                stage->definition, stage->name, stage->stores[i].name);
        }
    }
    return MR_OK;
}

mr_status mr_app_prepare(mr_app *app, const mr_kind *const *kinds, mr_error *err)
{
    for (size_t s = 0; s < app->n_stages; s++) {
        mr_stage *stage = &app->stages[s];
        const mr_kind *kind = find_kind(kinds, stage->kind);
        if (kind == NULL) {
            return mr_error_set(err, MR_ERR_USAGE, "%s: stage '%s': unknown kind '%s'",
                                stage->definition, stage->name, stage->kind);
        }
        MR_TRY(kind->prepare(app, stage, err));
        if (kind->stateful) {
            MR_TRY(prepare_stateful(app, stage, err));
            MR_TRY(check_store_names(stage, err));
        }
        add_stage_topics(app, stage);
    }
    add_inputs_and_changelogs(app);
    return MR_OK;
}
