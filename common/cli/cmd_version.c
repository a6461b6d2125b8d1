#include "cli/verbs.h"

#include "kafka/client.h"

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    (void)given;
    (void)err;
    if (cli->json) {
        (void)fprintf(cli->out, "{\"version\":\"%s\",\"librdkafka\":\"%s\"}\n", MR_VERSION,
                      mr_client_version_text());
    } else {
        (void)fprintf(cli->out, "millrace %s, librdkafka %s\n", MR_VERSION,
                      mr_client_version_text());
    }
    return MR_OK;
}

const mr_verb mr_verb_version = {
    .name = "version",
    .operands = "",
    .summary = "Prints the versions of millrace and librdkafka.",
    .run = run,
};
