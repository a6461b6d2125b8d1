/*
 * Goal: typed values go to JSON and back without loss, and JSON that does not fit is refused with
 * the path. Method: a schema with every type; rows of JSON and what is printed or said; mutations
 * of a good text from a fixed seed, which must never do more than fail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/value.h>

static const char schema_text[] =
    "{'type':'record','name':'All','namespace':'a.b','fields':["
    "{'name':'Nothing','type':'null','default':null},"
    "{'name':'Flag','type':'boolean','default':false},"
    "{'name':'Small','type':'int','default':0},"
    "{'name':'Large','type':'long','default':-7},"
    "{'name':'When','type':{'type':'long','logicalType':'timestamp-millis'},'default':0},"
    "{'name':'Single','type':'float','default':0},"
    "{'name':'Double','type':'double','default':0},"
    "{'name':'Raw','type':'bytes','default':''},"
    "{'name':'Text','type':'string','default':'preset'},"
    "{'name':'Two','type':{'type':'fixed','name':'Two','size':2},'default':'..'},"
    "{'name':'Color','type':{'type':'enum','name':'Color','symbols':['RED','GREEN','BLUE']},"
    "'default':'RED'},"
    "{'name':'Items','type':{'type':'array','items':{'type':'record','name':'Item','fields':["
    "{'name':'Id','type':'string'},{'name':'Quantity','type':'int','default':1}]}},'default':[]},"
    "{'name':'Prices','type':{'type':'map','values':{'type':'array','items':'long'}},'default':{}},"
    "{'name':'Maybe','type':['null','string'],'default':null},"
    "{'name':'Other','type':['null','Item'],'default':null},"
    "{'name':'Mixed','type':['null','boolean','int','long','double','Color','string',"
    "{'type':'array','items':'int'},'Item'],'default':null},"
    "{'name':'Late','type':['long','null'],'default':5},"
    "{'name':'Tree','type':{'type':'array','items':{'type':'record','name':'Node','fields':["
    "{'name':'Below','type':{'type':'array','items':'Node'}}]}},'default':[]}"
    "]}";

typedef struct fixture {
    mr_schemas *schemas;
    const mr_type *type;
    void *value;
    mr_error err;
    mr_buf printed;
} fixture;

/* Quotes are ' in the texts of this file, to be read without backslashes. */
static char *quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return copy;
}

static const mr_type *add(fixture *f, const char *text)
{
    char *json = quoted(text);
    const mr_schema *schema = NULL;
    const mr_status status = mr_schemas_add(f->schemas, json, "test", &schema, &f->err);
    free(json);
    if (status != MR_OK) {
        fail_msg("%s", f->err.message);
    }
    return mr_schema_type(schema);
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->schemas = mr_schemas_new();
    f->type = add(f, schema_text);
    f->value = mr_value_new(f->type);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    mr_value_free(f->type, f->value);
    mr_schemas_free(f->schemas);
    mr_buf_deinit(&f->printed);
    free(f);
    return 0;
}

static mr_status read_bytes(fixture *f, mr_bytes json)
{
    f->err = (mr_error){0};
    /* A copy of the exact length, so that the sanitizer sees a step past the end. */
    uint8_t *copy = malloc(json.len == 0 ? 1 : json.len);
    memcpy(copy, json.data, json.len);
    const mr_status status =
        mr_value_from_json(f->type, mr_bytes_of(copy, json.len), f->value, &f->err);
    free(copy);
    return status;
}

static mr_status read_text(fixture *f, const char *text)
{
    char *json = quoted(text);
    const mr_status status = read_bytes(f, mr_bytes_text(json));
    free(json);
    return status;
}

static const char *print(fixture *f)
{
    mr_buf_clear(&f->printed);
    mr_value_to_json(f->type, f->value, &f->printed);
    return mr_buf_text(&f->printed);
}

/* The printed text of one field, in ' quotes. */
static char *printed_field(fixture *f, const char *name)
{
    const int field = mr_type_field(f->type, mr_bytes_text(name));
    assert_true(field >= 0);
    mr_buf text = MR_BUF_NULL;
    mr_value_to_json(f->type->fields[field].type, mr_field_at(f->type, f->value, (size_t)field),
                     &text);
    for (size_t i = 0; i < text.len; i++) {
        text.data[i] = text.data[i] == '"' ? '\'' : text.data[i];
    }
    return (char *)text.data;
}

