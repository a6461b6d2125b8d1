/*
 * Goal: schemas of the Avro specification have its canonical forms and fingerprints, files refer to
 * each other, and what is wrong is told with file, place and reason. Method: the specification's
 * own test data (schema-tests.txt), tables of bad schemas, directories made for a test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "schema_fixture.h"

static int set_up(void **state)
{
    *state = mr_schemas_new();
    return 0;
}

static int tear_down(void **state)
{
    mr_schemas_free(*state);
    return 0;
}

static const struct {
    const char *json;
    const char *canonical;
    int64_t fingerprint;
} specification[] = {
    {"'null'", "'null'", INT64_C(7195948357588979594)},
    {"{'type':'boolean'}", "'boolean'", INT64_C(-6970731678124411036)},
    {"'int'", "'int'", INT64_C(8247732601305521295)},
    {"{'type':'long'}", "'long'", INT64_C(-3434872931120570953)},
    {"'float'", "'float'", INT64_C(5583340709985441680)},
    {"'double'", "'double'", INT64_C(-8181574048448539266)},
    {"'bytes'", "'bytes'", INT64_C(5746618253357095269)},
    {"'string'", "'string'", INT64_C(-8142146995180207161)},
    {"[ 'int'  ]", "['int']", INT64_C(-5232228896498058493)},
    {"[ 'int' , {'type':'boolean'} ]", "['int','boolean']", INT64_C(5392556393470105090)},
    {"{'fields':[], 'type':'record', 'name':'foo'}", "{'name':'foo','type':'record','fields':[]}",
     INT64_C(-4824392279771201922)},
    {"{'fields':[], 'type':'record', 'name':'foo', 'namespace':'x.y'}",
     "{'name':'x.y.foo','type':'record','fields':[]}", INT64_C(5916914534497305771)},
    {"{'fields':[], 'type':'record', 'name':'a.b.foo', 'namespace':'x.y'}",
     "{'name':'a.b.foo','type':'record','fields':[]}", INT64_C(-4616218487480524110)},
    {"{'fields':[], 'type':'record', 'name':'foo', 'doc':'foo', 'aliases':['foo','bar']}",
     "{'name':'foo','type':'record','fields':[]}", INT64_C(-4824392279771201922)},
    {"{'fields':[{'type':{'type':'boolean'}, 'name':'f1'}], 'type':'record', 'name':'foo'}",
     "{'name':'foo','type':'record','fields':[{'name':'f1','type':'boolean'}]}",
     INT64_C(7843277075252814651)},
    {"{ 'fields':[{'type':'boolean', 'aliases':[], 'name':'f1', 'default':true},"
     "{'order':'descending','name':'f2','doc':'Hello','type':'int'}],'type':'record', "
     "'name':'foo'}",
     "{'name':'foo','type':'record','fields':[{'name':'f1','type':'boolean'},"
     "{'name':'f2','type':'int'}]}",
     INT64_C(-4860222112080293046)},
    {"{'type':'enum', 'name':'foo', 'symbols':['A1']}",
     "{'name':'foo','type':'enum','symbols':['A1']}", INT64_C(-6342190197741309591)},
    {"{'namespace':'x.y.z', 'type':'enum', 'name':'foo', 'doc':'foo bar', 'symbols':['A1', 'A2']}",
     "{'name':'x.y.z.foo','type':'enum','symbols':['A1','A2']}", INT64_C(-4448647247586288245)},
    {"{'name':'foo','type':'fixed','size':15}", "{'name':'foo','type':'fixed','size':15}",
     INT64_C(1756455273707447556)},
    {"{'namespace':'x.y.z', 'type':'fixed', 'name':'foo', 'doc':'foo bar', 'size':32}",
     "{'name':'x.y.z.foo','type':'fixed','size':32}", INT64_C(-3064184465700546786)},
    {"{ 'items':{'type':'null'}, 'type':'array'}", "{'type':'array','items':'null'}",
     INT64_C(-589620603366471059)},
    {"{ 'values':'string', 'type':'map'}", "{'type':'map','values':'string'}",
     INT64_C(-8732877298790414990)},
};

static void canonical_forms_and_fingerprints_are_the_specifications(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ROWS(specification); i++) {
        mr_schemas *schemas = mr_schemas_new();
        const mr_schema *schema = must_add(schemas, specification[i].json);
        char *canonical = double_quoted(specification[i].canonical);
        assert_string_equal(mr_schema_canonical(schema), canonical);
        assert_true(mr_schema_fingerprint(schema) == (uint64_t)specification[i].fingerprint);
        assert_ptr_equal(mr_schemas_find_fingerprint(schemas, mr_schema_fingerprint(schema)),
                         schema);
        free(canonical);
        mr_schemas_free(schemas);
    }
    assert_true(UINT64_C(0x63dd24e7cc258f8a) == (uint64_t)specification[0].fingerprint);
    assert_true(UINT64_C(0x7275d51a3f395c8f) == (uint64_t)specification[2].fingerprint);
}

static void layout_is_aligned_and_looked_up_by_name(void **state)
{
    const mr_schema *schema = must_add(
        *state, "{'type':'record','name':'Many','namespace':'t','fields':["
                "{'name':'flag','type':'boolean'},"
                "{'name':'at','type':{'type':'long','logicalType':'timestamp-millis'}},"
                "{'name':'plain','type':'long'},"
                "{'name':'name','type':'string'},"
                "{'name':'maybe','type':['null','double']},"
                "{'name':'key','type':{'type':'fixed','name':'Key','size':3}},"
                "{'name':'color','type':{'type':'enum','name':'Color','symbols':['RED','GREEN']}},"
                "{'name':'items','type':{'type':'array','items':'Key'}},"
                "{'name':'tags','type':{'type':'map','values':'boolean'}},"
                "{'name':'nothing','type':'null'}]}");
    const mr_type *type = mr_schema_type(schema);
    assert_string_equal(mr_schema_name(schema), "t.Many");
    assert_string_equal(mr_schema_short_name(schema), "Many");
    size_t end = 0;
    for (size_t i = 0; i < type->n_fields; i++) {
        const mr_field *field = &type->fields[i];
        assert_int_equal(field->offset % field->type->align, 0);
        assert_true(field->offset >= end);
        end = field->offset + field->type->size;
        assert_int_equal(mr_type_field(type, mr_bytes_text(field->name)), i);
    }
    assert_true(end <= type->size && type->size % type->align == 0);
    assert_int_equal(mr_type_field(type, mr_bytes_text("nam")), -1);
    assert_int_equal(mr_type_field(type, MR_BYTES_NULL), -1);
    assert_true(type->fields[1].type->timestamp_millis);
    assert_false(type->fields[2].type->timestamp_millis);
    assert_ptr_equal(mr_type_optional(type->fields[4].type), type->fields[4].type->branches[1]);
    assert_null(mr_type_optional(type->fields[3].type));
    assert_true(type->fields[4].type->flat);
    assert_false(type->flat);
    assert_string_equal(type->fields[5].type->name, "t.Key");
    assert_int_equal(mr_type_symbol(type->fields[6].type, mr_bytes_text("GREEN")), 1);
    assert_int_equal(mr_type_symbol(type->fields[6].type, mr_bytes_text("green")), -1);
    assert_int_equal(type->fields[7].type->stride, 3);
    assert_int_equal(type->fields[8].type->stride, 24);
}

static void schemas_are_found_by_full_and_by_unique_short_name(void **state)
{
    (void)must_add(*state, "{'type':'record','name':'a.One','fields':[{'name':'x','type':"
                           "{'type':'record','name':'Two','fields':[]}}]}");
    (void)must_add(*state, "{'type':'record','name':'b.Two','fields':[]}");
    (void)must_add(*state, "['null','a.Two']");
    assert_int_equal(mr_schemas_count(*state), 3);
    assert_string_equal(mr_schema_name(mr_schemas_at(*state, 0)), "a.One");
    assert_string_equal(mr_schema_name(mr_schemas_at(*state, 1)), "a.Two");
    assert_string_equal(mr_schema_name(mr_schemas_at(*state, 2)), "b.Two");
    assert_non_null(mr_schemas_find(*state, mr_bytes_text("One")));
    assert_non_null(mr_schemas_find(*state, mr_bytes_text("a.Two")));
    assert_null(mr_schemas_find(*state, mr_bytes_text("Two")));
    assert_null(mr_schemas_find(*state, mr_bytes_text("c.One")));
    assert_null(mr_schemas_find(*state, MR_BYTES_NULL));
    assert_string_equal(mr_schemas_nearest(*state, "Onne"), "One");
    assert_string_equal(mr_schemas_nearest(*state, "b.Tow"), "b.Two");
    assert_null(mr_schemas_nearest(*state, "Something"));
}

static void a_new_version_is_current_and_the_old_one_found_by_fingerprint(void **state)
{
    const mr_schema *old = must_add(*state, "{'type':'record','name':'R','fields':[]}");
    const mr_schema *user = must_add(*state, "{'type':'record','name':'U','fields':["
                                             "{'name':'r','type':'R'}]}");
    const mr_schema *new = must_add(*state, "{'type':'record','name':'R','fields':["
                                            "{'name':'a','type':'int'}]}");
    assert_ptr_equal(mr_schemas_find(*state, mr_bytes_text("R")), new);
    assert_ptr_equal(mr_schemas_find_fingerprint(*state, mr_schema_fingerprint(old)), old);
    assert_ptr_equal(mr_schema_type(user)->fields[0].type, mr_schema_type(old));
    assert_int_equal(mr_schemas_count(*state), 2);
}

/* ---- What is wrong ---- */

