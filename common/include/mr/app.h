/*
 * An app definition as data: what `app.lua` declares, validated, before anything runs.
 *
 * script/ fills it from Lua, a kind's `prepare` adds the stores that the kind itself needs, and
 * from then on it is immutable and shared by all threads.
 */
#pragma once

#include <mr/keys.h>
#include <mr/schema.h>

typedef struct mr_app mr_app;
typedef struct mr_stage mr_stage;
typedef struct mr_fold_plan mr_fold_plan; /* mr/fold.h */
typedef struct mr_native mr_native;       /* mr/native.h */

/* How a topic is used decides its defaults (DESIGN section 6). */
typedef enum mr_topic_role {
    MR_TOPIC_INPUT,      /* from outside or between stages: delete, 7 days */
    MR_TOPIC_EVENTS,     /* the truth: delete, for ever */
    MR_TOPIC_RESULTS,    /* answers to commands: delete, 7 days */
    MR_TOPIC_PROJECTION, /* rows of a view: compact */
    MR_TOPIC_CHANGELOG,  /* compact */
    MR_TOPIC_DEAD,       /* dead letters: delete, 30 days */
} mr_topic_role;

typedef struct mr_topic {
    char *name;
    mr_topic_role role;
    int32_t partitions;
    int64_t retention_ms; /* -1: for ever */
    bool compact;
    bool external; /* nothing in this app writes it */
    /* Said in app.lua: the defaults of the role do not replace them. */
    bool partitions_said;
    bool retention_said;
    bool compact_said;
} mr_topic;

typedef struct mr_store_key {
    mr_key_kind kinds[MR_KEY_PARTS_MAX];
    size_t n;
    bool raw; /* the whole key is the bytes of one text: stores keyed by aggregate ID */
} mr_store_key;

typedef struct mr_store_spec {
    char *name;
    uint8_t number; /* its first key byte in the column family: 1, 2, ... in declared order */
    const mr_schema *value;
    mr_store_key key;
    char *topic;     /* projection topic that every changed row is sent to; NULL: none */
    char *changelog; /* "<group of the stage>-<name>-changelog" */
    bool internal;   /* the kind's or the runtime's own ("versions", "parked"): not for queries */
} mr_store_spec;

typedef enum mr_handler_group {
    MR_ON,     /* transform, project: record type -> what to do */
    MR_DECIDE, /* aggregate: command -> events */
    MR_EVOLVE, /* aggregate: state, event -> state */
    MR_HANDLER_GROUPS,
} mr_handler_group;

struct mr_stage {
    const mr_app *app;
    char *name;
    char *kind;  /* "transform", "aggregate", "project" */
    char **from; /* input topics */
    size_t n_from;
    char **to; /* topics it may send to; for an aggregate to[0] is its events topic */
    size_t n_to;
    char *results;          /* aggregate: topic of the answers */
    const mr_schema *state; /* aggregate: the app's state record */
    const mr_schema *input; /* type of records without ce_type; NULL: none */
    int64_t remember;       /* aggregate: how many command IDs an aggregate remembers */
    bool versioned;         /* project: check ce_sequence per ce_subject */
    mr_store_spec *stores;
    size_t n_stores;
    char *group;          /* "<app>-<stage>", of a version "<app>-<stage>-<version>" */
    char *dead_letters;   /* "<group>-dlq" */
    mr_fold_plan **folds; /* project: record types that built-in operators fold, no handler */
    size_t n_folds;
    const mr_native *native; /* the handlers are in a shared object; NULL: in Lua */
    char *native_file;       /* as app.lua names it */
    int64_t *settings;       /* native->n_settings values */
    /* Record types that have a handler or a fold, per group, in name order; MR_ON may have "*"
     * first. */
    const char **handled[MR_HANDLER_GROUPS];
    size_t n_handled[MR_HANDLER_GROUPS];
    /* Everything the stage may write (events, rows, results): registered before it consumes. */
    char *definition; /* "app.lua:42": where it was declared */
};

struct mr_app {
    char *name;
    char *directory;
    mr_schemas *schemas;
    mr_topic *topics; /* in name order, derived ones included once prepared */
    size_t n_topics;
    mr_stage *stages; /* in declared order: Lua tables have none, so by name */
    size_t n_stages;
    int32_t partitions; /* default of topics */
};

void mr_app_free(mr_app *app);
MR_DEFINE_CLEANUP(mr_app, mr_app_free)

/* NULL when there is none. */
const mr_stage *mr_app_stage(const mr_app *app, const char *name);
const mr_topic *mr_app_topic(const mr_app *app, const char *name);
const mr_store_spec *mr_stage_store(const mr_stage *stage, const char *name);
/* The stage and store that a name means to a person: "store" where it is unique, "stage.store", or
 * an aggregate stage's name for its state. Error with did-you-mean otherwise. */
mr_status mr_app_find_store(const mr_app *app, const char *name, const mr_stage **ret_stage,
                            const mr_store_spec **ret_store, mr_error *err) MR_MUST_USE;

/* The version beside the live one that mr_app_set_version made of the stage; NULL: the live one. */
const char *mr_stage_version(const mr_stage *stage);
/* "<app>/<stage>", of a version "<app>/<stage>-<version>": what the stage's state is known by, and
 * its directory below state.dir. A heap text. */
char *mr_stage_place(const mr_stage *stage);
/*
 * Makes the stage of a prepared app one that stands beside the live one: its group, changelogs,
 * dead letters, projection topics and place get the suffix "-<version>" and the settings of the
 * live ones; its name, handlers and inputs stay. Only a project stage: its rows are a view, to be
 * made again. MR_ERR_USAGE also for a version that is not of [a-z0-9-], and when a name is taken.
 */
mr_status mr_app_set_version(mr_app *app, const char *stage, const char *version,
                             mr_error *err) MR_MUST_USE;

/* Adds a store; `internal` ones come after the app's. Only while preparing. */
mr_store_spec *mr_stage_add_store(mr_stage *stage, const char *name, const mr_schema *value,
                                  mr_store_key key, bool internal);
/* Declares a topic (or merges with the one declared in app.lua, whose explicit settings win). */
void mr_app_add_topic(mr_app *app, const char *name, mr_topic_role role, int32_t partitions);
