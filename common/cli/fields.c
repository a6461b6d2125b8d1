#include "cli/fields.h"

#include "cli/table.h"

void mr_json_cell(const mr_json *json, mr_buf *out)
{
    mr_bytes text;
    if (json == NULL || mr_json_kind_of(json) == MR_JSON_NULL) {
        mr_buf_append_text(out, "-");
    } else if (mr_json_string(json, &text) == MR_OK) {
        mr_buf_append_bytes(out, text);
    } else {
        mr_json_raw(json, out);
    }
}

mr_status mr_fields_print(FILE *out, mr_bytes json, mr_error *err)
{
    static const char *const titles[] = {"field", "value"};
    mr_json *parsed = NULL;
    MR_TRY(mr_json_parse(json, &parsed, err));
    MR_CLEANUP(mr_json_freep) mr_json *object = parsed;
    MR_CLEANUP(mr_sheet_freep) mr_sheet *sheet = mr_sheet_new(out, titles, 2);
    for (const mr_json *member = mr_json_first(object); member != NULL;
         member = mr_json_next(member)) {
        MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
        mr_json_cell(member, &text);
        mr_sheet_add(sheet, mr_json_name_of(member));
        mr_sheet_add(sheet, mr_buf_bytes(&text));
    }
    return MR_OK;
}
