#include "json_fixture.h"

static const char schema_text[] =
    "{'type':'record','name':'All','namespace':'a.b','fields':["
    "{'name':'Nothing','type':'null','default':null},"
    "{'name':'Flag','type':'boolean','default':false},"
    "{'name':'Small','type':'int','default':0},"
    "{'name':'Large','type':'long','default':-7},"
    "{'name':'When','type':{'type':'long','logicalType':'timestamp-millis'},'default':0},"
    "{'name':'Single','type':'float','default':0},"
    "{'name':'Double','type':'double','default':0},"
    "{'name':'Raw','type':'bytes','default':''},"
    "{'name':'Text','type':'string','default':'preset'},"
    "{'name':'Two','type':{'type':'fixed','name':'Two','size':2},'default':'..'},"
    "{'name':'Color','type':{'type':'enum','name':'Color','symbols':['RED','GREEN','BLUE']},"
    "'default':'RED'},"
    "{'name':'Items','type':{'type':'array','items':{'type':'record','name':'Item','fields':["
    "{'name':'Id','type':'string'},{'name':'Quantity','type':'int','default':1}]}},'default':[]},"
    "{'name':'Prices','type':{'type':'map','values':{'type':'array','items':'long'}},'default':{}},"
    "{'name':'Maybe','type':['null','string'],'default':null},"
    "{'name':'Other','type':['null','Item'],'default':null},"
    "{'name':'Mixed','type':['null','boolean','int','long','double','Color','string',"
    "{'type':'array','items':'int'},'Item'],'default':null},"
    "{'name':'Either','type':['null','Item',{'type':'record','name':'Pair','fields':["
    "{'name':'Id','type':'string'},{'name':'Second','type':'string','default':''}]}],"
    "'default':null},"
    "{'name':'Late','type':['long','null'],'default':5},"
    "{'name':'Tree','type':{'type':'array','items':{'type':'record','name':'Node','fields':["
    "{'name':'Below','type':{'type':'array','items':'Node'}}]}},'default':[]}"
    "]}";

char *json_quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return copy;
}

const mr_type *json_add_schema(fixture *f, const char *text)
{
    char *json = json_quoted(text);
    const mr_schema *schema = NULL;
    const mr_status status = mr_schemas_add(f->schemas, json, "test", &schema, &f->err);
    free(json);
    if (status != MR_OK) {
        fail_msg("%s", f->err.message);
    }
    return mr_schema_type(schema);
}

int json_set_up(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->schemas = mr_schemas_new();
    f->type = json_add_schema(f, schema_text);
    f->value = mr_value_new(f->type);
    *state = f;
    return 0;
}

int json_tear_down(void **state)
{
    fixture *f = *state;
    mr_value_free(f->type, f->value);
    mr_schemas_free(f->schemas);
    mr_buf_deinit(&f->printed);
    free(f);
    return 0;
}

mr_status json_read_bytes(fixture *f, mr_bytes json)
{
    f->err = (mr_error){0};
    /* A copy of the exact length, so that the sanitizer sees a step past the end. */
    uint8_t *copy = malloc(json.len == 0 ? 1 : json.len);
    memcpy(copy, json.data, json.len);
    const mr_status status =
        mr_value_from_json(f->type, mr_bytes_of(copy, json.len), f->value, &f->err);
    free(copy);
    return status;
}

mr_status json_read_text(fixture *f, const char *text)
{
    char *json = json_quoted(text);
    const mr_status status = json_read_bytes(f, mr_bytes_text(json));
    free(json);
    return status;
}

const char *json_print(fixture *f)
{
    mr_buf_clear(&f->printed);
    mr_value_to_json(f->type, f->value, &f->printed);
    return mr_buf_text(&f->printed);
}
