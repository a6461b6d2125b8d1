#include "runtime/row_id.h"

mr_status mr_row_id(const mr_store_spec *store, mr_bytes key, mr_buf *parts, mr_buf *ret_id,
                    mr_error *err)
{
    mr_buf_clear(ret_id);
    if (store->key.raw) {
        mr_buf_append_bytes(ret_id, key);
        return MR_OK;
    }
    mr_key_part parsed[MR_KEY_PARTS_MAX];
    size_t n_parts = 0;
    const mr_status status = mr_key_parse(key, parts, parsed, &n_parts, err);
    for (size_t i = 0; status == MR_OK && i < n_parts; i++) {
        if (i > 0) {
            mr_buf_append_byte(ret_id, '/');
        }
        if (parsed[i].kind == MR_KEY_LONG) {
            mr_buf_append_integer(ret_id, parsed[i].number);
        } else {
            mr_buf_append_bytes(ret_id, parsed[i].text);
        }
    }
    return status;
}
