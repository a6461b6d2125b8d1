#include "serde/avro_plan.h"

const char *mr_avro_path_text(const mr_avro_path *path, char ret_text[MR_AVRO_PATH_TEXT])
{
    size_t len = 0;
    for (size_t i = 0; i < path->depth; i++) {
        const char *step = path->steps[i];
        if (step == NULL) {
            continue;
        }
        const bool dot = len > 0 && step[0] != '[';
        const size_t step_len = strlen(step);
        if (len + dot + step_len >= MR_AVRO_PATH_TEXT) {
            break;
        }
        if (dot) {
            ret_text[len++] = '.';
        }
        memcpy(ret_text + len, step, step_len);
        len += step_len;
    }
    ret_text[len] = '\0';
    return len == 0 ? "the value" : ret_text;
}
