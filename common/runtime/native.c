#include "runtime/native.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/text.h"
#include "runtime/context_impl.h"

/* What compiled objects depend on beside the functions: whoever changes one of these raises
 * MR_NATIVE_ABI, and then the number here. */
#define PINNED(type, size)                                                                         \
    _Static_assert(sizeof(type) == (size), #type " has changed: raise MR_NATIVE_ABI")
PINNED(mr_native, 56);
PINNED(mr_call, 64);
PINNED(mr_output, 192);
PINNED(mr_record, 80);
PINNED(mr_error, 512);
PINNED(mr_type, 136);
PINNED(mr_string, 16);
PINNED(mr_key_part, 32);
PINNED(mr_stage, 224);
PINNED(mr_app, 64);
PINNED(mr_store_spec, 96);

enum { FUNCTIONS_MAX = 1000 };

static const char symbol[] = "mr_native_handlers";
static const char *const group_names[MR_HANDLER_GROUPS] = {
    [MR_ON] = "MR_ON", [MR_DECIDE] = "MR_DECIDE", [MR_EVOLVE] = "MR_EVOLVE"};

MR_DEFINE_CLEANUP(char, free)

/* ---- The file ---- */

static int is_object(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);
    return len > 3 && strcmp(entry->d_name + len - 3, ".so") == 0;
}

/* There is no such file: what there is beside it, and near it by name. */
static mr_status refuse_missing(const char *path, mr_error *err)
{
    const char *name = strrchr(path, '/') + 1;
    MR_CLEANUP(freep) char *directory = mr_strndup(path, (size_t)(name - path));
    struct dirent **entries = NULL;
    const int found = scandir(directory, &entries, is_object, alphasort);
    const size_t n = found < 0 ? 0 : (size_t)found;
    const char **names = mr_alloc_zero(n + 1, sizeof(names[0]));
    for (size_t i = 0; i < n; i++) {
        names[i] = entries[i]->d_name;
    }
    const char *nearest = n == 0 ? NULL : mr_text_nearest(name, names, n, sizeof(names[0]));
    (void)mr_error_set(err, MR_ERR_USAGE, "there is no file '%s'%s%s%s", path,
                       nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                       nearest == NULL ? "" : "'?");
    for (size_t i = 0; i < n; i++) {
        free(entries[i]);
    }
    free(entries);
    free(names);
    return MR_ERR_USAGE;
}

/* Never closed: threads may be within it, and what it made may still point into it. */
static mr_status open_object(const char *path, const mr_native **ret_native, mr_error *err)
{
    if (access(path, F_OK) != 0) {
        return refuse_missing(path, err);
    }
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "%s", dlerror());
    }
    const mr_native *native = dlsym(object, symbol);
    if (native == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "'%s' exports no %s: see mr/native.h", path, symbol);
    }
    if (native->abi != MR_NATIVE_ABI) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "'%s' is compiled for version %u of mr/native.h, and this millrace has "
                            "version %d: compile it again, with the headers of this one",
                            path, native->abi, (int)MR_NATIVE_ABI);
    }
    *ret_native = native;
    return MR_OK;
}

/* ---- What it exports ---- */

static bool has_group(const mr_stage *stage, mr_handler_group group)
{
    return (group == MR_ON) == (stage->state == NULL);
}

