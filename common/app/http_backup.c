#include "app/http_service.h"

#include <stdlib.h>

#include <mr/json.h>

#include "app/files.h"

static void put_backup(const mr_http_service *service, const mr_backup *backup,
                       mr_http_answer *answer)
{
    mr_json_writer json = mr_json_writer_on(&answer->body);
    mr_json_open_object(&json);
    mr_json_put_name(&json, "stage");
    mr_json_put_text(&json, service->stage->name);
    mr_json_put_name(&json, "directory");
    mr_json_put_text(&json, backup->directory);
    mr_json_put_name(&json, "bytes");
    mr_json_put_integer(&json, backup->bytes);
    mr_backup_put(backup, service->stage, &json);
    mr_json_close_object(&json);
    mr_json_finish(&json);
    mr_buf_append_byte(&answer->body, '\n');
}

static void make_backup(const mr_http_service *service, mr_processor *processor, const char *name,
                        mr_http_answer *answer)
{
    mr_error err;
    mr_backup backup = {0};
    mr_status status = mr_directory_make(service->backup_directory, &err);
    if (status == MR_OK) {
        status = mr_processor_backup(processor, service->backup_directory, name, &backup, &err);
    }
    switch (status) {
    case MR_OK:
        answer->status = 201;
        put_backup(service, &backup, answer);
        break;
    case MR_END:
        mr_http_fail(answer, 409, "another backup is under way; ask again when it is over");
        break;
    case MR_NOT_FOUND:
        mr_http_fail(answer, 503, "stopping: the state is closed");
        break;
    default:
        mr_http_fail(answer, status == MR_ERR_USAGE ? 409 : 500, "%s", err.message);
    }
    mr_backup_deinit(&backup);
}

void mr_http_backup_answer(const mr_http_service *service, mr_processor *processor,
                           const mr_http_target *target, mr_http_answer *answer)
{
    mr_error err;
    const mr_bytes given = mr_http_target_parameter(target, "name");
    MR_CLEANUP(mr_buf_deinit) mr_buf name = MR_BUF_NULL;
    mr_buf_append_bytes(&name, given);
    if (service->stage->n_stores == 0) {
        mr_http_fail(answer, 404, "stage '%s' is of kind %s, which keeps no state",
                     service->stage->name, service->stage->kind);
    } else if (mr_bytes_is_null(given)) {
        mr_http_fail(answer, 400, "the backup's name is missing: POST /backup?name=NAME");
    } else if (strlen(mr_buf_text(&name)) != name.len ||
               mr_backup_check_name(mr_buf_text(&name), &err) != MR_OK) {
        mr_http_fail(answer, 400, "%s",
                     strlen(mr_buf_text(&name)) != name.len ? "the name has a zero byte"
                                                            : err.message);
    } else if (processor == NULL) {
        mr_http_fail(answer, 503, "starting");
    } else {
        make_backup(service, processor, mr_buf_text(&name), answer);
    }
}
