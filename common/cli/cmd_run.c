#include "cli/verbs.h"

#include "cli/supervisor.h"
#include "kafka/client.h"

typedef struct arguments {
    mr_texts stages;
    int64_t instances;
} arguments;

static void say_ready(void *context)
{
    const mr_cli *cli = context;
    if (cli->json) {
        (void)fputs("{\"ready\":true}\n", cli->out);
    } else {
        (void)fputs("ready\n", cli->out);
    }
    (void)fflush(cli->out);
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *o = given;
    sigset_t mask;
    MR_TRY(mr_supervisor_block_signals(&mask, err));
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    cli->log.level = (mr_log_level)cli->settings.app.log_level;
    MR_TRY(
        mr_client_check(&cli->settings.properties, cli->settings.ours, cli->settings.n_ours, err));
    const mr_supervisor_options supervised = {
        .cli = cli,
        .mask = &mask,
        .app = cli->operands.items[0],
        .assignments = &cli->assignments,
        .stages = &o->stages,
        .instances = o->instances,
        .death_signal = SIGTERM,
    };
    mr_supervisor *made = NULL;
    MR_TRY(mr_supervisor_new(&supervised, &made, err));
    MR_CLEANUP(mr_supervisor_freep) mr_supervisor *supervisor = made;
    MR_TRY(mr_settings_probe(&cli->settings, &cli->log, err));
    return mr_supervisor_run(supervisor, say_ready, cli, err);
}

static const mr_flag flags[] = {
    {.name = "stage",
     .kind = MR_FLAG_TEXTS,
     .offset = offsetof(arguments, stages),
     .argument = "NAME",
     .text = "Runs only this stage. Repeatable."},
    {.name = "instances",
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, instances),
     .min = 1,
     .max = 64,
     .preset = 1,
     .argument = "N",
     .text = "Processes a stage, with group.instance.id 0 to N-1. Preset: 1."},
};

const mr_verb mr_verb_run = {
    .name = "run",
    .operands = "APP",
    .summary = "Runs the app's stages, one process each, until SIGTERM or SIGINT.",
    .text = "What dies is started again, with pauses from 0.2 to 10 seconds. Prints `ready` when "
            "every stage has its state and works. A stage that says that something written is "
            "wrong (exit code 2) ends the run. SIGTERM, SIGINT and SIGHUP let the stages finish "
            "what they began, at most shutdown.timeout.ms and five seconds.",
    .operands_min = 1,
    .operands_max = 1,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .run = run,
};