static void what_is_missing_has_its_default(void **state)
{
    fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(read_text(f, "{}"), MR_OK);
        char *all = quoted(
            "{'Nothing':null,'Flag':false,'Small':0,'Large':-7,'When':0,'Single':0,'Double':0,"
            "'Raw':'','Text':'preset','Two':'..','Color':'RED','Items':[],'Prices':{},"
            "'Maybe':null,'Other':null,'Mixed':null,'Late':5,'Tree':[]}");
        assert_string_equal(print(f), all);
        free(all);
        /* The second round begins with a value that is full of other things. */
        assert_int_equal(read_text(f, "{'Flag':true,'Small':1,'Large':2,'When':3,'Single':4,"
                                      "'Double':5,'Raw':'6','Text':'7','Two':'88','Color':'BLUE',"
                                      "'Items':[{'Id':'9'}],'Prices':{'a':[1]},'Maybe':'b',"
                                      "'Other':{'Id':'c'},'Mixed':[1],'Late':null,"
                                      "'Tree':[{'Below':[]}]}"),
                         MR_OK);
    }
}

static void a_field_is_read_and_printed(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *name, *json, *printed; /* NULL: as it was read */
    } rows[] = {
        {"Nothing", "null", NULL},
        {"Flag", "true", NULL},
        {"Small", "-2147483648", NULL},
        {"Small", "2147483647", NULL},
        {"Small", "-0", "0"},
        {"Large", "-9223372036854775808", NULL},
        {"Large", "9223372036854775807", NULL},
        {"Large", "9007199254740993", NULL},
        {"When", "1587414600250", NULL},
        {"When", "'2020-04-20T20:30:00.250Z'", "1587414600250"},
        {"When", "'2020-04-20T22:30:00.250+02:00'", "1587414600250"},
        {"Single", "0.1", NULL},
        {"Single", "16777217", "16777216"},
        {"Single", "3.4028235e38", "3.4028235e+38"},
        {"Single", "1e-60", "0"},
        {"Single", "'NaN'", NULL},
        {"Double", "0.1", NULL},
        {"Double", "0.30000000000000004", NULL},
        {"Double", "-0.0", "-0"},
        {"Double", "1.7976931348623157e308", "1.7976931348623157e+308"},
        {"Double", "5e-324", "4.94065645841247e-324"},
        {"Double", "1e-400", "0"},
        {"Double", "12345678901234567890123456789012345678901234567890123456789012345678901234567",
         "1.2345678901234568e+76"},
        {"Double", "'Infinity'", NULL},
        {"Double", "'-Infinity'", NULL},
        {"Raw", "'a\\u0000\\u00ff\\u007f'", NULL},
        {"Raw", "'\xc3\xbf\xc2\x80'", "'\\u00ff\\u0080'"},
        {"Text", "''", NULL},
        {"Text", "'\xc3\xa9 \xf0\x9f\x8e\xab \\u0000 \\u001f \\\\ /'", NULL},
        {"Text", "'\\u00e9\\ud83c\\udfab\\/'", "'\xc3\xa9\xf0\x9f\x8e\xab/'"},
        {"Text", "'null'", NULL},
        {"Two", "'\\u0001\\u00fe'", NULL},
        {"Color", "'BLUE'", NULL},
        {"Items", "[{'Id':'a','Quantity':3},{'Quantity':4,'Id':''}]",
         "[{'Id':'a','Quantity':3},{'Id':'','Quantity':4}]"},
        {"Items", "[{'Id':'a'}]", "[{'Id':'a','Quantity':1}]"},
        {"Prices", "{'b':[1],'a':[],'':[3],'aa':[4,5]}", "{'':[3],'a':[],'aa':[4,5],'b':[1]}"},
        {"Prices", "{'\\u0000':[],'\\u00e9':[]}", "{'\\u0000':[],'\xc3\xa9':[]}"},
        {"Maybe", "null", NULL},
        {"Maybe", "'null'", NULL},
        {"Other", "{'Id':'a','Quantity':2}", NULL},
        {"Mixed", "null", NULL},
        {"Mixed", "false", NULL},
        {"Mixed", "1", NULL},
        {"Mixed", "2147483648", NULL},
        {"Mixed", "1.5", NULL},
        {"Mixed", "9223372036854775808", "9.223372036854776e+18"},
        {"Mixed", "'NaN'", NULL},
        {"Mixed", "'GREEN'", NULL},
        {"Mixed", "'GREENISH'", NULL},
        {"Mixed", "[1,2]", NULL},
        {"Mixed", "{'Id':'x','Quantity':1}", NULL},
        {"Late", "null", NULL},
        {"Late", "6", NULL},
        {"Tree", "[{'Below':[{'Below':[]},{'Below':[]}]}]", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), " { '%s' :\n%s } ", rows[i].name, rows[i].json);
        if (read_text(f, text) != MR_OK) {
            fail_msg("%s: %s", text, f->err.message);
        }
        char *printed = printed_field(f, rows[i].name);
        assert_string_equal(printed, rows[i].printed == NULL ? rows[i].json : rows[i].printed);
        free(printed);
        /* What is printed is read as the same value. */
        void *first = f->value;
        f->value = mr_value_new(f->type);
        mr_buf whole = MR_BUF_NULL;
        mr_value_to_json(f->type, first, &whole);
        assert_int_equal(read_bytes(f, mr_buf_bytes(&whole)), MR_OK);
        assert_true(mr_value_equal(f->type, first, f->value));
        mr_value_free(f->type, first);
        mr_buf_deinit(&whole);
    }
}

