#include "cli/verbs.h"

#include <inttypes.h>

#include <mr/json.h>

#include "cli/fields.h"
#include "cli/rows.h"

static void print_json(const mr_cli *cli, const mr_store_spec *store, const mr_rows_item *item)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf line = MR_BUF_NULL;
    mr_json_writer json = mr_json_writer_on(&line);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "store");
    mr_json_put_text(&json, store->name);
    mr_json_put_name(&json, "partition");
    mr_json_put_integer(&json, item->partition);
    mr_json_put_name(&json, "key");
    mr_json_put_raw(&json, item->key_json);
    mr_json_put_name(&json, "value");
    mr_json_put_raw(&json, item->value_json);
    mr_json_put_name(&json, "offset");
    mr_json_put_integer(&json, item->offset);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    (void)fprintf(cli->out, "%s\n", mr_buf_text(&line));
}

static mr_status print_table(const mr_cli *cli, const mr_rows_item *item, mr_error *err)
{
    MR_TRY(mr_fields_print(cli->out, item->value_json, err));
    (void)fprintf(cli->out, "\npartition %" PRId32 ", as of offset %" PRId64 "\n", item->partition,
                  item->offset);
    return MR_OK;
}

static mr_status missing(const mr_rows *rows, const mr_store_spec *store, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf positions = MR_BUF_NULL;
    if (mr_rows_check(rows, err) != MR_OK) {
        mr_cli_note("%s", err->message);
        return MR_TIMED_OUT;
    }
    mr_rows_positions(rows, &positions);
    mr_cli_note("store %s has no such row, %s", store->name, mr_buf_text(&positions));
    return MR_NOT_FOUND;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    (void)given;
    mr_rows_request request = {.parts = cli->operands.items + 2, .n_parts = cli->operands.n - 2};
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(mr_cli_store(cli, cli->operands.items[1], &request.stage, &request.store, err));
    MR_TRY(mr_cli_reach(cli, err));
    mr_rows *opened = NULL;
    mr_status status = mr_rows_open(cli, &request, &opened, err);
    MR_CLEANUP(mr_rows_freep) mr_rows *rows = opened;
    if (status != MR_OK) {
        return mr_cli_unavailable(status, err);
    }
    mr_rows_item item;
    status = mr_rows_next(rows, &item, err);
    if (status == MR_END) {
        return missing(rows, request.store, err);
    }
    if (status != MR_OK) {
        return status;
    }
    if (!cli->json) {
        return print_table(cli, &item, err);
    }
    print_json(cli, request.store, &item);
    return MR_OK;
}

const mr_verb mr_verb_get = {
    .name = "get",
    .operands = "APP STORE KEY...",
    .summary = "Prints one row of a store, as committed.",
    .text = "STORE is a store's name, `stage.store` where several stages have it, or the name of "
            "an aggregate stage for its state. A key with several parts is given as several "
            "arguments. The row is asked from the processor that has it; when none answers, it is "
            "read from the state directory on this host (state.dir), which may be behind.",
    .operands_min = 3,
    .operands_max = 2 + MR_KEY_PARTS_MAX,
    .has_version = true,
    .run = run,
};
