/* Names in schemas and where they lead. */
#pragma once

#include "serde/schema.h"

/* A name as Avro's specification has it; `dots`: several, joined by dots. */
bool mr_schema_name_is_valid(const char *name, bool dots);

/* What a person may have meant by the name of a type, NULL. */
const char *mr_schema_nearest_type(const mr_schema_file *file, const mr_schemas *schemas,
                                   const char *name);

/* The value of an object's first member of that name; NULL when it has none or is no object. */
yajl_val mr_json_member(yajl_val object, const char *name);
