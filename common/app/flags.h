/*
 * Command-line options from a table: the same rows parse, print --help, and make the man page and
 * the shell completion. Thread: the main one, before any other runs (getopt keeps global state).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mr/bytes.h>

typedef enum mr_flag_kind {
    MR_FLAG_SWITCH, /* bool: true when given */
    MR_FLAG_TEXT,   /* const char *: the last one given */
    MR_FLAG_NUMBER, /* int64_t from min to max */
    MR_FLAG_TEXTS,  /* mr_texts: every one given, in order */
} mr_flag_kind;

/* Borrowed texts; only the array is owned. */
typedef struct mr_texts {
    const char **items;
    size_t n;
    size_t capacity;
} mr_texts;

void mr_texts_add(mr_texts *texts, const char *text);
void mr_texts_deinit(mr_texts *texts);

typedef struct mr_flag {
    const char *name; /* "json" for --json */
    char letter;      /* 'X' for -X; 0: none */
    mr_flag_kind kind;
    size_t offset; /* of the field in the group's target */
    int64_t min;   /* of a number */
    int64_t max;
    int64_t preset;       /* of a number */
    const char *argument; /* what stands for the value in help; NULL for a switch */
    const char *text;     /* one sentence */
} mr_flag;

/* Rows with the struct they fill. What is not given is left as it was. */
typedef struct mr_flag_group {
    const mr_flag *flags;
    size_t n;
    void *target;
} mr_flag_group;

/* Gives every number its preset; everything else stays as it is. */
void mr_flags_preset(const mr_flag_group *group);

/*
 * Parses argv[1..]; options may stand anywhere, `--` ends them. The rest is appended to `operands`,
 * borrowed from argv, whose order changes. MR_ERR_USAGE with a did-you-mean.
 */
mr_status mr_flags_parse(const mr_flag_group *groups, size_t n_groups, int argc, char **argv,
                         mr_texts *operands, mr_error *err) MR_MUST_USE;

/* Appends two aligned columns, one option a paragraph, lines of at most 80 characters. */
void mr_flags_help(const mr_flag_group *groups, size_t n_groups, mr_buf *out);
/* "-X, --set NAME=VALUE", "    --json". */
void mr_flag_synopsis(const mr_flag *flag, mr_buf *out);
/* Appends `text` wrapped to lines of 80 characters that begin with `indent` blanks; the first line
 * goes on where the buffer is. */
void mr_text_wrap(const char *text, size_t indent, mr_buf *out);
