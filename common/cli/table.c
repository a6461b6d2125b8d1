#include "cli/table.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/alloc.h"

enum {
    ROWS_HELD = 200, /* that decide the widths */
    WIDTH_MAX = 60,  /* of a column but the last; a wider cell is cut */
    GAP = 2,
};

struct mr_sheet {
    FILE *out;
    char **titles;
    size_t n_columns;
    size_t *widths;
    bool *is_text; /* a column with a cell that is no number is left-aligned */
    char **cells;  /* held back */
    size_t n_cells;
    size_t capacity;
    bool has_begun; /* titles are printed, widths are fixed */
};

/* ---- Text ---- */

size_t mr_text_width(mr_bytes text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++) {
        width += (text.data[i] & 0xc0) != 0x80; /* not the second or later byte of a character */
    }
    return width;
}

void mr_text_harmless(mr_bytes text, mr_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.data[i];
        /* C2 80 to C2 9F are the control characters above ASCII. */
        const bool high_control =
            c == 0xc2 && i + 1 < text.len && text.data[i + 1] >= 0x80 && text.data[i + 1] < 0xa0;
        mr_buf_append_byte(out, c < 0x20 || c == 0x7f || high_control ? '?' : c);
        i += high_control;
    }
}

static bool is_number(const char *text)
{
    size_t i = text[0] == '-';
    if (text[i] == '\0') {
        return text[0] == '-'; /* "-" stands for none */
    }
    while (isdigit((unsigned char)text[i]) != 0) {
        i++;
    }
    return text[i] == '\0';
}

/* ---- Sheet ---- */

mr_sheet *mr_sheet_new(FILE *out, const char *const *titles, size_t n_columns)
{
    mr_sheet *sheet = mr_alloc_zero(1, sizeof(*sheet));
    sheet->out = out;
    sheet->n_columns = n_columns;
    sheet->titles = mr_alloc_zero(n_columns, sizeof(*sheet->titles));
    sheet->widths = mr_alloc_zero(n_columns, sizeof(*sheet->widths));
    sheet->is_text = mr_alloc_zero(n_columns, sizeof(*sheet->is_text));
    for (size_t i = 0; i < n_columns; i++) {
        sheet->titles[i] = mr_strdup(titles[i]);
        for (char *c = sheet->titles[i]; *c != '\0'; c++) {
            *c = (char)toupper((unsigned char)*c);
        }
        sheet->widths[i] = mr_text_width(mr_bytes_text(titles[i]));
    }
    return sheet;
}

/* The bytes of the first `width` characters. */
static size_t cut_at(const char *text, size_t width)
{
    size_t len = strlen(text);
    while (mr_text_width(mr_bytes_of(text, len)) > width) {
        len--;
        while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    return len;
}

static void print_cell(const mr_sheet *sheet, size_t column, const char *text, bool is_text)
{
    const bool is_last = column + 1 == sheet->n_columns;
    const size_t width = mr_text_width(mr_bytes_text(text));
    const size_t wanted = sheet->widths[column];
    if (width > wanted && !is_last && is_text) {
        (void)fprintf(sheet->out, "%.*s\xe2\x80\xa6", (int)cut_at(text, wanted - 1), text);
    } else {
        const int padding = width < wanted ? (int)(wanted - width) : 0;
        (void)fprintf(sheet->out, "%*s%s%*s", is_text ? 0 : padding, "", text,
                      is_text && !is_last ? padding : 0, "");
    }
    (void)fprintf(sheet->out, "%*s", is_last ? 0 : GAP, "");
}

static void print_row(const mr_sheet *sheet, char *const *cells)
{
    for (size_t i = 0; i < sheet->n_columns; i++) {
        print_cell(sheet, i, cells[i], sheet->is_text[i]);
    }
    (void)fputc('\n', sheet->out);
}

static void flush(mr_sheet *sheet)
{
    if (!sheet->has_begun) {
        print_row(sheet, sheet->titles);
        sheet->has_begun = true;
    }
    for (size_t i = 0; i + sheet->n_columns <= sheet->n_cells; i += sheet->n_columns) {
        print_row(sheet, sheet->cells + i);
    }
    for (size_t i = 0; i < sheet->n_cells; i++) {
        free(sheet->cells[i]);
    }
    sheet->n_cells = 0;
}

static void measure(mr_sheet *sheet, size_t column, const char *cell)
{
    const size_t width = mr_text_width(mr_bytes_text(cell));
    const size_t limited = width < WIDTH_MAX ? width : WIDTH_MAX;
    sheet->widths[column] = limited > sheet->widths[column] ? limited : sheet->widths[column];
    sheet->is_text[column] |= !is_number(cell);
}

void mr_sheet_add(mr_sheet *sheet, mr_bytes text)
{
    mr_buf cell = MR_BUF_NULL;
    mr_text_harmless(text, &cell);
    MR_GROW(sheet->cells, sheet->capacity, sheet->n_cells + 1);
    sheet->cells[sheet->n_cells] = mr_strdup(mr_buf_text(&cell));
    mr_buf_deinit(&cell);
    if (!sheet->has_begun) {
        measure(sheet, sheet->n_cells % sheet->n_columns, sheet->cells[sheet->n_cells]);
    }
    sheet->n_cells++;
    const size_t rows_max = sheet->has_begun ? 1 : ROWS_HELD;
    if (sheet->n_cells == rows_max * sheet->n_columns) {
        flush(sheet);
    }
}

void mr_sheet_free(mr_sheet *sheet)
{
    if (sheet == NULL) {
        return;
    }
    assert(sheet->n_cells % sheet->n_columns == 0);
    flush(sheet);
    for (size_t i = 0; i < sheet->n_columns; i++) {
        free(sheet->titles[i]);
    }
    free(sheet->titles);
    free(sheet->widths);
    free(sheet->is_text);
    free(sheet->cells);
    free(sheet);
}
