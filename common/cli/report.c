#include "cli/report.h"

#include <inttypes.h>
#include <stdlib.h>

#include <mr/json.h>

#include "core/alloc.h"

struct mr_report {
    FILE *out;
    const char *const *columns;
    size_t n_columns;
    size_t column;   /* the next one */
    mr_sheet *sheet; /* NULL: JSON */
    mr_buf line;
    mr_json_writer json;
};

mr_report *mr_report_new(const mr_cli *cli, const char *const *columns, size_t n_columns)
{
    mr_report *report = mr_alloc_zero(1, sizeof(*report));
    report->out = cli->out;
    report->columns = columns;
    report->n_columns = n_columns;
    if (!cli->json) {
        report->sheet = mr_sheet_new(cli->out, columns, n_columns);
    }
    return report;
}

void mr_report_free(mr_report *report)
{
    if (report != NULL) {
        assert(report->column == 0);
        mr_sheet_free(report->sheet);
        mr_buf_deinit(&report->line);
        free(report);
    }
}

/* Before a value as JSON. */
static void begin(mr_report *report)
{
    if (report->column == 0) {
        mr_buf_clear(&report->line);
        report->json = mr_json_writer_on(&report->line);
        mr_json_open_object(&report->json);
    }
    mr_json_put_name(&report->json, report->columns[report->column]);
}

/* After it: the line is printed at once, somebody may be waiting for it. */
static void end(mr_report *report)
{
    report->column = (report->column + 1) % report->n_columns;
    if (report->column == 0 && report->sheet == NULL) {
        mr_json_close_object(&report->json);
        mr_json_finish(&report->json);
        (void)fprintf(report->out, "%s\n", mr_buf_text(&report->line));
    }
}

void mr_report_bytes(mr_report *report, mr_bytes text)
{
    if (report->sheet != NULL) {
        mr_sheet_add(report->sheet, mr_bytes_is_null(text) ? mr_bytes_text("-") : text);
    } else {
        begin(report);
        mr_json_put_bytes(&report->json, text);
    }
    end(report);
}

void mr_report_text(mr_report *report, const char *text)
{
    mr_report_bytes(report, mr_bytes_text(text));
}

void mr_report_number(mr_report *report, int64_t number)
{
    if (report->sheet != NULL) {
        char text[24];
        (void)snprintf(text, sizeof(text), "%" PRId64, number);
        mr_sheet_add(report->sheet, mr_bytes_text(text));
    } else {
        begin(report);
        mr_json_put_integer(&report->json, number);
    }
    end(report);
}

void mr_report_known(mr_report *report, int64_t number)
{
    if (number >= 0) {
        mr_report_number(report, number);
    } else {
        mr_report_bytes(report, MR_BYTES_NULL);
    }
}

void mr_report_boolean(mr_report *report, bool boolean)
{
    if (report->sheet != NULL) {
        mr_sheet_add(report->sheet, mr_bytes_text(boolean ? "yes" : "no"));
    } else {
        begin(report);
        mr_json_put_boolean(&report->json, boolean);
    }
    end(report);
}

void mr_report_raw(mr_report *report, mr_bytes json)
{
    if (report->sheet != NULL) {
        mr_sheet_add(report->sheet, json);
    } else {
        begin(report);
        mr_json_put_raw(&report->json, json);
    }
    end(report);
}