#define RECORD(fields) "{'type':'record','name':'R','fields':[" fields "]}"
#define FIELD(type) "{'name':'f','type':" type "}"
#define DEFAULT(type, value) RECORD("{'name':'f','type':" type ",'default':" value "}")

static const struct {
    const char *json;
    const char *says;
} mistakes[] = {
    {"", "test: no JSON: "},
    {"  ", "test: no JSON: "},
    {"{'type':'record'", "test: no JSON: "},
    {"7", "test: $: a type is a name, an object or an array"},
    {"{}", "test: $: an object without 'type'"},
    {"'Item'", "test: $: unknown type 'Item'"},
    {RECORD(FIELD("'sting'")),
     "test: $.fields[0].type: unknown type 'sting', did you mean 'string'?"},
    {RECORD(FIELD("{'type':'array','items':'Knwon'}")),
     "test: $.fields[0].type.items: unknown type 'Knwon', did you mean 'Known'?"},
    {RECORD(FIELD("'elsewhere.Known'")), "did you mean 'somewhere.Known'?"},
    {RECORD(FIELD("'Known'")), "unknown type 'Known', did you mean 'somewhere.Known'?"},
    {RECORD(FIELD("{'type':'map','values':[]}")), "$.fields[0].type.values: a union of 0 types"},
    {RECORD(FIELD("{'type':'map'}")), "$.fields[0].type: map without 'values'"},
    {RECORD(FIELD("{'type':'array'}")), "array without 'items'"},
    {RECORD(FIELD("['int',['string']]")), "$.fields[0].type[1]: a union directly in a union"},
    {RECORD(FIELD("['int','string','int']")), "$.fields[0].type[2]: 'int' is twice in a union"},
    {RECORD(FIELD("'int'") "," FIELD("'long'")), "$: field 'f' is there twice in 'R'"},
    {RECORD("{'type':'int'}"), "$.fields[0]: field without a name"},
    {RECORD("{'name':'a b','type':'int'}"), "'a b' is no name for a field"},
    {RECORD("{'name':'f'}"), "$.fields[0]: field 'f' has no type"},
    {"{'type':'record','name':'R'}", "record 'R' has no array of fields"},
    {"{'type':'record','fields':[]}", "$: record without a name"},
    {"{'type':'record','name':'9R','fields':[]}", "'9R' is no name"},
    {"{'type':'record','name':'a..R','fields':[]}", "'a..R' is no name"},
    {"{'type':'record','name':'R','namespace':'a b','fields':[]}",
     "the namespace of 'R' is no name"},
    {"{'type':'record','name':'int','fields':[]}", "'int' is the name of a primitive type"},
    {RECORD(FIELD("{'type':'fixed','name':'R','size':1}")), "'R' is defined twice"},
    {"{'type':'fixed','name':'F','size':-1}", "the size of fixed 'F' is no number from 0"},
    {"{'type':'fixed','name':'F'}", "the size of fixed 'F'"},
    {"{'type':'fixed','name':'F','size':2000000}", "the size of fixed 'F'"},
    {"{'type':'enum','name':'E','symbols':[]}", "enum 'E' has no array of symbols"},
    {"{'type':'enum','name':'E','symbols':['A','B','A']}", "symbol 'A' is there twice in 'E'"},
    {"{'type':'enum','name':'E','symbols':['A','B-']}", "symbol 1 of enum 'E' is no name"},
    {"{'type':'enum','name':'E','symbols':['A'],'default':'B'}",
     "the default of enum 'E' is none of its symbols"},
    {"{'type':'record','name':'R','aliases':'x','fields':[]}", "'aliases' is no array"},
    {"{'type':'record','name':'R','aliases':['a-'],'fields':[]}", "'aliases' has what is no name"},
    {RECORD(FIELD("'R'")), "field 'f' of 'R' holds 'R' within itself"},
    {RECORD(FIELD("['null','R']")), "'R' holds itself in a union"},
    {RECORD(FIELD("{'type':'record','name':'S','fields':[{'name':'g','type':'R'}]}")),
     "field 'g' of 'S' holds 'R' within itself"},
    {DEFAULT("'int'", "1.5"), "test: the default of field 'f' of 'R' is not of type int"},
    {DEFAULT("'int'", "3000000000"), "is not of type int"},
    {DEFAULT("'long'", "'1'"), "is not of type long"},
    {DEFAULT("'boolean'", "0"), "is not of type boolean"},
    {DEFAULT("'boolean'", "'true'"), "is not of type boolean"},
    {DEFAULT("'float'", "1e300"), "is not of type float"},
    {DEFAULT("'double'", "null"), "is not of type double"},
    {DEFAULT("'string'", "1"), "is not of type string"},
    {DEFAULT("'bytes'", "'\xe2\x82\xac'"), "has a code point over 255"},
    {DEFAULT("{'type':'fixed','name':'F','size':2}", "'abc'"), "has 3 bytes, 'F' has 2"},
    {DEFAULT("{'type':'enum','name':'E','symbols':['A']}", "'B'"), "is no symbol of 'E'"},
    {DEFAULT("{'type':'array','items':'int'}", "[1,'x']"), "is not of type int"},
    {DEFAULT("{'type':'array','items':'int'}", "{}"), "is not of type array"},
    {DEFAULT("{'type':'map','values':'int'}", "[]"), "is not of type map"},
    {DEFAULT("['null','string']", "'x'"), "is not of type null, the first of the union"},
    {DEFAULT("['string','null']", "null"), "is not of type string, the first of the union"},
    {DEFAULT("{'type':'record','name':'S','fields':[{'name':'g','type':'int'}]}", "{}"),
     "leaves out 'g' of 'S'"},
    {DEFAULT("{'type':'record','name':'S','fields':[]}", "{'h':1}"),
     "'h', which is no field of 'S'"},
};

