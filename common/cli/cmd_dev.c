/* A whole app on one machine without a Kafka: the embedded broker here, a process for each stage.
 */
#include "cli/verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/files.h"
#include "cli/dev_files.h"
#include "cli/dev_topics.h"
#include "cli/supervisor.h"
#include "core/alloc.h"

MR_DEFINE_CLEANUP(char, free)
MR_DEFINE_CLEANUP(mr_embedded, mr_embedded_free)

enum { SETTINGS_MAX = 3 };

/* What every child gets beside what the person said, and other verbs find in dev.properties. */
typedef struct dev_settings {
    char *texts[SETTINGS_MAX];
} dev_settings;

static void dev_settings_deinit(dev_settings *settings)
{
    for (size_t i = 0; i < SETTINGS_MAX; i++) {
        free(settings->texts[i]);
    }
}

static mr_status refuse_broker(const mr_cli *cli, mr_error *err)
{
    for (size_t i = 0; i < cli->assignments.n; i++) {
        if (strncmp(cli->assignments.items[i], "bootstrap.servers=", 18) == 0) {
            return mr_error_set(err, MR_ERR_USAGE,
                                "dev has a broker of its own; with one of yours it is `millrace "
                                "topics apply` and `millrace run`");
        }
    }
    return MR_OK;
}

static mr_status write_properties(const char *directory, const dev_settings *settings,
                                  mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, MR_DEV_PROPERTIES);
    for (size_t i = 0; i < SETTINGS_MAX; i++) {
        mr_buf_printf(&text, "%s\n", settings->texts[i]);
    }
    mr_buf_printf(&text, "dev.pid=%" PRId64 "\n", (int64_t)getpid());
    return mr_file_write(path, mr_buf_bytes(&text), err);
}

static void say_ready(void *context)
{
    const mr_cli *cli = context;
    (void)fprintf(
        cli->out,
        "ready: %zu stages of %s run; try `millrace emit`, `scan`, `history` and `status` "
        "in another terminal, end with Ctrl-C\n",
        cli->app->n_stages, cli->app->name);
    (void)fflush(cli->out);
}

static mr_status supervise(mr_cli *cli, const dev_settings *settings, const sigset_t *mask,
                           mr_error *err)
{
    MR_CLEANUP(mr_texts_deinit) mr_texts assignments = {0};
    const mr_texts all = {0};
    for (size_t i = 0; i < cli->assignments.n; i++) {
        mr_texts_add(&assignments, cli->assignments.items[i]);
    }
    for (size_t i = 0; i < SETTINGS_MAX; i++) {
        mr_texts_add(&assignments, settings->texts[i]); /* the last one wins */
    }
    const mr_supervisor_options supervised = {
        .cli = cli,
        .mask = mask,
        .app = cli->operands.items[0],
        .assignments = &assignments,
        .stages = &all,
        .instances = 1,
        /* Without their broker they have nothing to finish. */
        .death_signal = SIGKILL};
    mr_supervisor *made = NULL;
    MR_TRY(mr_supervisor_new(&supervised, &made, err));
    MR_CLEANUP(mr_supervisor_freep) mr_supervisor *supervisor = made;
    return mr_supervisor_run(supervisor, say_ready, cli, err);
}

static mr_status run_in(mr_cli *cli, const char *directory, const sigset_t *mask, mr_error *err)
{
    mr_embedded *made = NULL;
    MR_TRY(mr_embedded_new(&cli->log, &made, err));
    MR_CLEANUP(mr_embedded_freep) mr_embedded *broker = made;
    MR_TRY(mr_dev_create_topics(broker, cli->app, err));
    MR_CLEANUP(dev_settings_deinit)
    dev_settings settings = {
        .texts = {mr_asprintf("bootstrap.servers=%s", mr_embedded_bootstrap(broker)),
                  mr_asprintf("state.dir=%s/state", directory),
                  mr_strdup("processing.guarantee=at_least_once")}};
    for (size_t i = 0; i < SETTINGS_MAX; i++) {
        MR_TRY(mr_properties_parse(&cli->settings.properties, settings.texts[i], err));
    }
    MR_TRY(mr_settings_apply(&cli->settings, err));
    MR_TRY(write_properties(directory, &settings, err));
    (void)fprintf(cli->out,
                  "millrace dev: the broker is IN MEMORY (%s), for trying things out: all is gone "
                  "when this ends, and it guarantees nothing (at_least_once, no transactions)\n"
                  "millrace dev: the state is in %s and is emptied at each start\n",
                  mr_embedded_bootstrap(broker), directory);
    (void)fflush(cli->out);
    return supervise(cli, &settings, mask, err);
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    (void)given;
    sigset_t mask;
    MR_TRY(mr_supervisor_block_signals(&mask, err));
    MR_TRY(refuse_broker(cli, err));
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    char *found = NULL;
    MR_TRY(mr_dev_directory(&cli->settings, cli->app->name, &found, err));
    MR_CLEANUP(freep) char *directory = found;
    int lock = -1;
    MR_TRY(mr_dev_claim(directory, &lock, err));
    const mr_status status = run_in(cli, directory, &mask, err);
    (void)close(lock);
    return status;
}

const mr_verb mr_verb_dev = {
    .name = "dev",
    .operands = "APP",
    .summary = "Runs the app on a broker in memory, to try it out without a Kafka.",
    .text = "Creates the app's topics, runs a process for each stage and prints a line that begins "
            "with `ready`. Everything is gone when it ends. Other verbs find it by themselves "
            "while no bootstrap.servers is configured.",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
