/* Help, man page and completion, all from the verbs' tables. */
#include "cli/cli.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/alloc.h"
#include "core/text.h"

/* ---- Help ---- */

void mr_help_program(FILE *out)
{
    (void)fputs("millrace: event-sourced stream processing on Kafka, without a JVM\n\n"
                "usage: millrace VERB APP ... [OPTION...]\n\n",
                out);
    for (size_t i = 0; mr_verbs[i] != NULL; i++) {
        (void)fprintf(out, "  %-8s  %s\n", mr_verbs[i]->name, mr_verbs[i]->summary);
    }
    (void)fputs("\nAPP is a directory with app.lua. `millrace help VERB` says more.\n"
                "Exit codes: 0 ok, 1 not found, differs or failed, 2 usage, 3 unavailable.\n",
                out);
}

/* Paragraphs of a verb's text, wrapped. */
static void append_paragraphs(const char *text, mr_buf *out)
{
    while (*text != '\0') {
        const size_t len = strcspn(text, "\n");
        char *paragraph = mr_strndup(text, len);
        mr_buf_append_byte(out, '\n');
        mr_text_wrap(paragraph, 0, out);
        free(paragraph);
        text += len + (text[len] == '\n');
    }
}

void mr_help_verb(const mr_verb *verb, FILE *out)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    const mr_flag_group groups[] = {
        {verb->flags, verb->n_flags, NULL}, mr_cli_version_flags(verb, NULL), mr_cli_flags(NULL)};
    mr_buf_printf(&text, "usage: millrace %s %s [OPTION...]\n\n", verb->name, verb->operands);
    mr_text_wrap(verb->summary, 0, &text);
    append_paragraphs(verb->text == NULL ? "" : verb->text, &text);
    mr_buf_append_text(&text, "\nOptions:\n");
    mr_flags_help(groups, sizeof(groups) / sizeof(groups[0]), &text);
    (void)fputs(mr_buf_text(&text), out);
}

/* ---- Man page ---- */

/* Text for roff: no line begins with a control character, backslash and hyphen are literal. */
static void append_roff(const char *text, mr_buf *out)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\') {
            mr_buf_append_text(out, "\\e");
        } else if (*c == '-') {
            mr_buf_append_text(out, "\\-");
        } else if ((*c == '.' || *c == '\'') && (c == text || c[-1] == '\n')) {
            mr_buf_printf(out, "\\&%c", *c);
        } else {
            mr_buf_append_byte(out, (uint8_t)*c);
        }
    }
    mr_buf_append_byte(out, '\n');
}

static void append_roff_flags(const mr_flag *flags, size_t n, mr_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        MR_CLEANUP(mr_buf_deinit) mr_buf synopsis = MR_BUF_NULL;
        mr_flag_synopsis(&flags[i], &synopsis);
        const char *text = mr_buf_text(&synopsis);
        mr_buf_append_text(out, ".TP\n.B ");
        append_roff(text + strspn(text, " "), out);
        append_roff(flags[i].text, out);
    }
}

static void append_roff_verb(const mr_verb *verb, mr_buf *out)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf title = MR_BUF_NULL;
    mr_buf_printf(&title, "%s %s", verb->name, verb->operands);
    mr_buf_append_text(out, ".SS ");
    append_roff(mr_buf_text(&title), out);
    append_roff(verb->summary, out);
    const char *text = verb->text == NULL ? "" : verb->text;
    while (*text != '\0') {
        const size_t len = strcspn(text, "\n");
        char *paragraph = mr_strndup(text, len);
        mr_buf_append_text(out, ".PP\n");
        append_roff(paragraph, out);
        free(paragraph);
        text += len + (text[len] == '\n');
    }
    const mr_flag_group version = mr_cli_version_flags(verb, NULL);
    append_roff_flags(verb->flags, verb->n_flags, out);
    append_roff_flags(version.flags, version.n, out);
}

static void append_roff_settings(const mr_option *options, size_t n, mr_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        MR_CLEANUP(mr_buf_deinit) mr_buf line = MR_BUF_NULL;
        mr_buf_printf(&line, "%s=%s", options[i].name,
                      options[i].preset == NULL ? "" : options[i].preset);
        mr_buf_append_text(out, ".TP\n.B ");
        append_roff(mr_buf_text(&line), out);
        append_roff(options[i].text, out);
    }
}

void mr_help_man(FILE *out)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    const mr_flag_group common = mr_cli_flags(NULL);
    mr_buf_append_text(&text, ".TH MILLRACE 1 \"\" \"millrace " MR_VERSION "\"\n"
                              ".SH NAME\nmillrace \\- event-sourced stream processing on Kafka\n"
                              ".SH SYNOPSIS\n.B millrace\n.I VERB APP ...\n[OPTION...]\n"
                              ".SH VERBS\nAPP is a directory with app.lua.\n");
    for (size_t i = 0; mr_verbs[i] != NULL; i++) {
        append_roff_verb(mr_verbs[i], &text);
    }
    mr_buf_append_text(&text, ".SH OPTIONS OF EVERY VERB\n");
    append_roff_flags(common.flags, common.n, &text);
    mr_buf_append_text(&text, ".SH SETTINGS\nWith their presets. Every other name goes to "
                              "librdkafka.\n");
    append_roff_settings(mr_runtime_option_table, mr_runtime_option_count, &text);
    append_roff_settings(mr_app_option_table, mr_app_option_count, &text);
    mr_buf_append_text(&text,
                       ".SH ENVIRONMENT\n.B MILLRACE_\n"
                       "with a setting's name in capitals and _ for each dot: a setting, above "
                       "the file and below \\-X.\n"
                       ".SH EXIT STATUS\n0: ok. 1: not found, differs, or failed. 2: usage. 3: "
                       "the broker or the processors do not answer.\n");
    (void)fputs(mr_buf_text(&text), out);
}

/* ---- Completion ---- */

static void append_flag_words(const mr_flag *flags, size_t n, mr_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        mr_buf_printf(out, " --%s", flags[i].name);
    }
}

void mr_help_completion(FILE *out)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    const mr_flag_group common = mr_cli_flags(NULL);
    mr_buf_append_text(&text, "# bash completion of millrace: made by "
                              "`millrace help --completion`\n"
                              "_millrace()\n{\n"
                              "    local word=${COMP_WORDS[COMP_CWORD]} options=\n"
                              "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                              "        mapfile -t COMPREPLY < <(compgen -W '");
    for (size_t i = 0; mr_verbs[i] != NULL; i++) {
        mr_buf_printf(&text, "%s%s", i == 0 ? "" : " ", mr_verbs[i]->name);
    }
    mr_buf_append_text(&text, "' -- \"$word\")\n        return\n    fi\n"
                              "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; mr_verbs[i] != NULL; i++) {
        mr_buf_printf(&text, "    %s) options='", mr_verbs[i]->name);
        const mr_flag_group version = mr_cli_version_flags(mr_verbs[i], NULL);
        append_flag_words(mr_verbs[i]->flags, mr_verbs[i]->n_flags, &text);
        append_flag_words(version.flags, version.n, &text);
        append_flag_words(common.flags, common.n, &text);
        mr_buf_append_text(&text, "' ;;\n");
    }
    mr_buf_append_text(&text, "    esac\n"
                              "    if [[ $word == -* ]]; then\n"
                              "        mapfile -t COMPREPLY < <(compgen -W \"$options\" -- "
                              "\"$word\")\n"
                              "    else\n"
                              "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
                              "    fi\n"
                              "}\n"
                              "complete -o filenames -F _millrace millrace\n");
    (void)fputs(mr_buf_text(&text), out);
}