static void mistakes_are_named_with_their_place(void **state)
{
    (void)must_add(*state, "{'type':'record','name':'somewhere.Known','fields':[]}");
    for (size_t i = 0; i < N_ROWS(mistakes); i++) {
        char *json = double_quoted(mistakes[i].json);
        mr_error err = {0};
        const mr_schema *schema = NULL;
        assert_int_equal(mr_schemas_add(*state, json, "test", &schema, &err), MR_ERR_DATA);
        if (strstr(err.message, mistakes[i].says) == NULL) {
            fail_msg("%s gives \"%s\" and not \"%s\"", json, err.message, mistakes[i].says);
        }
        assert_null(schema);
        assert_int_equal(mr_schemas_count(*state), 1);
        free(json);
    }
}

static void assert_refused(mr_schemas *schemas, const char *json, const char *says)
{
    mr_error err = {0};
    const mr_schema *schema = NULL;
    assert_int_equal(mr_schemas_add(schemas, json, "test", &schema, &err), MR_ERR_DATA);
    assert_non_null(strstr(err.message, says));
}

static void huge_and_deep_schemas_are_refused(void **state)
{
    enum { DEEP = 300000 };
    mr_buf deep = MR_BUF_NULL;
    for (int i = 0; i < DEEP; i++) {
        mr_buf_append_byte(&deep, '[');
    }
    assert_refused(*state, mr_buf_text(&deep), "nested too deeply");
    /* A quote in a comment does not hide what follows. */
    mr_buf_clear(&deep);
    mr_buf_append_text(&deep, "/* \" */ // \"\n");
    for (int i = 0; i < DEEP; i++) {
        mr_buf_append_byte(&deep, '[');
    }
    assert_refused(*state, mr_buf_text(&deep), "nested too deeply");
    mr_buf_clear(&deep);
    for (int i = 0; i < 100; i++) {
        mr_buf_append_text(&deep, "{\"type\":\"array\",\"items\":");
    }
    mr_buf_append_text(&deep, "\"int\"");
    for (int i = 0; i < 100; i++) {
        mr_buf_append_byte(&deep, '}');
    }
    assert_refused(*state, mr_buf_text(&deep), "types within each other");
    /* Each of 40 records holds the one before twice: 2^40 fields in a few lines. */
    mr_buf_clear(&deep);
    (void)must_add(*state, "{'type':'record','name':'N0','fields':[]}");
    mr_error err = {0};
    mr_status status = MR_OK;
    for (int i = 1; i < 40 && status == MR_OK; i++) {
        mr_buf_clear(&deep);
        mr_buf_printf(&deep,
                      "{\"type\":\"record\",\"name\":\"N%d\",\"fields\":[{\"name\":\"a\",\"type\":"
                      "\"N%d\"},{\"name\":\"b\",\"type\":\"N%d\"}]}",
                      i, i - 1, i - 1);
        const mr_schema *schema = NULL;
        status = mr_schemas_add(*state, mr_buf_text(&deep), "test", &schema, &err);
    }
    assert_int_equal(status, MR_ERR_DATA);
    assert_non_null(strstr(err.message, "would take more than"));
    mr_buf_deinit(&deep);
}

