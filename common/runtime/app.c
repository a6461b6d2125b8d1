#include <mr/fold.h>

#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

static const int64_t day_ms = 86400000;

/* ---- Freeing ---- */

static void free_texts(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(texts[i]);
    }
    free(texts);
}

static void free_stage(mr_stage *stage)
{
    free_texts(stage->from, stage->n_from);
    free_texts(stage->to, stage->n_to);
    for (size_t i = 0; i < stage->n_stores; i++) {
        free(stage->stores[i].name);
        free(stage->stores[i].topic);
        free(stage->stores[i].changelog);
    }
    free(stage->stores);
    for (size_t i = 0; i < MR_HANDLER_GROUPS; i++) {
        free(stage->handled[i]); /* the names are the schemas' own */
    }
    for (size_t i = 0; i < stage->n_folds; i++) {
        mr_fold_plan_free(stage->folds[i]);
    }
    free(stage->folds);
    free(stage->native_file);
    free(stage->settings);
    free(stage->name);
    free(stage->kind);
    free(stage->results);
    free(stage->group);
    free(stage->dead_letters);
    free(stage->definition);
}

void mr_app_free(mr_app *app)
{
    if (app == NULL) {
        return;
    }
    for (size_t i = 0; i < app->n_stages; i++) {
        free_stage(&app->stages[i]);
    }
    for (size_t i = 0; i < app->n_topics; i++) {
        free(app->topics[i].name);
    }
    free(app->stages);
    free(app->topics);
    mr_schemas_free(app->schemas);
    free(app->name);
    free(app->directory);
    free(app);
}

/* ---- Finding ---- */

const mr_stage *mr_app_stage(const mr_app *app, const char *name)
{
    for (size_t i = 0; i < app->n_stages; i++) {
        if (strcmp(app->stages[i].name, name) == 0) {
            return &app->stages[i];
        }
    }
    return NULL;
}

/* The first topic whose name is not less. */
static size_t topic_position(const mr_app *app, const char *name)
{
    size_t from = 0;
    size_t to = app->n_topics;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (strcmp(app->topics[middle].name, name) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static mr_topic *find_topic(const mr_app *app, const char *name)
{
    const size_t i = topic_position(app, name);
    const bool found = i < app->n_topics && strcmp(app->topics[i].name, name) == 0;
    return found ? &app->topics[i] : NULL;
}

const mr_topic *mr_app_topic(const mr_app *app, const char *name)
{
    return find_topic(app, name);
}

const mr_store_spec *mr_stage_store(const mr_stage *stage, const char *name)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        if (strcmp(stage->stores[i].name, name) == 0) {
            return &stage->stores[i];
        }
    }
    return NULL;
}

/* An aggregate's state goes by the stage's name: the store of that name or its first own one. */
static const mr_store_spec *state_store(const mr_stage *stage)
{
    if (strcmp(stage->kind, "aggregate") != 0 || stage->n_stores == 0) {
        return NULL;
    }
    const mr_store_spec *store = mr_stage_store(stage, "state");
    return store != NULL ? store : &stage->stores[0];
}

/* The stage of "stage.store" when that is what the name is, else NULL. */
static const mr_stage *qualified_stage(const mr_app *app, const char *name,
                                       const mr_store_spec **ret_store)
{
    const char *dot = strchr(name, '.');
    for (size_t i = 0; dot != NULL && i < app->n_stages; i++) {
        const mr_stage *stage = &app->stages[i];
        const size_t len = (size_t)(dot - name);
        if (strlen(stage->name) == len && memcmp(stage->name, name, len) == 0) {
            *ret_store = mr_stage_store(stage, dot + 1);
            return *ret_store == NULL ? NULL : stage;
        }
    }
    return NULL;
}

/* Every name that a store may be asked for by. */
static char **store_names(const mr_app *app, size_t *ret_n)
{
    char **names = NULL;
    size_t n = 0;
    size_t capacity = 0;
    for (size_t s = 0; s < app->n_stages; s++) {
        const mr_stage *stage = &app->stages[s];
        MR_GROW(names, capacity, n + 2 * stage->n_stores + 1);
        if (state_store(stage) != NULL) {
            names[n++] = mr_strdup(stage->name);
        }
        for (size_t i = 0; i < stage->n_stores; i++) {
            if (!stage->stores[i].internal) {
                names[n++] = mr_strdup(stage->stores[i].name);
                names[n++] = mr_asprintf("%s.%s", stage->name, stage->stores[i].name);
            }
        }
    }
    *ret_n = n;
    return names;
}

static mr_status no_such_store(const mr_app *app, const char *name, mr_error *err)
{
    size_t n;
    char **names = store_names(app, &n);
    const char *nearest = mr_text_nearest(name, (const char *const *)names, n, sizeof(names[0]));
    const mr_status status =
        mr_error_set(err, MR_ERR_USAGE, "app '%s' has no store '%s'%s%s%s", app->name, name,
                     nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                     nearest == NULL ? "" : "'?");
    free_texts(names, n);
    return status;
}

