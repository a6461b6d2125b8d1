/*
 * Goal: whatever JSON comes in is read or refused, at a cost that its size says. Method: texts that
 * are deep, wide or long; mutations of a good text from a fixed seed.
 */
#include "json_fixture.h"

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
        const mr_status status = json_read_bytes(f, mr_buf_bytes(&text));
        assert_int_equal(status, nodes == 31 ? MR_OK : MR_ERR_DATA);
        if (nodes == 32) {
            assert_non_null(strstr(f->err.message, "Tree[0].Below[0].Below[0]"));
        }
        mr_buf_deinit(&text);
    }
    enum { HOSTILE = 200000 };
    char *deep = malloc(HOSTILE);
    memset(deep, '[', HOSTILE);
    assert_int_equal(json_read_bytes(f, mr_bytes_of(deep, HOSTILE)), MR_ERR_DATA);
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
    assert_int_equal(json_read_bytes(f, mr_buf_bytes(&text)), MR_OK);
    assert_memory_equal(strstr(json_print(f), "Prices"), "Prices\":{\"000001\":[],\"000002\":[]",
                        32);
    text.len -= 2;
    mr_buf_append_text(&text, ",\"000077\":[]}}");
    assert_int_equal(json_read_bytes(f, mr_buf_bytes(&text)), MR_ERR_DATA);
    assert_string_equal(f->err.message, "Prices: '000077' is given twice");
    mr_buf_deinit(&text);
}

static void a_message_has_an_end_however_long_the_name(void **state)
{
    fixture *f = *state;
    mr_buf text = MR_BUF_NULL;
    mr_buf_append_text(&text, "{\"x");
    for (int i = 0; i < 100000; i++) {
        mr_buf_append_text(&text, "\xc3\xa9");
    }
    mr_buf_append_text(&text, "\":1}");
    assert_int_equal(json_read_bytes(f, mr_buf_bytes(&text)), MR_ERR_DATA);
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
    char *seed_text = json_quoted(
        "{'Nothing':null,'Flag':true,'Small':-5,'Large':9007199254740993,'When':"
        "'2020-04-20T20:30:00Z','Single':1.5,'Double':-2.5e-3,'Raw':'a\\u00ff','Text':"
        "'\\ud83c\\udfab \xc3\xa9','Two':'ab','Color':'BLUE','Items':[{'Id':'a','Quantity':2},"
        "{'Id':'b'}],'Prices':{'x':[1,2],'a':[]},'Maybe':'m','Other':{'Id':'o'},'Mixed':[1,2,3],"
        "'Either':{'Id':'e','Second':'f'},'Late':null,'Tree':[{'Below':[{'Below':[]}]}]}");
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
        const mr_status status = json_read_bytes(f, mr_buf_bytes(&text));
        if (status == MR_OK) {
            n_read++;
            (void)json_print(f);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        JSON_TEST(nesting_is_limited),
        JSON_TEST(a_map_may_have_very_many_keys),
        JSON_TEST(a_message_has_an_end_however_long_the_name),
        JSON_TEST(a_mutated_text_is_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