static void recursion_through_arrays_and_maps_is_accepted(void **state)
{
    const mr_schema *schema =
        must_add(*state, "{'type':'record','name':'Node','fields':["
                         "{'name':'kids','type':{'type':'array','items':['null','Node']},"
                         "'default':[]},"
                         "{'name':'named','type':{'type':'map','values':'Node'}},"
                         "{'name':'n','type':'int','default':4}]}");
    const mr_type *type = mr_schema_type(schema);
    const mr_type *kids = type->fields[0].type;
    assert_true(kids->stride >= type->size);
    assert_ptr_equal(kids->items->branches[1], type);
    void *value = mr_value_new(type);
    void *kid = mr_array_push(kids, mr_field_at(type, value, 0));
    mr_union_select(kids->items, kid, 1);
    assert_int_equal(*(int32_t *)mr_field_at(type, mr_union_payload(kids->items, kid), 2), 4);
    mr_value_free(type, value);
}

/* ---- Texts ---- */

static void json_is_self_contained(void **state)
{
    (void)must_add(*state, "{'type':'enum','name':'Color','namespace':'a','doc':'c',"
                           "'symbols':['RED']}");
    (void)must_add(*state, "{'type':'record','name':'Inner','namespace':'a.b','doc':'i','fields':["
                           "{'name':'c','type':'a.Color'}]}");
    const mr_schema *schema = must_add(
        *state, "{'namespace':'z','type':'record','name':'Outer','fields':["
                "{'name':'x','type':'a.b.Inner','doc':'first \\u00e9'},"
                "{'name':'y','type':{'type':'array','items':['null','a.Color']},'default':[]},"
                "{'name':'t','type':{'type':'long','logicalType':'timestamp-millis'},"
                "'default':10},"
                "{'name':'w','type':{'type':'map','values':'a.b.Inner'}}]}");
    (void)schema;
    char *expected = double_quoted(
        "{'type':'record','name':'Outer','namespace':'z','fields':["
        "{'name':'x','type':{'type':'record','name':'Inner','namespace':'a.b','doc':'i','fields':["
        "{'name':'c','type':{'type':'enum','name':'Color','namespace':'a','doc':'c',"
        "'symbols':['RED']}}]},'doc':'first \xc3\xa9'},"
        "{'name':'y','type':{'type':'array','items':['null','a.Color']},'default':[]},"
        "{'name':'t','type':{'type':'long','logicalType':'timestamp-millis'},'default':10},"
        "{'name':'w','type':{'type':'map','values':'a.b.Inner'}}]}");
    /* The definition's own namespace goes behind its name; the rest stays as it was. */
    assert_string_equal(mr_schema_json(schema), expected);
    mr_schemas *alone = mr_schemas_new();
    const mr_schema *again = must_add(alone, expected);
    assert_true(mr_schema_fingerprint(again) == mr_schema_fingerprint(schema));
    assert_string_equal(mr_schema_json(again), mr_schema_json(schema));
    free(expected);
    mr_schemas_free(alone);
}

