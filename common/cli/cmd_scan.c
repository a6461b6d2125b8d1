#include "cli/verbs.h"

#include <inttypes.h>
#include <stdlib.h>

#include <mr/json.h>

#include "cli/fields.h"
#include "cli/rows.h"
#include "cli/table.h"
#include "core/alloc.h"

typedef struct arguments {
    const char *prefix;
    const char *from;
    const char *to;
    int64_t limit;
} arguments;

/* ---- JSON ---- */

static void print_json(const mr_cli *cli, const mr_rows_item *item, mr_buf *line)
{
    mr_buf_clear(line);
    mr_json_writer json = mr_json_writer_on(line);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "key");
    mr_json_put_raw(&json, item->key_json);
    mr_json_put_name(&json, "value");
    mr_json_put_raw(&json, item->value_json);
    mr_json_put_name(&json, "partition");
    mr_json_put_integer(&json, item->partition);
    mr_json_put_name(&json, "offset");
    mr_json_put_integer(&json, item->offset);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    (void)fprintf(cli->out, "%s\n", mr_buf_text(line));
}

/* ---- Table: the key, then the record's fields ---- */

static mr_sheet *new_sheet(const mr_cli *cli, const mr_store_spec *store)
{
    const mr_type *type = mr_schema_type(store->value);
    const size_t n = type->kind == MR_TYPE_RECORD ? type->n_fields : 1;
    const char **titles = mr_alloc_zero(n + 1, sizeof(*titles));
    titles[0] = "key";
    titles[1] = "value";
    for (size_t i = 0; i < type->n_fields && type->kind == MR_TYPE_RECORD; i++) {
        titles[i + 1] = type->fields[i].name;
    }
    mr_sheet *sheet = mr_sheet_new(cli->out, titles, n + 1);
    free(titles);
    return sheet;
}

static void add_json(mr_sheet *sheet, const mr_json *json)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    mr_json_cell(json, &text);
    mr_sheet_add(sheet, mr_buf_bytes(&text));
}

/* The parts of a key, as `get` takes them. */
static void add_key(mr_sheet *sheet, const mr_json *parts)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    for (const mr_json *part = mr_json_first(parts); part != NULL; part = mr_json_next(part)) {
        mr_buf_append_text(&text, text.len == 0 ? "" : " ");
        mr_json_cell(part, &text);
    }
    mr_sheet_add(sheet, mr_buf_bytes(&text));
}

static mr_status print_row(mr_sheet *sheet, const mr_store_spec *store, const mr_rows_item *item,
                           mr_error *err)
{
    const mr_type *type = mr_schema_type(store->value);
    mr_json *parsed_key = NULL;
    mr_json *parsed_value = NULL;
    MR_TRY(mr_json_parse(item->key_json, &parsed_key, err));
    MR_CLEANUP(mr_json_freep) mr_json *key = parsed_key;
    MR_TRY(mr_json_parse(item->value_json, &parsed_value, err));
    MR_CLEANUP(mr_json_freep) mr_json *value = parsed_value;
    add_key(sheet, key);
    if (type->kind != MR_TYPE_RECORD) {
        add_json(sheet, value);
        return MR_OK;
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        add_json(sheet, mr_json_get(value, type->fields[i].name));
    }
    return MR_OK;
}

/* ---- The scan ---- */

static mr_status print_rows(const mr_cli *cli, const mr_store_spec *store, mr_rows *rows,
                            int64_t limit, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf line = MR_BUF_NULL;
    MR_CLEANUP(mr_sheet_freep) mr_sheet *sheet = cli->json ? NULL : new_sheet(cli, store);
    for (int64_t n = 0; limit == 0 || n < limit; n++) {
        mr_rows_item item;
        const mr_status status = mr_rows_next(rows, &item, err);
        if (status == MR_END) {
            break;
        }
        if (status != MR_OK) {
            return status;
        }
        if (cli->json) {
            print_json(cli, &item, &line);
        } else {
            MR_TRY(print_row(sheet, store, &item, err));
        }
    }
    return MR_OK;
}

static mr_status run(mr_cli *cli, void *given, mr_error *err)
{
    const arguments *a = given;
    mr_rows_request request = {.prefix = a->prefix, .from = a->from, .to = a->to};
    MR_TRY(mr_cli_open_app(cli, cli->operands.items[0], err));
    MR_TRY(mr_cli_store(cli, cli->operands.items[1], &request.stage, &request.store, err));
    MR_TRY(mr_cli_reach(cli, err));
    mr_rows *opened = NULL;
    mr_status status = mr_rows_open(cli, &request, &opened, err);
    MR_CLEANUP(mr_rows_freep) mr_rows *rows = opened;
    if (status != MR_OK) {
        return mr_cli_unavailable(status, err);
    }
    MR_TRY(print_rows(cli, request.store, rows, a->limit, err));
    if (!cli->json) {
        MR_CLEANUP(mr_buf_deinit) mr_buf positions = MR_BUF_NULL;
        mr_rows_positions(rows, &positions);
        (void)fprintf(cli->out, "\n%s\n", mr_buf_text(&positions));
    }
    status = mr_rows_check(rows, err);
    return status == MR_OK ? MR_OK : mr_cli_unavailable(status, err);
}

static const mr_flag flags[] = {
    {.name = "prefix",
     .letter = 'p',
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, prefix),
     .argument = "TEXT",
     .text =
         "Keys that begin with it. Parts are separated by '/', of which the last may be a part's "
         "beginning; 'a/' is all of a."},
    {.name = "from",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, from),
     .argument = "TEXT",
     .text = "Keys from this one on."},
    {.name = "to",
     .kind = MR_FLAG_TEXT,
     .offset = offsetof(arguments, to),
     .argument = "TEXT",
     .text = "Keys below this one."},
    {.name = "limit",
     .letter = 'n',
     .kind = MR_FLAG_NUMBER,
     .offset = offsetof(arguments, limit),
     .min = 1,
     .max = INT64_MAX,
     .argument = "N",
     .text = "At most so many rows. Preset: all."},
};

const mr_verb mr_verb_scan = {
    .name = "scan",
    .operands = "APP STORE",
    .summary = "Prints rows of a store in key order, as committed.",
    .text = "Rows of all partitions, merged. Those of one partition are of one moment a page; `as "
            "of` says up to which input offset. A '/' or '%' inside a key's part is written %2F, "
            "%25 in --prefix, --from and --to. Exit code 3 when a partition has nobody to ask, "
            "and rows may be missing.",
    .operands_min = 2,
    .operands_max = 2,
    .flags = flags,
    .n_flags = sizeof(flags) / sizeof(flags[0]),
    .options_bytes = sizeof(arguments),
    .has_version = true,
    .run = run,
};