mr_status mr_app_find_store(const mr_app *app, const char *name, const mr_stage **ret_stage,
                            const mr_store_spec **ret_store, mr_error *err)
{
    const mr_stage *stage = mr_app_stage(app, name);
    const mr_store_spec *store = stage == NULL ? NULL : state_store(stage);
    if (store == NULL) {
        stage = qualified_stage(app, name, &store);
    }
    for (size_t i = 0; i < app->n_stages && stage == NULL; i++) {
        store = mr_stage_store(&app->stages[i], name);
        /* The runtime's own stores are in many stages: they have to be asked for by stage. */
        if (store == NULL || store->internal) {
            continue;
        }
        stage = &app->stages[i];
        for (size_t j = i + 1; j < app->n_stages; j++) {
            if (mr_stage_store(&app->stages[j], name) != NULL) {
                return mr_error_set(err, MR_ERR_USAGE,
                                    "stages '%s' and '%s' both have a store '%s': say '%s.%s' or "
                                    "'%s.%s'",
                                    stage->name, app->stages[j].name, name, stage->name, name,
                                    app->stages[j].name, name);
            }
        }
    }
    if (stage == NULL) {
        return no_such_store(app, name, err);
    }
    *ret_stage = stage;
    *ret_store = store;
    return MR_OK;
}

/* ---- Preparing ---- */

mr_store_spec *mr_stage_add_store(mr_stage *stage, const char *name, const mr_schema *value,
                                  mr_store_key key, bool internal)
{
    size_t at = stage->n_stores;
    while (!internal && at > 0 && stage->stores[at - 1].internal) {
        at--;
    }
    stage->stores = mr_realloc(stage->stores, (stage->n_stores + 1) * sizeof(stage->stores[0]));
    memmove(stage->stores + at + 1, stage->stores + at,
            (stage->n_stores - at) * sizeof(stage->stores[0]));
    stage->n_stores++;
    stage->stores[at] =
        (mr_store_spec){.name = mr_strdup(name), .value = value, .key = key, .internal = internal};
    return &stage->stores[at];
}

static bool is_one_of(const char *name, char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_written(const mr_app *app, const char *topic)
{
    for (size_t s = 0; s < app->n_stages; s++) {
        const mr_stage *stage = &app->stages[s];
        if (is_one_of(topic, stage->to, stage->n_to) ||
            (stage->results != NULL && strcmp(stage->results, topic) == 0)) {
            return true;
        }
        for (size_t i = 0; i < stage->n_stores; i++) {
            if (stage->stores[i].topic != NULL && strcmp(stage->stores[i].topic, topic) == 0) {
                return true;
            }
        }
    }
    return false;
}

static mr_topic *insert_topic(mr_app *app, const char *name)
{
    const size_t at = topic_position(app, name);
    app->topics = mr_realloc(app->topics, (app->n_topics + 1) * sizeof(app->topics[0]));
    memmove(app->topics + at + 1, app->topics + at, (app->n_topics - at) * sizeof(app->topics[0]));
    app->n_topics++;
    app->topics[at] = (mr_topic){.name = mr_strdup(name), .role = MR_TOPIC_INPUT};
    return &app->topics[at];
}

static void set_role(mr_topic *topic, mr_topic_role role, int32_t partitions)
{
    static const int retention_days[] = {
        [MR_TOPIC_INPUT] = 7,       [MR_TOPIC_EVENTS] = -1,    [MR_TOPIC_RESULTS] = 7,
        [MR_TOPIC_PROJECTION] = -1, [MR_TOPIC_CHANGELOG] = -1, [MR_TOPIC_DEAD] = 30,
    };
    topic->role = role;
    if (!topic->partitions_said) {
        topic->partitions = partitions;
    }
    if (!topic->retention_said) {
        const int days = retention_days[role];
        topic->retention_ms = days < 0 ? -1 : days * day_ms;
    }
    if (!topic->compact_said) {
        topic->compact = role == MR_TOPIC_PROJECTION || role == MR_TOPIC_CHANGELOG;
    }
}

void mr_app_add_topic(mr_app *app, const char *name, mr_topic_role role, int32_t partitions)
{
    mr_topic *topic = find_topic(app, name);
    const bool is_new = topic == NULL;
    if (is_new) {
        topic = insert_topic(app, name);
    }
    /* Input is what any topic may be beside its role; of other roles the first one stays. */
    if (is_new || topic->role == MR_TOPIC_INPUT) {
        set_role(topic, role, partitions);
    }
    topic->external = topic->role == MR_TOPIC_INPUT && !is_written(app, name);
}