static void the_branch_of_a_union_is_the_first_that_fits(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *json;
        int branch;
    } rows[] = {
        {"null", 0},  {"true", 1},  {"-1", 2}, {"-2147483649", 3}, {"1e0", 4},
        {"'RED'", 5}, {"'red'", 6}, {"[]", 7}, {"{'Id':''}", 8},   {"'Infinity'", 4},
    };
    const int field = mr_type_field(f->type, mr_bytes_text("Mixed"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "{'Mixed':%s}", rows[i].json);
        assert_int_equal(read_text(f, text), MR_OK);
        const mr_union *chosen = mr_field_at(f->type, f->value, (size_t)field);
        assert_int_equal(chosen->branch, rows[i].branch);
    }
}

static void what_does_not_fit_is_said_with_its_path(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *json, *message;
    } rows[] = {
        {"[]", "expected an object (record), got an array"},
        {"null", "expected an object (record), got null"},
        {"{'Nothing':0}", "Nothing: expected null, got 0"},
        {"{'Flag':'true'}", "Flag: expected true or false, got a string"},
        {"{'Flag':0}", "Flag: expected true or false, got 0"},
        {"{'Small':2147483648}", "Small: expected a whole number of 32 bits, got 2147483648"},
        {"{'Small':1.5}", "Small: expected a whole number of 32 bits, got 1.5"},
        {"{'Small':1e2}", "Small: expected a whole number of 32 bits, got 1e2"},
        {"{'Small':'1'}", "Small: expected a whole number of 32 bits, got a string"},
        {"{'Large':9223372036854775808}", "Large: expected a whole number of 64 bits"},
        {"{'Large':123456789012345678901234567890}", "Large: expected a whole number of 64 bits"},
        {"{'Large':'2020-04-20'}", "Large: expected a whole number of 64 bits, got a string"},
        {"{'When':'now'}", "When: expected a time"},
        {"{'When':1.5}", "When: expected a time"},
        {"{'Single':1e39}", "Single: expected a number that fits a float, got 1e39"},
        {"{'Double':1e999}", "Double: expected a number that fits a double, got 1e999"},
        {"{'Double':'nan'}", "Double: expected a number"},
        {"{'Double':true}", "Double: expected a number that fits a double, got true or false"},
        {"{'Raw':'\\u0100'}", "Raw: expected a string of characters up to \\u00ff"},
        {"{'Raw':'\xe2\x82\xac'}", "Raw: expected a string of characters up to \\u00ff"},
        {"{'Raw':[1]}", "Raw: expected a string of characters up to \\u00ff (bytes), got an array"},
        {"{'Text':1}", "Text: expected a string, got 1"},
        {"{'Text':null}", "Text: expected a string, got null"},
        {"{'Two':'abc'}", "Two: expected a string of 2 characters"},
        {"{'Two':'a'}", "Two: expected a string of 2 characters"},
        {"{'Color':'GREN'}", "Color: a.b.Color has no symbol 'GREN', did you mean 'GREEN'?"},
        {"{'Color':'CERULEAN'}", "Color: a.b.Color has no symbol 'CERULEAN'"},
        {"{'Color':1}", "Color: expected a string (enum), got 1"},
        {"{'Items':{}}", "Items: expected an array, got an object"},
        {"{'Items':[{'Id':'a'},7]}", "Items[1]: expected an object (record), got 7"},
        {"{'Items':[{'Id':'a'},{'Id':2}]}", "Items[1].Id: expected a string, got 2"},
        {"{'Items':[{'Quantity':2}]}", "Items[0]: field 'Id' is missing"},
        {"{'Items':[{'Id':'a','Quantty':2}]}",
         "Items[0]: a.b.Item has no field 'Quantty', did you mean 'Quantity'?"},
        {"{'Prices':{'a':[],'b c':[1,'2']}}", "Prices[\"b c\"][1]: expected a whole number"},
        {"{'Prices':{'b':[],'a':[],'b':[]}}", "Prices: 'b' is given twice"},
        {"{'Prices':{'a':[],'a':[]}}", "Prices: 'a' is given twice"},
        {"{'Prices':[]}", "Prices: expected an object (map), got an array"},
        {"{'Maybe':5}", "Maybe: expected null or a string, got 5"},
        {"{'Other':{'Id':'a','X':1}}", "Other: a.b.Item has no field 'X'"},
        {"{'Mixed':{'Id':1}}", "Mixed.Id: expected a string, got 1"},
        {"{'Late':'x'}", "Late: expected a whole number of 64 bits or null, got a string"},
        {"{'Tree':[{'Below':[{}]}]}", "Tree[0].Below[0]: field 'Below' is missing"},
        {"{'Flag':true,'Small':1,'Flag':false}", "'Flag' is given twice"},
        {"{'flag':true}", "a.b.All has no field 'flag', did you mean 'Flag'?"},
        {"{'':true}", "a.b.All has no field ''"},
        {"{'Unheard\\u0000of\\n':1}", "a.b.All has no field 'Unheard\\u0000of\\u000a'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (read_text(f, rows[i].json) != MR_ERR_DATA) {
            fail_msg("%s was read", rows[i].json);
        }
        assert_string_equal(f->err.error_class, "validate");
        assert_int_equal(f->err.action, MR_ACT_SKIP);
        if (strncmp(f->err.message, rows[i].message, strlen(rows[i].message)) != 0) {
            fail_msg("%s: '%s', expected '%s'", rows[i].json, f->err.message, rows[i].message);
        }
    }
}

