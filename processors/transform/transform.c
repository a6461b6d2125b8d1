/*
 * The transform kind: each record goes to the handler of its type, which sends what it wants to
 * send. Stateless: nothing is remembered between two records.
 */
#include <stdlib.h>

#include "kinds.h"

struct mr_step {
    const mr_stage *stage;
    mr_handler *handler;
};

static mr_status transform_prepare(mr_app *app, mr_stage *stage, mr_error *err)
{
    (void)app;
    if (stage->n_to == 0) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "%s: stage '%s' sends to no topic: declare them in `to`",
                            stage->definition, stage->name);
    }
    return MR_OK;
}

static mr_status transform_open(const mr_stage *stage, mr_handler *handler, mr_step **ret_step,
                                mr_error *err)
{
    mr_step *step = calloc(1, sizeof(*step));
    if (step == NULL) {
        return mr_error_set(err, MR_ERR_SYSTEM, "out of memory");
    }
    step->stage = stage;
    step->handler = handler;
    *ret_step = step;
    return MR_OK;
}

static mr_status transform_process(mr_step *step, mr_context *context, mr_error *err)
{
    if (step->stage->input == NULL) {
        MR_TRY(mr_envelope_require(mr_context_envelope(context), err));
    }
    return mr_handler_on(step->handler, context, err);
}

static void transform_close(mr_step *step)
{
    free(step);
}

const mr_kind mr_kind_transform = {
    .name = "transform",
    .summary = "stateless: map, filter, branch, validate, repartition by aggregate ID",
    .stateful = false,
    .prepare = transform_prepare,
    .open = transform_open,
    .process = transform_process,
    .close = transform_close,
};
