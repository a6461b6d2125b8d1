/*
 * What a verb prints, row by row: a table for people, or with --json one object a line whose
 * members are the columns. Values are put in the columns' order.
 */
#pragma once

#include "cli/cli.h"
#include "cli/table.h"

typedef struct mr_report mr_report;

/* `columns` is borrowed. */
mr_report *mr_report_new(const mr_cli *cli, const char *const *columns, size_t n_columns);
void mr_report_free(mr_report *report);
MR_DEFINE_CLEANUP(mr_report, mr_report_free)

void mr_report_text(mr_report *report, const char *text); /* NULL: null, "-" in a table */
void mr_report_bytes(mr_report *report, mr_bytes text);
void mr_report_number(mr_report *report, int64_t number);
/* -1 stands for "none": null, "-" in a table. */
void mr_report_known(mr_report *report, int64_t number);
void mr_report_boolean(mr_report *report, bool boolean); /* "yes" and "no" in a table */
/* One JSON value, printed as it is. */
void mr_report_raw(mr_report *report, mr_bytes json);

#define MR_REPORT_NEW(cli, columns)                                                                \
    mr_report_new((cli), (columns), sizeof(columns) / sizeof((columns)[0]))