static void what_is_no_json_is_said_with_its_path(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *json, *message;
    } rows[] = {
        {"", "not JSON: the text is empty"},
        {"  ", "not JSON at byte 2: premature EOF"},
        {"{", "not JSON at byte 1: premature EOF"},
        {"{'Items':[{'Id':'a'", "Items[0].Id: not JSON at byte 19: premature EOF"},
        {"{'Items':[{'Id':'\xff'}]}", "Items[0].Id: not JSON at byte"},
        {"{'Items':[{'Id':'\xed\xa0\x80'}]}", "Items[0].Id: not JSON: a string is no UTF-8"},
        {"{'\xc0\x80':1}", "not JSON: a string is no UTF-8"},
        {"{'Text':'\\ud800'}", "not JSON at byte 9: half of a surrogate pair"},
        {"{'Text':'a'}}", "not JSON at byte"},
        {"{'Text':'a'} x", "not JSON at byte"},
        {"{'Text':'a',}", "Text: not JSON at byte"},
        {"{'Text' 'a'}", "Text: not JSON at byte"},
        {"{'Small':01}", "Small: not JSON at byte"},
        {"{'Small':+1}", "Small: not JSON at byte"},
        {"{'Double':NaN}", "Double: not JSON at byte"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (read_text(f, rows[i].json) != MR_ERR_DATA) {
            fail_msg("%s was read", rows[i].json);
        }
        assert_string_equal(f->err.error_class, "deserialize");
        if (strncmp(f->err.message, rows[i].message, strlen(rows[i].message)) != 0) {
            fail_msg("%s: '%s', expected '%s'", rows[i].json, f->err.message, rows[i].message);
        }
    }
}

static void a_missing_field_is_null_where_it_may_be(void **state)
{
    fixture *f = *state;
    const mr_type *type =
        add(f, "{'type':'record','name':'Bare','fields':[{'name':'A','type':['string','null']},"
               "{'name':'B','type':'null'},{'name':'C','type':['null','long']},"
               "{'name':'D','type':['long','string']}]}");
    void *value = mr_value_new(type);
    mr_buf printed = MR_BUF_NULL;
    assert_int_equal(mr_value_from_json(type, mr_bytes_text("{\"D\":\"x\"}"), value, &f->err),
                     MR_OK);
    mr_value_to_json(type, value, &printed);
    assert_string_equal(mr_buf_text(&printed), "{\"A\":null,\"B\":null,\"C\":null,\"D\":\"x\"}");
    assert_int_equal(mr_value_from_json(type, mr_bytes_text("{}"), value, &f->err), MR_ERR_DATA);
    assert_string_equal(f->err.message, "field 'D' is missing");
    mr_buf_deinit(&printed);
    mr_value_free(type, value);
}

