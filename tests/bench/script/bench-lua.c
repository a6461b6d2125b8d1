/*
 * How many handler calls one thread makes: `bench-lua [seconds a case]`. No assertion, nothing is
 * stored; the figures in the README come from here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <mr/clock.h>
#include <mr/value.h>

#include "support.h"

static const char app[] =
    "local MAX = 1000000\n"
    "return { name = 'bench', schemas = 'schemas', stages = {\n"
    "  cart = { kind = 'aggregate', from = 'in', to = 'out', state = 'Cart',\n"
    "    decide = { Add = function(cart, command, meta)\n"
    "      if not cart then return reject('not_found') end\n"
    "      if command.Quantity <= 0 then return reject('invalid', 'Quantity') end\n"
    "      if cart.Total > MAX then return reject('full') end\n"
    "      return event.Added { Item = { Id = command.Id, Quantity = command.Quantity } }\n"
    "    end, Ping = function(cart) return reject('no') end },\n"
    "    evolve = { Added = function(cart, event)\n"
    "      cart.Total = cart.Total + event.Item.Quantity\n"
    "      cart.Count = cart.Count + 1\n"
    "      cart.Id = event.Item.Id\n"
    "      return cart\n"
    "    end, Add = function(cart, event)\n"
    "      local items = cart.Items\n"
    "      if #items >= 8 then table.remove(items, 1) end\n"
    "      items[#items + 1] = { Id = event.Id, Quantity = event.Quantity }\n"
    "      for i, item in ipairs(items) do cart.Total = cart.Total + item.Quantity end\n"
    "      return cart\n"
    "    end, Ping = function(cart) return cart end } },\n"
    "  route = { kind = 'transform', from = 'in', to = 'out', on = {\n"
    "    Add = function(command, meta) send('out', meta.subject, command) end } },\n"
    "  view = { kind = 'project', from = 'in', stores = { lines = { key = 'string', value = 'Line' "
    "} },\n"
    "    on = { Add = function(event, meta, stores)\n"
    "      local row = stores.lines:edit(event.Id)\n"
    "      if row then row.Quantity = row.Quantity + event.Quantity\n"
    "      else stores.lines:put(event.Id, { Id = event.Id, Quantity = event.Quantity }) end\n"
    "    end } } } }\n";

static const struct {
    const char *name;
    const char *stage;
    mr_handler_group group;
    const char *schema;
    const char *input;
} cases[] = {
    {"evolve: nothing", "cart", MR_EVOLVE, "Ping", "{}"},
    {"evolve: three fields", "cart", MR_EVOLVE, "Added",
     "{\"Item\":{\"Id\":\"item-1\",\"Quantity\":2}}"},
    {"evolve: a list of eight", "cart", MR_EVOLVE, "Add", "{\"Id\":\"item-1\",\"Quantity\":2}"},
    {"decide: one event", "cart", MR_DECIDE, "Add", "{\"Id\":\"item-1\",\"Quantity\":2}"},
    {"decide: rejected", "cart", MR_DECIDE, "Ping", "{}"},
    {"on: sent on", "route", MR_ON, "Add", "{\"Id\":\"item-1\",\"Quantity\":2}"},
    {"on: a row changed", "view", MR_ON, "Add", "{\"Id\":\"item-1\",\"Quantity\":2}"},
};

typedef struct sink {
    mr_collector collector;
} sink;

static mr_status forget(mr_collector *collector, const mr_record *record, mr_error *err)
{
    (void)collector;
    (void)record;
    (void)err;
    return MR_OK;
}

static bool run_once(script_fixture *f, mr_handler_group group, mr_call *call)
{
    sink out = {.collector = {.send = forget}};
    mr_context_begin(f->context, f->tables, &f->record, &f->envelope);
    call->state_exists = f->stage->state != NULL;
    mr_decision_clear(&f->decision);
    const mr_status status = mr_handler_call(f->handler, group, call, &f->err);
    if (status != MR_OK) {
        printf("%s\n", f->err.message);
        mr_context_discard(f->context);
        return false;
    }
    return mr_context_apply(f->context, &out.collector, &f->err) == MR_OK;
}

static void run_case(size_t i, double seconds)
{
    enum { BATCH = 1000 };
    script_fixture f = {0};
    script_open(&f, app, cases[i].stage);
    const mr_schema *schema = mr_schemas_find(f.app->schemas, mr_bytes_text(cases[i].schema));
    void *input = mr_value_new(mr_schema_type(schema));
    if (mr_value_from_json(mr_schema_type(schema), mr_bytes_text(cases[i].input), input, &f.err) !=
        MR_OK) {
        abort();
    }
    mr_call call = {.context = f.context,
                    .schema = schema,
                    .input = input,
                    .state_schema = f.stage->state,
                    .state = f.state,
                    .decision = &f.decision};
    mr_clock *clock = mr_clock_system();
    const int64_t begin = clock->monotonic_us(clock);
    const int64_t end = begin + (int64_t)(seconds * 1e6);
    int64_t n = 0;
    int64_t now = begin;
    while (now < end) {
        for (int k = 0; k < BATCH; k++) {
            if (!run_once(&f, cases[i].group, &call)) {
                abort();
            }
        }
        n += BATCH;
        now = clock->monotonic_us(clock);
    }
    const double ns = (double)(now - begin) * 1000 / (double)n;
    printf("%-26s %9.0f calls/s %7.0f ns\n", cases[i].name, 1e9 / ns, ns);
    mr_value_free(mr_schema_type(schema), input);
    script_close(&f);
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        run_case(i, seconds);
    }
    return 0;
}
