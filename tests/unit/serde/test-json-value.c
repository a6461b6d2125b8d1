/*
 * Goal: typed values go to JSON and back without loss, and JSON that does not fit is refused with
 * the path. Method: a schema with every type; rows of JSON and what is printed or said.
 */
#include "json_fixture.h"

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
        assert_int_equal(json_read_text(f, "{}"), MR_OK);
        char *all = json_quoted(
            "{'Nothing':null,'Flag':false,'Small':0,'Large':-7,'When':0,'Single':0,'Double':0,"
            "'Raw':'','Text':'preset','Two':'..','Color':'RED','Items':[],'Prices':{},"
            "'Maybe':null,'Other':null,'Mixed':null,'Either':null,'Late':5,"
            "'Tree':[]}");
        assert_string_equal(json_print(f), all);
        free(all);
        /* The second round begins with a value that is full of other things. */
        assert_int_equal(
            json_read_text(f, "{'Flag':true,'Small':1,'Large':2,'When':3,'Single':4,"
                              "'Double':5,'Raw':'6','Text':'7','Two':'88','Color':'BLUE',"
                              "'Items':[{'Id':'9'}],'Prices':{'a':[1]},'Maybe':'b',"
                              "'Other':{'Id':'c'},'Mixed':[1],'Either':{'Id':''},'Late':null,"
                              "'Tree':[{'Below':[]}]}"),
            MR_OK);
    }
}

static const struct {
    const char *name, *json, *printed; /* NULL: as it was read */
} field_rows[] = {
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
    {"Raw", "'\\\\'", NULL},
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
    {"Either", "{'Id':'x'}", "{'Id':'x','Quantity':1}"},
    {"Either", "{'Second':'y','Id':'x'}", "{'Id':'x','Second':'y'}"},
    {"Late", "null", NULL},
    {"Late", "6", NULL},
    {"Tree", "[{'Below':[{'Below':[]},{'Below':[]}]}]", NULL},
};

static void a_field_is_read_and_printed(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof(field_rows) / sizeof(field_rows[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), " { '%s' :\n%s } ", field_rows[i].name,
                       field_rows[i].json);
        if (json_read_text(f, text) != MR_OK) {
            fail_msg("%s: %s", text, f->err.message);
        }
        char *printed = printed_field(f, field_rows[i].name);
        assert_string_equal(printed, field_rows[i].printed == NULL ? field_rows[i].json
                                                                   : field_rows[i].printed);
        free(printed);
        /* What is printed is read as the same value. */
        void *first = f->value;
        f->value = mr_value_new(f->type);
        mr_buf whole = MR_BUF_NULL;
        mr_value_to_json(f->type, first, &whole);
        assert_int_equal(json_read_bytes(f, mr_buf_bytes(&whole)), MR_OK);
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
        assert_int_equal(json_read_text(f, text), MR_OK);
        const mr_union *chosen = mr_field_at(f->type, f->value, (size_t)field);
        assert_int_equal(chosen->branch, rows[i].branch);
    }
}

