/* Sets of schemas, for those who fill them. */
#pragma once

#include "serde/schema.h"

/* Makes everything of a file whose JSON was read. MR_ERR_DATA with file->unresolved: a named type
 * is not known yet, and the file may be tried again. */
mr_status mr_schemas_build(const mr_schemas *schemas, mr_schema_file *file,
                           mr_error *err) MR_MUST_USE;
/* Takes the file over. Unless it is history, its schemas become current for their names. */
void mr_schemas_take(mr_schemas *schemas, mr_schema_file *file);