static void a_type_that_is_no_record_is_read_too(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *schema, *json, *message;
    } rows[] = {
        {"'long'", "9007199254740993", NULL},
        {"'string'", "''", NULL},
        {"'null'", "null", NULL},
        {"['null','long']", "null", NULL},
        {"{'type':'map','values':'int'}", "{'a':1}", NULL},
        {"{'type':'array','items':['null','string']}", "[null,'a']", NULL},
        {"{'type':'record','name':'Empty','fields':[]}", "{}", NULL},
        {"'long'", "1.5", "expected a whole number of 64 bits, got 1.5"},
        {"'long'", "1 2", "not JSON at byte"},
        {"{'type':'array','items':'int'}", "[1,null]", "[1]: expected a whole number"},
        {"{'type':'map','values':'int'}", "{'a':null}", "[\"a\"]: expected a whole number"},
        {"{'type':'record','name':'Void','fields':[]}", "{'a':1}", "Void has no field 'a'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const mr_type *type = add(f, rows[i].schema);
        void *value = mr_value_new(type);
        char *json = quoted(rows[i].json);
        const mr_status status = mr_value_from_json(type, mr_bytes_text(json), value, &f->err);
        if (rows[i].message == NULL) {
            assert_int_equal(status, MR_OK);
            mr_buf printed = MR_BUF_NULL;
            mr_value_to_json(type, value, &printed);
            assert_string_equal(mr_buf_text(&printed), json);
            mr_buf_deinit(&printed);
        } else {
            assert_int_equal(status, MR_ERR_DATA);
            assert_non_null(strstr(f->err.message, rows[i].message));
        }
        free(json);
        mr_value_free(type, value);
    }
}

static void nesting_is_limited(void **state)
{
    fixture *f = *state;
    /* The root is one level, "Tree" the next, then an object and an array for each node. */
    for (int nodes = 31; nodes <= 32; nodes++) {
        mr_buf text = MR_BUF_NULL;
        mr_buf_append_text(&text, "{\"Tree\":[");
        for (int i = 0; i < nodes; i++) {
            mr_buf_append_text(&text, "{\"Below\":[");
        }
        for (int i = 0; i < nodes; i++) {
            mr_buf_append_text(&text, "]}");
        }
        mr_buf_append_text(&text, "]}");
        const mr_status status = read_bytes(f, mr_buf_bytes(&text));
        assert_int_equal(status, nodes == 31 ? MR_OK : MR_ERR_DATA);
        if (nodes == 32) {
            assert_non_null(strstr(f->err.message, "Tree[0].Below[0].Below[0]"));
        }
        mr_buf_deinit(&text);
    }
    enum { HOSTILE = 200000 };
    char *deep = malloc(HOSTILE);
    memset(deep, '[', HOSTILE);
    assert_int_equal(read_bytes(f, mr_bytes_of(deep, HOSTILE)), MR_ERR_DATA);
    free(deep);
}

/* Takes a fraction of a second; would take minutes if it grew with the square of the number. */
static void a_map_may_have_very_many_keys(void **state)
{
    fixture *f = *state;
    enum { KEYS = 200000 };
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_text(&text, "{\"Prices\":{");
    for (int i = KEYS; i > 0; i--) {
        mr_buf_printf(&text, "%s\"%06d\":[]", i == KEYS ? "" : ",", i);
    }
    mr_buf_append_text(&text, "}}");
    assert_int_equal(read_bytes(f, mr_buf_bytes(&text)), MR_OK);
    assert_memory_equal(strstr(print(f), "Prices"), "Prices\":{\"000001\":[],\"000002\":[]", 32);
    text.len -= 2;
    mr_buf_append_text(&text, ",\"000077\":[]}}");
    assert_int_equal(read_bytes(f, mr_buf_bytes(&text)), MR_ERR_DATA);
    assert_string_equal(f->err.message, "Prices: '000077' is given twice");
    mr_buf_deinit(&text);
}

static void a_message_has_an_end_however_long_the_name(void **state)
{
    fixture *f = *state;
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_text(&text, "{\"");
    for (int i = 0; i < 100000; i++) {
        mr_buf_append_text(&text, "\xc3\xa9");
    }
    mr_buf_append_text(&text, "\":1}");
    assert_int_equal(read_bytes(f, mr_buf_bytes(&text)), MR_ERR_DATA);
    assert_true(strlen(f->err.message) < 200);
    assert_non_null(strstr(f->err.message, "\xc3\xa9...'"));
    mr_buf_deinit(&text);
}

