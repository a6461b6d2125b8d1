/* Small files that people write: configuration, schemas, app definitions. Any thread. */
#pragma once

#include <mr/bytes.h>

/*
 * Appends the whole file. MR_NOT_FOUND: there is none of that name (`err` is not filled).
 * MR_ERR_SYSTEM: it cannot be opened or read, is no regular file, or is larger than `bytes_max`.
 */
mr_status mr_file_read(const char *path, size_t bytes_max, mr_buf *contents,
                       mr_error *err) MR_MUST_USE;
