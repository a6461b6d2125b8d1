#include "app/flags.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

/* getopt_long's value of the i-th row: above every character. */
enum { FIRST_VALUE = 256 };

MR_DEFINE_CLEANUP(char, free)

void mr_texts_add(mr_texts *texts, const char *text)
{
    MR_GROW(texts->items, texts->capacity, texts->n + 1);
    texts->items[texts->n++] = text;
}

void mr_texts_deinit(mr_texts *texts)
{
    free(texts->items);
    *texts = (mr_texts){0};
}

/* ---- The rows as getopt_long wants them ---- */

typedef struct row_list {
    const mr_flag **flags;
    void **targets;
    struct option *longs;
    const char **names;
    char *letters;
    size_t n;
} row_list;

static void row_list_init(row_list *rows, const mr_flag_group *groups, size_t n_groups)
{
    size_t n = 0;
    for (size_t g = 0; g < n_groups; g++) {
        n += groups[g].n;
    }
    *rows = (row_list){
        .flags = mr_alloc_zero(n + 1, sizeof(*rows->flags)),
        .targets = mr_alloc_zero(n + 1, sizeof(*rows->targets)),
        .longs = mr_alloc_zero(n + 1, sizeof(*rows->longs)),
        .names = mr_alloc_zero(n + 1, sizeof(*rows->names)),
        .letters = mr_alloc_zero(2 * n + 2, 1),
    };
    char *letter = rows->letters;
    *letter++ = ':'; /* a missing value is told apart */
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n; i++) {
            const mr_flag *flag = &groups[g].flags[i];
            const bool has_value = flag->kind != MR_FLAG_SWITCH;
            rows->flags[rows->n] = flag;
            rows->targets[rows->n] = groups[g].target;
            rows->names[rows->n] = flag->name;
            rows->longs[rows->n] =
                (struct option){.name = flag->name,
                                .has_arg = has_value ? required_argument : no_argument,
                                .val = FIRST_VALUE + (int)rows->n};
            if (flag->letter != '\0') {
                *letter++ = flag->letter;
                *letter = ':';
                letter += has_value;
            }
            rows->n++;
        }
    }
    *letter = '\0';
}

static void row_list_deinit(row_list *rows)
{
    free(rows->flags);
    free(rows->targets);
    free(rows->longs);
    free(rows->names);
    free(rows->letters);
}

/* The row that getopt_long's value means; rows->n when there is none. */
static size_t row_of(const row_list *rows, int value)
{
    if (value >= FIRST_VALUE) {
        return (size_t)(value - FIRST_VALUE);
    }
    size_t i = 0;
    while (i < rows->n && (rows->flags[i]->letter == '\0' || rows->flags[i]->letter != value)) {
        i++;
    }
    return i;
}

/* ---- Parsing ---- */

void mr_flags_preset(const mr_flag_group *group)
{
    for (size_t i = 0; i < group->n; i++) {
        const mr_flag *flag = &group->flags[i];
        if (flag->kind == MR_FLAG_NUMBER) {
            *(int64_t *)(void *)((uint8_t *)group->target + flag->offset) = flag->preset;
        }
    }
}

static mr_status set(const mr_flag *flag, void *target, const char *value, mr_error *err)
{
    void *field = (uint8_t *)target + flag->offset;
    int64_t number;
    switch (flag->kind) {
    case MR_FLAG_SWITCH:
        *(bool *)field = true;
        return MR_OK;
    case MR_FLAG_TEXT:
        *(const char **)field = value;
        return MR_OK;
    case MR_FLAG_TEXTS:
        mr_texts_add(field, value);
        return MR_OK;
    case MR_FLAG_NUMBER:
        if (mr_parse_int64(value, &number) != MR_OK || number < flag->min || number > flag->max) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "--%s is '%.80s', expected a whole number from %" PRId64
                                " to %" PRId64,
                                flag->name, value, flag->min, flag->max);
        }
        *(int64_t *)field = number;
        return MR_OK;
    }
    return MR_OK;
}