/* A small generator of its own: the same mutations on every machine. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void mutate(mr_buf *text, uint32_t *seed)
{
    static const char *const pieces[] = {
        "{",       "}",        "[",          "]",
        ",",       ":",        "\"",         "\\u",
        "\\ud800", "null",     "1e999",      "-",
        "\xff",    "\xf0\x9f", "\"Items\":", "99999999999999999999",
        "\\",      "0",        "true",       "\xed\xa0\x80"};
    const uint32_t at = next_random(seed) % (uint32_t)(text->len + 1);
    const uint32_t kind = next_random(seed) % 4;
    if (kind == 0 && at < text->len) {
        text->data[at] = (uint8_t)next_random(seed);
    } else if (kind == 1 && at < text->len) {
        const size_t rest = text->len - at;
        const size_t cut = 1 + next_random(seed) % (rest < 16 ? rest : 16);
        memmove(text->data + at, text->data + at + cut, rest - cut);
        text->len -= cut;
    } else if (kind == 2) {
        text->len = text->len < 2 || next_random(seed) % 8 != 0 ? text->len : at;
    } else {
        const char *piece = pieces[next_random(seed) % (sizeof(pieces) / sizeof(pieces[0]))];
        mr_buf tail = MR_BUF_NULL;
        mr_buf_append(&tail, text->data + at, text->len - at);
        text->len = at;
        mr_buf_append_text(text, piece);
        mr_buf_append_bytes(text, mr_buf_bytes(&tail));
        mr_buf_deinit(&tail);
    }
}

static void a_mutated_text_is_read_or_refused(void **state)
{
    fixture *f = *state;
    enum { ROUNDS = 20000 };
    char *seed_text = quoted(
        "{'Nothing':null,'Flag':true,'Small':-5,'Large':9007199254740993,'When':"
        "'2020-04-20T20:30:00Z','Single':1.5,'Double':-2.5e-3,'Raw':'a\\u00ff','Text':"
        "'\\ud83c\\udfab \xc3\xa9','Two':'ab','Color':'BLUE','Items':[{'Id':'a','Quantity':2},"
        "{'Id':'b'}],'Prices':{'x':[1,2],'a':[]},'Maybe':'m','Other':{'Id':'o'},'Mixed':[1,2,3],"
        "'Late':null,'Tree':[{'Below':[{'Below':[]}]}]}");
    uint32_t seed = 20200420;
    int n_read = 0;
    void *again = mr_value_new(f->type);
    for (int i = 0; i < ROUNDS; i++) {
        mr_buf text = MR_BUF_NULL;
        mr_buf_append_text(&text, seed_text);
        const uint32_t mutations = 1 + next_random(&seed) % 3;
        for (uint32_t m = 0; m < mutations; m++) {
            mutate(&text, &seed);
        }
        const mr_status status = read_bytes(f, mr_buf_bytes(&text));
        if (status == MR_OK) {
            n_read++;
            (void)print(f);
            assert_int_equal(mr_value_from_json(f->type, mr_buf_bytes(&f->printed), again, &f->err),
                             MR_OK);
            assert_true(mr_value_equal(f->type, f->value, again));
        } else {
            assert_int_equal(status, MR_ERR_DATA);
            assert_int_equal(f->err.action, MR_ACT_SKIP);
            assert_non_null(f->err.error_class);
            assert_true(f->err.message[0] != '\0');
        }
        mr_buf_deinit(&text);
    }
    mr_value_free(f->type, again);
    free(seed_text);
    /* The loop means little unless both happen often. */
    assert_in_range(n_read, ROUNDS / 20, ROUNDS - ROUNDS / 4);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_missing_has_its_default),
        TEST(a_field_is_read_and_printed),
        TEST(the_branch_of_a_union_is_the_first_that_fits),
        TEST(what_does_not_fit_is_said_with_its_path),
        TEST(what_is_no_json_is_said_with_its_path),
        TEST(a_missing_field_is_null_where_it_may_be),
        TEST(a_type_that_is_no_record_is_read_too),
        TEST(nesting_is_limited),
        TEST(a_map_may_have_very_many_keys),
        TEST(a_message_has_an_end_however_long_the_name),
        TEST(a_mutated_text_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
