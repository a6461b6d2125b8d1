#include "script/lua_fold.h"

#include <mr/fold.h>

#include "core/alloc.h"
#include "script/lua_convert.h"
#include "script/lua_proxy.h"
#include "script/lua_sandbox.h"

/* A userdata: its content, the table or the name of a field or nil, is its user value. */
typedef struct declaration {
    mr_lua_object object;
    uint32_t limit; /* of top */
    size_t word;
} declaration;

enum { FOLD = 0 };

static const struct {
    const char *name;
    mr_fold_operator operation; /* not of fold itself */
    const char *takes;
} words[] = {
    [FOLD] = {"fold", 0, "a table: fold { into = \"totals\", set = { Sum = sum(\"Amount\") } }"},
    {"count", MR_FOLD_COUNT, "nothing or the name of a field: count() or count(\"Amount\")"},
    {"sum", MR_FOLD_SUM, "the name of a field: sum(\"Amount\")"},
    {"min", MR_FOLD_MIN, "the name of a field: min(\"Amount\")"},
    {"max", MR_FOLD_MAX, "the name of a field: max(\"Amount\")"},
    {"last", MR_FOLD_LAST, "the name of a field: last(\"Amount\")"},
    {"top", MR_FOLD_TOP, "how many, 1 to 1000, and the name of a field: top(3, \"Amount\")"},
};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };
_Static_assert(MR_FOLD_TOP_MAX == 1000, "the text of top says so");

/* ---- Declaring ---- */

/* Whether the arguments are what the word takes; its content is then at the top of the stack. */
static bool take_arguments(lua_State *L, size_t word, uint32_t *ret_limit)
{
    int n = lua_gettop(L);
    if (word != FOLD && words[word].operation == MR_FOLD_TOP) {
        const lua_Integer limit = lua_isinteger(L, 1) ? lua_tointeger(L, 1) : 0;
        if (n != 2 || limit < 1 || limit > MR_FOLD_TOP_MAX) {
            return false;
        }
        *ret_limit = (uint32_t)limit;
        n--;
    }
    if (word != FOLD && words[word].operation == MR_FOLD_COUNT && n == 0) {
        lua_pushnil(L);
        return true;
    }
    return n == 1 && lua_type(L, -1) == (word == FOLD ? LUA_TTABLE : LUA_TSTRING);
}

/* Upvalue: the word. */
static int declare(lua_State *L)
{
    declaration made = {.object = MR_LUA_DECLARED,
                        .word = (size_t)lua_tointeger(L, lua_upvalueindex(1))};
    if (!take_arguments(L, made.word, &made.limit)) {
        return luaL_error(L, "%s takes %s", words[made.word].name, words[made.word].takes);
    }
    declaration *kept = lua_newuserdatauv(L, sizeof(*kept), 1);
    *kept = made;
    lua_insert(L, -2);
    (void)lua_setiuservalue(L, -2, 1);
    return 1;
}

void mr_lua_fold_open(lua_State *L)
{
    for (size_t i = 0; i < N_WORDS; i++) {
        lua_pushinteger(L, (lua_Integer)i);
        lua_pushcclosure(L, declare, 1);
        mr_lua_set_global(L, words[i].name);
    }
}

