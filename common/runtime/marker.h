/*
 * The record that ends a commit in a changelog which is written at least once: replay.h says how it
 * is read.
 */
#pragma once

#include <mr/record.h>

typedef struct mr_marker {
    char commit[48]; /* "<attempt>/<number>" */
    char input[24];
    mr_header headers[2];
} mr_marker;

/* "<attempt>/<number>", for the header of a commit's rows. */
mr_bytes mr_marker_commit(int64_t attempt, int64_t number, char ret_text[48]);
/* Everything but topic and partition; borrows from `marker`. */
mr_record mr_marker_record(mr_marker *marker, int64_t attempt, int64_t number,
                           int64_t input_offset);