static void zero_bytes_in_defaults_stay(void **state)
{
    const mr_schema *schema = must_add(
        *state, "{'type':'record','name':'R','doc':'a\\u0000b \\\\u0000','fields':["
                "{'name':'y','type':'bytes','default':'\\u0000\\u00ff\\u0000'},"
                "{'name':'s','type':'string','default':'\\u0000'},"
                "{'name':'f','type':{'type':'fixed','name':'F','size':2},'default':'\\u0000x'}]}");
    const mr_type *type = mr_schema_type(schema);
    void *value = mr_value_new(type);
    assert_true(
        mr_bytes_equal(mr_string_bytes(mr_field_at(type, value, 0)), mr_bytes_of("\0\xff\0", 3)));
    assert_true(mr_bytes_equal(mr_string_bytes(mr_field_at(type, value, 1)), mr_bytes_of("\0", 1)));
    assert_memory_equal(mr_field_at(type, value, 2), "\0x", 2);
    assert_non_null(strstr(mr_schema_json(schema), "\"a\\u0000b \\\\u0000\""));
    assert_non_null(strstr(mr_schema_json(schema), "\"default\":\"\\u0000\xc3\xbf\\u0000\""));
    mr_value_free(type, value);
    assert_refused(*state, "{\"type\":\"int\",\"doc\":\"\xf4\x8f\xbf\xbf\"}",
                   "which is no character");
    assert_refused(*state, "\"\xff\"", "the text is not UTF-8");
}

