/* A JSON object as two columns for people: field and value. */
#pragma once

#include <stdio.h>

#include <mr/json.h>

/* Texts without their quotes, everything else as it is. Null and what is absent: "-". */
void mr_json_cell(const mr_json *json, mr_buf *out);
mr_status mr_fields_print(FILE *out, mr_bytes json, mr_error *err) MR_MUST_USE;
