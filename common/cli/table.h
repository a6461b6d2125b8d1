/*
 * Aligned columns for people. Widths come from the first rows; what is printed later keeps to them
 * as far as it fits. Cells are made harmless for a terminal: control characters become '?'.
 */
#pragma once

#include <stdio.h>

#include <mr/bytes.h>

typedef struct mr_sheet mr_sheet;

/* Titles are copied; "name" is printed as "NAME". */
mr_sheet *mr_sheet_new(FILE *out, const char *const *titles, size_t n_columns);
/* Prints what is still held back. */
void mr_sheet_free(mr_sheet *sheet);
MR_DEFINE_CLEANUP(mr_sheet, mr_sheet_free)

/* The next cell, left to right, row by row. */
void mr_sheet_add(mr_sheet *sheet, mr_bytes text);

/* Characters that a terminal shows, for valid UTF-8 without wide or combining ones. */
size_t mr_text_width(mr_bytes text);
/* Appends the text without what could steer a terminal. */
void mr_text_harmless(mr_bytes text, mr_buf *out);