static void attributes_may_be_null(void **state)
{
    const mr_schema *schema =
        must_add(*state, "{'type':'record','name':'a.R','namespace':null,'aliases':null,'doc':null,"
                         "'fields':[{'name':'x','type':'int','aliases':null}]}");
    assert_string_equal(mr_schema_name(schema), "a.R");
}

static void two_definitions_of_one_name_do_not_mix(void **state)
{
    (void)must_add(*state, "{'type':'record','name':'Box','fields':[{'name':'i','type':"
                           "{'type':'record','name':'Item','fields':[]}}]}");
    char *json = double_quoted("{'type':'record','name':'Cart','fields':["
                               "{'name':'item','type':{'type':'record','name':'Item','fields':["
                               "{'name':'n','type':'int'}]}},{'name':'box','type':'Box'}]}");
    assert_refused(*state, json, "it needs two different definitions of 'Item'");
    free(json);
    /* The same definition twice is none of two. */
    (void)must_add(*state, "{'type':'record','name':'Cart','fields':["
                           "{'name':'item','type':{'type':'record','name':'Item','fields':[]}},"
                           "{'name':'box','type':'Box'}]}");
}

/* ---- Directories ---- */

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    (void)mkdir(path, 0700);
    *slash = '/';
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    char *json = double_quoted(text);
    assert_true(fputs(json, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(json);
}

static void remove_tree(const char *directory)
{
    char command[600];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    assert_int_equal(system(command), 0);
}

static void load_failing(const char *directory, const char *says)
{
    mr_schemas *schemas = mr_schemas_new();
    mr_error err = {0};
    assert_int_equal(mr_schemas_load(schemas, directory, &err), MR_ERR_USAGE);
    assert_int_equal(err.action, MR_ACT_STOP);
    if (strstr(err.message, says) == NULL) {
        fail_msg("\"%s\" and not \"%s\"", err.message, says);
    }
    mr_schemas_free(schemas);
}

static void files_refer_to_each_other_in_any_order(void **state)
{
    char directory[] = "/tmp/millrace-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    write_file(directory, "a.avsc",
               "{'type':'record','name':'t.A','fields':["
               "{'name':'b','type':'B'},{'name':'c','type':'t.C'}]}");
    write_file(directory, "b.avsc",
               "{'type':'record','name':'t.B','fields':["
               "{'name':'c','type':{'type':'array','items':'C'}}]}");
    write_file(directory, "sub/c.avsc", "{'type':'enum','name':'t.C','symbols':['X']}");
    write_file(directory, "history/c1.avsc", "{'type':'enum','name':'t.C','symbols':['OLD']}");
    write_file(directory, "history/d.avsc", "{'type':'array','items':'t.A'}");
    write_file(directory, "notes.txt", "no schema");
    write_file(directory, ".hidden.avsc", "no schema either");
    mr_error err = {0};
    if (mr_schemas_load(*state, directory, &err) != MR_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(mr_schemas_count(*state), 3);
    const mr_schema *c = mr_schemas_find(*state, mr_bytes_text("C"));
    assert_string_equal(mr_schema_type(c)->symbols[0], "X");
    mr_schemas *other = mr_schemas_new();
    const mr_schema *old = must_add(other, "{'type':'enum','name':'t.C','symbols':['OLD']}");
    const mr_schema *found = mr_schemas_find_fingerprint(*state, mr_schema_fingerprint(old));
    assert_non_null(found);
    assert_string_equal(mr_schema_type(found)->symbols[0], "OLD");
    mr_schemas_free(other);
    remove_tree(directory);
}

static void a_directory_with_a_mistake_names_the_file(void **state)
{
    (void)state;
    char directory[] = "/tmp/millrace-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    load_failing("/nowhere/at/all", "schemas directory '/nowhere/at/all': No such file");
    write_file(directory, "a.avsc",
               "{'type':'record','name':'A','fields':["
               "{'name':'x','type':'Carr'}]}");
    write_file(directory, "cart.avsc", "{'type':'record','name':'Cart','fields':[]}");
    load_failing(directory, "/a.avsc: $.fields[0].type: unknown type 'Carr', did you mean 'Cart'?");
    write_file(directory, "a.avsc",
               "{'type':'record','name':'Cart','fields':["
               "{'name':'x','type':'int'}]}");
    load_failing(directory, "/cart.avsc: 'Cart' is defined differently in ");
    write_file(directory, "a.avsc", "{'type':'record','name':'Cart','fields':[");
    load_failing(directory, "/a.avsc: no JSON: ");
    write_file(directory, "a.avsc", "{'type':'record','name':'Cart','doc':'same','fields':[]}");
    mr_schemas *schemas = mr_schemas_new();
    mr_error err = {0};
    assert_int_equal(mr_schemas_load(schemas, directory, &err), MR_OK);
    mr_schemas_free(schemas);
    remove_tree(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_forms_and_fingerprints_are_the_specifications),
        cmocka_unit_test_setup_teardown(layout_is_aligned_and_looked_up_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(schemas_are_found_by_full_and_by_unique_short_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_new_version_is_current_and_the_old_one_found_by_fingerprint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mistakes_are_named_with_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(huge_and_deep_schemas_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(recursion_through_arrays_and_maps_is_accepted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(json_is_self_contained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(zero_bytes_in_defaults_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(attributes_may_be_null, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_definitions_of_one_name_do_not_mix, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_refer_to_each_other_in_any_order, set_up, tear_down),
        cmocka_unit_test(a_directory_with_a_mistake_names_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