/* The name of the function's type as the stage's other texts have it; NULL: an error was set. */
static const char *check_type(const mr_stage *stage, const mr_native_function *function,
                              mr_error *err)
{
    const mr_schemas *schemas = stage->app->schemas;
    const char *name = function->type;
    if (function->group == MR_ON && strcmp(name, "*") == 0) {
        return "*";
    }
    const mr_schema *schema = mr_schemas_find(schemas, mr_bytes_text(name));
    if (schema == NULL) {
        const char *nearest = mr_schemas_nearest(schemas, name);
        (void)mr_error_set(err, MR_ERR_USAGE, "unknown record '%.80s'%s%s%s", name,
                           nearest == NULL ? "" : "; did you mean '",
                           nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
        return NULL;
    }
    if (mr_schema_type(schema)->kind != MR_TYPE_RECORD) {
        (void)mr_error_set(err, MR_ERR_USAGE, "'%.80s' is no record", name);
        return NULL;
    }
    return strchr(name, '.') != NULL ? mr_schema_name(schema) : mr_schema_short_name(schema);
}

static mr_status take_function(mr_stage *stage, const mr_native_function *function, mr_error *err)
{
    const unsigned group = function->group;
    if (group >= MR_HANDLER_GROUPS || function->type == NULL || function->call == NULL) {
        return mr_error_set(err, MR_ERR_USAGE, "has a function without group, type or call");
    }
    if (!has_group(stage, function->group)) {
        return mr_error_set(err, MR_ERR_USAGE, "has an %s, which %s stages do not call",
                            group_names[group], stage->kind);
    }
    const char *name = check_type(stage, function, err);
    if (name == NULL) {
        return MR_ERR_USAGE;
    }
    for (size_t i = 0; i < stage->n_handled[group]; i++) {
        if (mr_schemas_find(stage->app->schemas, mr_bytes_text(stage->handled[group][i])) ==
            mr_schemas_find(stage->app->schemas, mr_bytes_text(name))) { /* "*" is none */
            return mr_error_set(err, MR_ERR_USAGE, "has two %s of '%s'", group_names[group], name);
        }
    }
    stage->handled[group][stage->n_handled[group]++] = name;
    return MR_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static mr_status take_functions(mr_stage *stage, const mr_native *native, mr_error *err)
{
    if (native->n_functions > FUNCTIONS_MAX || native->n_settings > MR_NATIVE_SETTINGS_MAX) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "has %zu functions and %zu settings: at most %d and %d",
                            native->n_functions, native->n_settings, (int)FUNCTIONS_MAX,
                            (int)MR_NATIVE_SETTINGS_MAX);
    }
    for (size_t group = 0; group < MR_HANDLER_GROUPS; group++) {
        stage->handled[group] = mr_alloc_zero(native->n_functions + 1, sizeof(char *));
    }
    for (size_t i = 0; i < native->n_functions; i++) {
        MR_TRY(take_function(stage, &native->functions[i], err));
    }
    for (size_t group = 0; group < MR_HANDLER_GROUPS; group++) {
        const size_t n = stage->n_handled[group];
        if (n == 0 && has_group(stage, (mr_handler_group)group)) {
            return mr_error_set(err, MR_ERR_USAGE, "has no %s, which %s stages need",
                                group_names[group], stage->kind);
        }
        qsort(stage->handled[group], n, sizeof(stage->handled[group][0]), compare_names);
    }
    return MR_OK;
}

mr_status mr_native_load(mr_stage *stage, const char *file, mr_error *err)
{
    MR_CLEANUP(freep)
    char *path = *file == '/' ? mr_strdup(file) : mr_asprintf("%s/%s", stage->app->directory, file);
    const mr_native *native = NULL;
    MR_TRY(open_object(path, &native, err));
    if (take_functions(stage, native, err) != MR_OK) {
        return mr_error_prefix(err, "'%s'", path);
    }
    stage->native = native;
    stage->native_file = mr_strdup(file);
    return MR_OK;
}

/* ---- Handlers ---- */

typedef struct native_handler {
    mr_handler base;
    const mr_stage *stage;
    void *self;
    const mr_schema **schemas; /* of the object's functions; NULL: "*" */
} native_handler;

static native_handler *native_handler_of(mr_handler *handler)
{
    return (native_handler *)(void *)handler;
}

static const mr_native_function *find_function(const native_handler *handler,
                                               mr_handler_group group, const mr_schema *schema)
{
    const mr_native *native = handler->stage->native;
    const mr_native_function *any = NULL;
    for (size_t i = 0; i < native->n_functions; i++) {
        const mr_native_function *function = &native->functions[i];
        if (function->group != group) {
            continue;
        }
        if (handler->schemas[i] == schema) {
            return function;
        }
        any = handler->schemas[i] == NULL ? function : any;
    }
    return any;
}

