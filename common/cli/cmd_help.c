#include "cli/verbs.h"

#include "core/text.h"
#include "kafka/client.h"

typedef struct arguments {
    bool man;
    bool completion;
} arguments;

static void print_settings(FILE *out, const mr_option *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
        mr_buf_printf(&text, "  %s=%s\n      ", rows[i].name,
                      rows[i].preset == NULL ? "" : rows[i].preset);
        mr_text_wrap(rows[i].text, 6, &text);
        (void)fputs(mr_buf_text(&text), out);
    }
}

static mr_status help_on(const char *name, FILE *out, mr_error *err)
{
    const mr_verb *verb = mr_cli_verb(name);
    if (verb != NULL) {
        mr_help_verb(verb, out);
        return MR_OK;
    }
    if (strcmp(name, "settings") == 0) {
        (void)fputs("Settings and their presets; every other name goes to librdkafka. Given as\n"
                    "-X name=value, MILLRACE_NAME=value or in the file of --config.\n\n",
                    out);
        print_settings(out, mr_runtime_option_table, mr_runtime_option_count);
        print_settings(out, mr_app_option_table, mr_app_option_count);
        return MR_OK;
    }
    return mr_error_set(err, MR_ERR_USAGE, "there is no help on '%.40s'; see millrace --help",
                        name);
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *o = given;
    if (o->man) {
        mr_help_man(cli->out);
    } else if (o->completion) {
        mr_help_completion(cli->out);
    } else if (cli->operands.n > 0) {
        return help_on(cli->operands.items[0], cli->out, err);
    } else {
        mr_help_program(cli->out);
    }
    return MR_OK;
}

static const mr_flag flags[] = {
    {.name = "man",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, man),
     .text = "Prints the man page, for man -l."},
    {.name = "completion",
     .kind = MR_FLAG_SWITCH,
     .offset = offsetof(arguments, completion),
     .text = "Prints the completion for bash."},
};

const mr_verb mr_verb_help = {
    .name = "help",
    .operands = "[VERB|settings]",
    .summary = "Says what a verb does, or lists the settings.",
    .operands_max = 1,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