static mr_status refuse_unknown(const row_list *rows, const char *given, mr_error *err)
{
    MR_CLEANUP(freep) char *name = mr_strndup(given, strcspn(given, "="));
    const char *bare = name + strspn(name, "-");
    size_t n_meant = 0;
    for (size_t i = 0; i < rows->n; i++) {
        n_meant += strncmp(rows->names[i], bare, strlen(bare)) == 0;
    }
    if (n_meant > 1) {
        return mr_error_set(err, MR_ERR_USAGE, "'%.80s' can mean several options", name);
    }
    const char *nearest = mr_text_nearest(bare, rows->names, rows->n, sizeof(rows->names[0]));
    return mr_error_set(err, MR_ERR_USAGE, "unknown option '%.80s'%s%s%s", name,
                        nearest == NULL ? "" : "; did you mean '--", nearest == NULL ? "" : nearest,
                        nearest == NULL ? "" : "'?");
}

static mr_status refuse(const row_list *rows, int answer, char **argv, mr_error *err)
{
    const size_t i = row_of(rows, optopt);
    if (answer == ':' && i < rows->n) {
        return mr_error_set(err, MR_ERR_USAGE, "--%s needs a value: %s", rows->flags[i]->name,
                            rows->flags[i]->argument);
    }
    if (optopt >= FIRST_VALUE && i < rows->n) {
        return mr_error_set(err, MR_ERR_USAGE, "--%s takes no value", rows->flags[i]->name);
    }
    if (optopt != 0) {
        return mr_error_set(err, MR_ERR_USAGE, "unknown option '-%c'", optopt);
    }
    return refuse_unknown(rows, argv[optind - 1], err);
}

mr_status mr_flags_parse(const mr_flag_group *groups, size_t n_groups, int argc, char **argv,
                         mr_texts *operands, mr_error *err)
{
    MR_CLEANUP(row_list_deinit) row_list rows;
    row_list_init(&rows, groups, n_groups);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    for (;;) {
        const int value = getopt_long(argc, argv, rows.letters, rows.longs, NULL);
        if (value == -1) {
            break;
        }
        if (value == '?' || value == ':') {
            return refuse(&rows, value, argv, err);
        }
        const size_t i = row_of(&rows, value);
        assert(i < rows.n);
        MR_TRY(set(rows.flags[i], rows.targets[i], optarg, err));
    }
    for (int i = optind; i < argc; i++) {
        mr_texts_add(operands, argv[i]);
    }
    return MR_OK;
}

/* ---- Help ---- */

void mr_text_wrap(const char *text, size_t indent, mr_buf *out)
{
    enum { WIDTH = 80 };
    size_t column = indent;
    while (*text != '\0') {
        const size_t len = strcspn(text, " ");
        if (column > indent && column + 1 + len > WIDTH) {
            mr_buf_printf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            mr_buf_append_byte(out, ' ');
            column++;
        }
        mr_buf_append(out, text, len);
        column += len;
        text += len;
        text += strspn(text, " ");
    }
    mr_buf_append_byte(out, '\n');
}

void mr_flag_synopsis(const mr_flag *flag, mr_buf *out)
{
    if (flag->letter != '\0') {
        mr_buf_printf(out, "-%c, ", flag->letter);
    } else {
        mr_buf_append_text(out, "    ");
    }
    mr_buf_printf(out, "--%s", flag->name);
    if (flag->argument != NULL) {
        mr_buf_printf(out, " %s", flag->argument);
    }
}

void mr_flags_help(const mr_flag_group *groups, size_t n_groups, mr_buf *out)
{
    enum { COLUMN = 28 };
    for (size_t g = 0; g < n_groups; g++) {
        for (size_t i = 0; i < groups[g].n; i++) {
            MR_CLEANUP(mr_buf_deinit) mr_buf synopsis = MR_BUF_NULL;
            mr_flag_synopsis(&groups[g].flags[i], &synopsis);
            mr_buf_printf(out, "  %s", mr_buf_text(&synopsis));
            if (synopsis.len + 2 >= COLUMN) {
                mr_buf_printf(out, "\n%*s", COLUMN, "");
            } else {
                mr_buf_printf(out, "%*s", COLUMN - 2 - (int)synopsis.len, "");
            }
            mr_text_wrap(groups[g].flags[i].text, COLUMN, out);
        }
    }
}