/* A handler that breaks its contract must not look like one that has nothing to say. */
static mr_status check_result(mr_status status, const mr_call *call, mr_handler_group group,
                              size_t n_staged, size_t n_sent, mr_error *err)
{
    const mr_context *context = call->context;
    if (status > 0 || (status < 0 && err->status != status)) {
        return mr_error_record(err, MR_ERR_HANDLER, "handler",
                               "it returned %d, and no error of that status: only MR_OK and "
                               "failures that are told are returned",
                               (int)status);
    }
    if (status == MR_OK && group != MR_ON &&
        (context->n_staged != n_staged || mr_outbox_count(context->outbox) != n_sent)) {
        return mr_error_record(err, MR_ERR_HANDLER, "handler",
                               "it changed rows or sent records, which only MR_ON may");
    }
    return status;
}

static mr_status native_handler_call(mr_handler *base, mr_handler_group group, mr_call *call,
                                     mr_error *err)
{
    native_handler *handler = native_handler_of(base);
    const mr_native_function *function = find_function(handler, group, call->schema);
    if (function == NULL) {
        return MR_NOT_FOUND;
    }
    const size_t n_staged = call->context->n_staged;
    const size_t n_sent = mr_outbox_count(call->context->outbox);
    err->status = MR_OK;
    const mr_status status =
        check_result(function->call(handler->self, call, err), call, group, n_staged, n_sent, err);
    if (status != MR_OK) {
        if (group == MR_DECIDE) {
            mr_decision_clear(call->decision);
        }
        return mr_error_prefix(err, "%s %s (%s)", group_names[group],
                               mr_schema_short_name(call->schema), handler->stage->native_file);
    }
    return MR_OK;
}

static void native_handler_free(mr_handler *base)
{
    native_handler *handler = native_handler_of(base);
    const mr_native *native = handler->stage->native;
    if (native->close != NULL) {
        native->close(handler->self);
    }
    free(handler->schemas);
    free(handler);
}

static const mr_handler_ops native_handler_ops = {
    .name = "native",
    .call = native_handler_call,
    .free = native_handler_free,
};

static mr_status refuse_open(const mr_stage *stage, mr_status status, mr_error *err)
{
    if (err->status != status || status > 0) {
        (void)mr_error_set(err, MR_ERR_USAGE, "`open` returned %d and did not say why",
                           (int)status);
    }
    err->status = MR_ERR_USAGE;
    err->action = MR_ACT_STOP;
    return mr_error_prefix(err, "%s: stage '%s': %s", stage->definition, stage->name,
                           stage->native_file);
}

mr_status mr_native_handler_new(const mr_stage *stage, mr_handler **ret_handler, mr_error *err)
{
    const mr_native *native = stage->native;
    void *self = NULL;
    err->status = MR_OK;
    const mr_status status = native->open == NULL ? MR_OK : native->open(stage, &self, err);
    if (status != MR_OK) {
        return refuse_open(stage, status, err);
    }
    native_handler *handler = mr_alloc_zero(1, sizeof(*handler));
    handler->base.ops = &native_handler_ops;
    handler->stage = stage;
    handler->self = self;
    handler->schemas = mr_alloc_zero(native->n_functions, sizeof(handler->schemas[0]));
    for (size_t i = 0; i < native->n_functions; i++) {
        handler->schemas[i] =
            mr_schemas_find(stage->app->schemas, mr_bytes_text(native->functions[i].type));
    }
    *ret_handler = &handler->base;
    return MR_OK;
}

mr_status mr_native_check(const mr_app *app, mr_error *err)
{
    for (size_t i = 0; i < app->n_stages; i++) {
        if (app->stages[i].native != NULL) {
            mr_handler *handler;
            MR_TRY(mr_native_handler_new(&app->stages[i], &handler, err));
            mr_handler_free(handler);
        }
    }
    return MR_OK;
}