static void of_several_records_the_one_with_the_names_is_meant(void **state)
{
    fixture *f = *state;
    const mr_type *type =
        json_add_schema(f, "{'type':'array','items':['null',"
                           "{'type':'record','name':'A','fields':[{'name':'x','type':'int'}]},"
                           "{'type':'record','name':'B','fields':[{'name':'x','type':'int'},"
                           "{'name':'y','type':['null',{'type':'map','values':['A','B']}]}]},"
                           "{'type':'record','name':'C','fields':[{'name':'z','type':'string'},"
                           "{'name':'x','type':'int','default':1}]},"
                           "{'type':'map','values':'string'}]}");
    static const struct {
        const char *json;
        int branch; /* -1: refused */
    } rows[] = {
        {"{'x':1}", 1},
        {"{'y':null,'x':1}", 2},
        {"{'x':1,'y':{'}':{'x':1},']':{'x':2,'y':null},'\\'{,':{'y':{},'x':1}}}", 2},
        {"{'z':'}','x':2}", 3},
        {"{'z':'\\\\'}", 3},
        {"{'z':'\\',\\'q'}", 3},
        {"{ 'x' : 1 , 'z' : '' }", 3},
        {"{}", 4},
        {"{'w':'x'}", 4},
        {"{'\\u0078':'1'}", 4},
        {"{'x':1", -1},
        {"{'x':1,'x", -1},
        {"{'x", -1},
        {"{'x\\\\", -1},
        {"{", -1},
        {"{'z':'\\\\", -1},
        {"{'x':1,'x':1}]", -1},
        {"{'w':1}]", -1},
    };
    mr_array *array = mr_value_new(type);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "[%s%s", rows[i].json, rows[i].branch < 0 ? "" : "]");
        char *json = json_quoted(text);
        /* Looking ahead must not look past the end. */
        char *exact = memcpy(malloc(strlen(json)), json, strlen(json));
        const mr_bytes bytes = mr_bytes_of(exact, strlen(json));
        const mr_status status = mr_value_from_json(type, bytes, array, &f->err);
        free(exact);
        if (status != (rows[i].branch < 0 ? MR_ERR_DATA : MR_OK)) {
            fail_msg("%s: status %d %s", json, (int)status, f->err.message);
        }
        if (status == MR_OK) {
            assert_int_equal(((const mr_union *)mr_array_at(type, array, 0))->branch,
                             rows[i].branch);
        }
        free(json);
    }
    mr_value_free(type, array);
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
        {"{'Either':{'Q':1}}", "Either: a.b.Item has no field 'Q'"},
        {"{'Mixed':{'Id':1}}", "Mixed.Id: expected a string, got 1"},
        {"{'Late':'x'}", "Late: expected a whole number of 64 bits or null, got a string"},
        {"{'Tree':[{'Below':[{}]}]}", "Tree[0].Below[0]: field 'Below' is missing"},
        {"{'Flag':true,'Small':1,'Flag':false}", "'Flag' is given twice"},
        {"{'flag':true}", "a.b.All has no field 'flag', did you mean 'Flag'?"},
        {"{'':true}", "a.b.All has no field ''"},
        {"{'Unheard\\u0000of\\n':1}", "a.b.All has no field 'Unheard\\u0000of\\u000a'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (json_read_text(f, rows[i].json) != MR_ERR_DATA) {
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
        if (json_read_text(f, rows[i].json) != MR_ERR_DATA) {
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
    const mr_type *type = json_add_schema(
        f, "{'type':'record','name':'Bare','fields':[{'name':'A','type':['string','null']},"
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

static void what_is_given_replaces_the_default(void **state)
{
    fixture *f = *state;
    mr_value_free(f->type, f->value);
    f->type = json_add_schema(
        f, "{'type':'record','name':'Preset','fields':["
           "{'name':'Many','type':{'type':'array','items':'int'},'default':[1]},"
           "{'name':'Named','type':{'type':'map','values':'int'},'default':{'a':1}},"
           "{'name':'Inner','type':{'type':'record','name':'Both','fields':["
           "{'name':'A','type':'int','default':0},{'name':'B','type':'int','default':0}]},"
           "'default':{'A':1,'B':2}}]}");
    f->value = mr_value_new(f->type);
    assert_int_equal(json_read_text(f, "{}"), MR_OK);
    assert_string_equal(json_print(f), "{\"Many\":[1],\"Named\":{\"a\":1},"
                                       "\"Inner\":{\"A\":1,\"B\":2}}");
    assert_int_equal(json_read_text(f, "{'Many':[2],'Named':{'b':2},'Inner':{'B':3}}"), MR_OK);
    assert_string_equal(json_print(f), "{\"Many\":[2],\"Named\":{\"b\":2},"
                                       "\"Inner\":{\"A\":0,\"B\":3}}");
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
        const mr_type *type = json_add_schema(f, rows[i].schema);
        void *value = mr_value_new(type);
        char *json = json_quoted(rows[i].json);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        JSON_TEST(what_is_missing_has_its_default),
        JSON_TEST(a_field_is_read_and_printed),
        JSON_TEST(the_branch_of_a_union_is_the_first_that_fits),
        JSON_TEST(of_several_records_the_one_with_the_names_is_meant),
        JSON_TEST(what_does_not_fit_is_said_with_its_path),
        JSON_TEST(what_is_no_json_is_said_with_its_path),
        JSON_TEST(a_missing_field_is_null_where_it_may_be),
        JSON_TEST(what_is_given_replaces_the_default),
        JSON_TEST(a_type_that_is_no_record_is_read_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
