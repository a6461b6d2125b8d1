#include "runtime/stage_database.h"

#include <stdlib.h>

/* In the order of their numbers. */
static void list_stores(const mr_stage *stage, mr_buf *names)
{
    for (size_t i = 0; i < stage->n_stores; i++) {
        assert(stage->stores[i].number == i + 1);
        mr_buf_printf(names, "%s%s", i == 0 ? "" : ",", stage->stores[i].name);
    }
}

mr_status mr_stage_database_open(const mr_stage *stage, const mr_database_options *options,
                                 const mr_log *log, mr_database **ret_database, mr_error *err)
{
    mr_database_options all = *options;
    MR_CLEANUP(mr_buf_deinit) mr_buf stores = MR_BUF_NULL;
    list_stores(stage, &stores);
    char *identity = mr_stage_place(stage);
    all.identity = identity;
    all.stores = mr_buf_text(&stores);
    const mr_status status = mr_database_open(&all, log, ret_database, err);
    free(identity);
    return status;
}
