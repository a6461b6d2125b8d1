/* The first words of a line's data, most significant byte first. */
#pragma once

#include <mr/handler.h>
#include <mr/value.h>

static inline mr_status words_read(const mr_call *call, size_t field, uint64_t *ret_words, size_t n,
                                   mr_error *err)
{
    if (call->input == NULL) {
        return mr_error_record(err, MR_ERR_HANDLER, "validate", "a line without a value");
    }
    const mr_bytes data =
        mr_string_bytes(mr_field_in(mr_schema_type(call->schema), call->input, field));
    if (data.len < n * sizeof(ret_words[0])) {
        return mr_error_record(err, MR_ERR_HANDLER, "validate", "a line of %zu bytes", data.len);
    }
    for (size_t i = 0; i < n; i++) {
        ret_words[i] = 0;
        for (size_t b = 0; b < sizeof(ret_words[0]); b++) {
            ret_words[i] = ret_words[i] << 8 | data.data[i * sizeof(ret_words[0]) + b];
        }
    }
    return MR_OK;
}