void mr_lua_fold_close(lua_State *L)
{
    mr_lua_push_environment(L);
    for (size_t i = 0; i < N_WORDS; i++) {
        lua_pushstring(L, words[i].name);
        (void)lua_rawget(L, -2);
        if (lua_tocfunction(L, -1) == declare) {
            lua_pushnil(L);
            lua_setfield(L, -3, words[i].name);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

bool mr_lua_is_fold_global(const char *name)
{
    for (size_t i = 0; i < N_WORDS; i++) {
        if (strcmp(words[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static const declaration *declaration_at(lua_State *L, int index)
{
    const declaration *found =
        lua_type(L, index) == LUA_TUSERDATA ? lua_touserdata(L, index) : NULL;
    return found != NULL && found->object == MR_LUA_DECLARED ? found : NULL;
}

const char *mr_lua_declared(lua_State *L, int index)
{
    const declaration *found = declaration_at(L, index);
    return found == NULL ? NULL : words[found->word].name;
}

/* ---- Reading ---- */

typedef struct fold_target {
    mr_stage *stage;
    const mr_schema *event;
    mr_fold_plan *plan; /* once `into` is read */
    bool has_key;
} fold_target;

static const char *expect_text(const mr_lua_reader *reader, const mr_lua_at *at, const char *what)
{
    if (lua_type(reader->L, -1) != LUA_TSTRING) {
        (void)mr_lua_at_error(reader, at, "must be %s, not a %s", what,
                              luaL_typename(reader->L, -1));
    }
    return lua_tostring(reader->L, -1);
}

static void read_into(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                      void *target)
{
    (void)field;
    fold_target *fold = target;
    mr_stage *stage = fold->stage;
    const char *name = expect_text(reader, at, "the name of a store");
    const mr_store_spec *store = mr_stage_store(stage, name);
    if (store == NULL) {
        (void)mr_lua_at_error(reader, at, "stage '%s' has no store '%s'%s", stage->name, name,
                              mr_lua_suggestion(reader->L, name,
                                                (const char *const *)&stage->stores[0].name,
                                                stage->n_stores, sizeof(stage->stores[0])));
    }
    stage->folds = mr_realloc(stage->folds, (stage->n_folds + 1) * sizeof(stage->folds[0]));
    fold->plan = mr_fold_plan_new(stage, (size_t)(store - stage->stores), fold->event);
    stage->folds[stage->n_folds++] = fold->plan;
}

static void set_key(const mr_lua_reader *reader, const mr_lua_at *at, fold_target *fold,
                    const char *const *names, size_t n)
{
    mr_error err;
    if (mr_fold_plan_key(fold->plan, names, n, &err) != MR_OK) {
        (void)mr_lua_at_error(reader, at, "%s", err.message);
    }
    fold->has_key = true;
}

/* The name of a field or a list of them. */
static void read_key(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                     void *target)
{
    static const char what[] = "the name of a field or a list of 1 to 8 of them";
    (void)field;
    lua_State *L = reader->L;
    const char *names[MR_KEY_PARTS_MAX];
    if (!lua_istable(L, -1)) {
        names[0] = expect_text(reader, at, what);
        set_key(reader, at, target, names, 1);
        return;
    }
    const size_t n = (size_t)lua_rawlen(L, -1);
    if (n == 0 || n > MR_KEY_PARTS_MAX) {
        (void)mr_lua_at_error(reader, at, "must be %s", what);
    }
    for (size_t i = 0; i < n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i + 1);
        names[i] = expect_text(reader, at, what); /* the list keeps it alive */
        lua_pop(L, 1);
    }
    set_key(reader, at, target, names, n);
}

/* The operator on the top of the stack. */
static void read_rule(const mr_lua_reader *reader, const mr_lua_at *at, fold_target *fold)
{
    lua_State *L = reader->L;
    const declaration *declared = declaration_at(L, -1);
    if (declared == NULL || declared->word == FOLD) {
        (void)mr_lua_at_error(reader, at,
                              "must be count, sum, min, max, last or top of a field, such as "
                              "sum(\"Amount\"), not a %s",
                              declared == NULL ? luaL_typename(L, -1) : words[FOLD].name);
        return;
    }
    (void)lua_getiuservalue(L, -1, 1);
    const mr_fold_rule rule = {.operation = words[declared->word].operation,
                               .field = lua_tostring(L, -1),
                               .limit = declared->limit};
    mr_error err;
    if (mr_fold_plan_set(fold->plan, at->name, &rule, &err) != MR_OK) {
        (void)mr_lua_at_error(reader, at, "%s", err.message);
    }
    lua_pop(L, 1);
}

/* From names of the row's fields to operators. */
static void read_set(const mr_lua_reader *reader, const mr_lua_at *at, const mr_lua_field *field,
                     void *target)
{
    (void)field;
    lua_State *L = reader->L;
    const size_t n = mr_lua_read_names(reader, at);
    if (n == 0) {
        (void)mr_lua_at_error(reader, at, "has no field");
    }
    for (size_t i = 1; i <= n; i++) {
        (void)lua_rawgeti(L, -1, (lua_Integer)i);
        const mr_lua_at below = mr_lua_at_below(reader, at, lua_tostring(L, -1), 0);
        lua_pushvalue(L, -1);
        (void)lua_rawget(L, -4);
        read_rule(reader, &below, target);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

void mr_lua_fold_read(const mr_lua_reader *reader, const mr_lua_at *at, mr_stage *stage,
                      const mr_schema *event)
{
    static const mr_lua_field fields[] = {
        {.name = "into", .read = read_into, .required = true}, /* first: it makes the plan */
        {.name = "key", .read = read_key},
        {.name = "set", .read = read_set, .required = true},
    };
    lua_State *L = reader->L;
    fold_target target = {.stage = stage, .event = event};
    (void)lua_getiuservalue(L, -1, 1);
    mr_lua_read_fields(reader, at, fields, sizeof(fields) / sizeof(fields[0]), &target);
    lua_pop(L, 1);
    if (!target.has_key) {
        set_key(reader, at, &target, NULL, 0);
    }
}
