/* A row's ID for people and other topics: its key's parts with "/" between them. */
#pragma once

#include <mr/app.h>

/* Replaces the content of `ret_id`; `parts` is scratch. */
mr_status mr_row_id(const mr_store_spec *store, mr_bytes key, mr_buf *parts, mr_buf *ret_id,
                    mr_error *err) MR_MUST_USE;
