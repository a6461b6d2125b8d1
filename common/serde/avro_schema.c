#include "serde/schema.h"

#include <avro.h>

/*
 * avro-c's schemas are made of the canonical form, which is plain: what avro-c's parser does not
 * know, or reads differently, is not in it. They are never changed or freed while values are
 * coded, so that threads share them.
 */

static bool is_asked_for(const mr_type *type)
{
    return type->kind == MR_TYPE_RECORD || type->kind == MR_TYPE_UNION ||
           type->kind == MR_TYPE_FIXED;
}

mr_status mr_schema_avro(mr_schema_file *file, mr_error *err)
{
    for (size_t i = 0; i < file->n_types; i++) {
        mr_type_info *info = file->types[i];
        if (!is_asked_for(&info->type)) {
            continue;
        }
        MR_CLEANUP(mr_buf_deinit) mr_buf canonical = MR_BUF_NULL;
        mr_type_canonical(&info->type, &canonical);
        const int native =
            avro_schema_from_json_length((const char *)canonical.data, canonical.len, &info->avro);
        if (native != 0) {
            info->avro = NULL;
            const mr_status status = mr_error_set(err, MR_ERR_DATA, "%s: avro-c refuses type '%s'",
                                                  file->origin, info->type.name);
            err->native = native;
            return status;
        }
    }
    return MR_OK;
}

void mr_schema_avro_free(struct avro_obj_t *avro)
{
    if (avro != NULL) {
        avro_schema_decref(avro);
    }
}
