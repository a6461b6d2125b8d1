#include <mr/record.h>

mr_bytes mr_record_header(const mr_record *record, const char *name)
{
    for (size_t i = record->n_headers; i > 0; i--) {
        if (strcmp(record->headers[i - 1].name, name) == 0) {
            return record->headers[i - 1].value;
        }
    }
    return MR_BYTES_NULL;
}
