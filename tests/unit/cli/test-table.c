/*
 * Goal: columns line up whatever is in them, and no cell can steer a terminal. Method: sheets
 * printed into memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/report.h"
#include "cli/table.h"

enum { TEXT_MAX = 8192 };

/* Rows of three cells. */
static void print(const char *const *cells, size_t n, char text[TEXT_MAX])
{
    static const char *const titles[] = {"name", "count", "text"};
    FILE *out = fmemopen(text, TEXT_MAX, "w");
    assert_non_null(out);
    mr_sheet *sheet = mr_sheet_new(out, titles, 3);
    for (size_t i = 0; i < n; i++) {
        mr_sheet_add(sheet, mr_bytes_text(cells[i]));
    }
    mr_sheet_free(sheet);
    assert_int_equal(fclose(out), 0);
}

static void columns_line_up(void **state)
{
    (void)state;
    static const char *const cells[] = {
        "a", "1", "x", "longer", "-200", "", "\xc3\xa9\xc3\xa9", "-", "last column"};
    char text[TEXT_MAX];
    print(cells, 9, text);
    assert_string_equal(text, "NAME    COUNT  TEXT\n"
                              "a           1  x\n"
                              "longer   -200  \n"
                              "\xc3\xa9\xc3\xa9          -  last column\n");
}

static void one_word_makes_a_column_text(void **state)
{
    (void)state;
    static const char *const cells[] = {"1", "12", "3", "100", "none", "4"};
    char text[TEXT_MAX];
    print(cells, 6, text);
    assert_string_equal(text, "NAME  COUNT  TEXT\n"
                              "   1  12        3\n"
                              " 100  none      4\n");
}

static void no_row_is_a_title_only(void **state)
{
    (void)state;
    char text[TEXT_MAX];
    print(NULL, 0, text);
    assert_string_equal(text, "NAME  COUNT  TEXT\n");
}

static void wide_cells_are_cut_between_characters(void **state)
{
    (void)state;
    char wide[200] = "";
    for (size_t i = 0; i < 70; i++) {
        memcpy(wide + 2 * i, "\xc3\xa9", 3);
    }
    const char *const cells[] = {wide, "x", wide};
    char text[TEXT_MAX];
    print(cells, 3, text);
    const char *row = strchr(text, '\n') + 1;
    const size_t cut = strcspn(row, "\xe2"); /* where the ellipsis begins */
    assert_int_equal(cut, 2 * 59);
    assert_memory_equal(row + cut, "\xe2\x80\xa6  x", 6);
    assert_non_null(strstr(row + cut, wide)); /* the last column is whole */
}

static void many_rows_keep_the_widths_of_the_first(void **state)
{
    (void)state;
    enum { ROWS = 205 };
    const char *cells[3 * ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        cells[3 * i] = i < 200 ? "ab" : "abcdef";
        cells[3 * i + 1] = "7";
        cells[3 * i + 2] = "t";
    }
    char text[TEXT_MAX];
    print(cells, 3 * ROWS, text);
    size_t n_lines = 0;
    for (const char *c = text; *c != '\0'; c++) {
        n_lines += *c == '\n';
    }
    assert_int_equal(n_lines, ROWS + 1);
    assert_non_null(strstr(text, "\nab        7  t\n"));
    assert_non_null(strstr(text, "\nabc\xe2\x80\xa6      7  t\n"));
}

static void terminals_are_not_steered(void **state)
{
    (void)state;
    mr_buf out = MR_BUF_NULL;
    mr_text_harmless(mr_bytes_of("a\x1b[31m\nb\x7f\0c\xc2\x9b"
                                 "d\xc3\xa9",
                                 16),
                     &out);
    assert_string_equal(mr_buf_text(&out), "a?[31m?b??c?d\xc3\xa9");
    mr_buf_deinit(&out);
}

static void a_report_is_a_table_or_lines(void **state)
{
    (void)state;
    static const char *const columns[] = {"name", "n", "yes", "data"};
    for (int json = 0; json < 2; json++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        const mr_cli cli = {.out = out, .json = json != 0};
        mr_report *report = MR_REPORT_NEW(&cli, columns);
        mr_report_text(report, "x\n");
        mr_report_known(report, -1);
        mr_report_boolean(report, true);
        mr_report_raw(report, mr_bytes_text("{\"a\":1}"));
        mr_report_text(report, NULL);
        mr_report_number(report, -1);
        mr_report_boolean(report, false);
        mr_report_raw(report, mr_bytes_text("[]"));
        mr_report_free(report);
        (void)fclose(out);
        assert_string_equal(
            text, json != 0 ? "{\"name\":\"x\\u000a\",\"n\":null,\"yes\":true,\"data\":{\"a\":1}}\n"
                              "{\"name\":null,\"n\":-1,\"yes\":false,\"data\":[]}\n"
                            : "NAME   N  YES  DATA\n"
                              "x?     -  yes  {\"a\":1}\n"
                              "-     -1  no   []\n");
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up),
        cmocka_unit_test(one_word_makes_a_column_text),
        cmocka_unit_test(no_row_is_a_title_only),
        cmocka_unit_test(wide_cells_are_cut_between_characters),
        cmocka_unit_test(many_rows_keep_the_widths_of_the_first),
        cmocka_unit_test(terminals_are_not_steered),
        cmocka_unit_test(a_report_is_a_table_or_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
