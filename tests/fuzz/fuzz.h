/*
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput: it takes any
 * bytes, keeps nothing, and asserts what must hold of whatever its parser accepts.
 */
#pragma once

#include <mr/schema.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the bytes before the next `separator` off the front of `rest`, which becomes null bytes with
 * the last piece; MR_END when it was. */
mr_status fuzz_take(mr_bytes *rest, char separator, mr_bytes *ret_piece) MR_MUST_USE;

/* A record with every kind of type, and a newer version of it to be read as. */
typedef struct fuzz_schemas {
    mr_schemas *set;
    const mr_schema *writer;
    const mr_schema *reader;
} fuzz_schemas;

fuzz_schemas fuzz_schemas_new(void);
void fuzz_schemas_free(fuzz_schemas *schemas);

/* Asserts that a value of `schema` can be written, and that what was written reads back as the same
 * and is then written the same. */
void fuzz_check_avro(const mr_schemas *set, const mr_schema *schema, const void *value);
