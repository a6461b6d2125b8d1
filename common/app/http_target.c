#include "app/http_target.h"

#include "app/store_key.h"

static mr_status parse_path(mr_bytes path, mr_http_target *target, mr_error *err)
{
    if (path.len == 0 || path.data[0] != '/') {
        return mr_error_set(err, MR_ERR_USAGE, "the path does not begin with '/'");
    }
    path = mr_bytes_of(path.data + 1, path.len - 1);
    while (path.len > 0 || target->n_segments > 0) {
        const uint8_t *slash = path.len == 0 ? NULL : memchr(path.data, '/', path.len);
        const size_t len = slash == NULL ? path.len : (size_t)(slash - path.data);
        if (target->n_segments == MR_TARGET_SEGMENTS_MAX) {
            return mr_error_set(err, MR_ERR_USAGE, "the path has more than %d parts",
                                MR_TARGET_SEGMENTS_MAX);
        }
        MR_TRY(mr_percent_decode(mr_bytes_of(path.data, len), false,
                                 &target->segments[target->n_segments++], err));
        if (slash == NULL) {
            break;
        }
        path = mr_bytes_of(slash + 1, path.len - len - 1);
    }
    return MR_OK;
}

static mr_status parse_parameter(mr_bytes text, mr_http_target *target, mr_error *err)
{
    if (text.len == 0) {
        return MR_OK;
    }
    if (target->n_parameters == MR_TARGET_PARAMETERS_MAX) {
        return mr_error_set(err, MR_ERR_USAGE, "more than %d parameters", MR_TARGET_PARAMETERS_MAX);
    }
    struct mr_http_parameter *parameter = &target->parameters[target->n_parameters++];
    const uint8_t *equals = memchr(text.data, '=', text.len);
    const size_t len = equals == NULL ? text.len : (size_t)(equals - text.data);
    MR_TRY(mr_percent_decode(mr_bytes_of(text.data, len), true, &parameter->name, err));
    if (equals != NULL) {
        MR_TRY(mr_percent_decode(mr_bytes_of(equals + 1, text.len - len - 1), true,
                                 &parameter->value, err));
    }
    for (size_t i = 0; i + 1 < target->n_parameters; i++) {
        if (mr_bytes_equal(mr_buf_bytes(&target->parameters[i].name),
                           mr_buf_bytes(&parameter->name))) {
            return mr_error_set(err, MR_ERR_USAGE, "parameter '%.40s' is given twice",
                                mr_buf_text(&parameter->name));
        }
    }
    return MR_OK;
}

static mr_status parse_query(mr_bytes query, mr_http_target *target, mr_error *err)
{
    while (query.len > 0) {
        const uint8_t *end = memchr(query.data, '&', query.len);
        const size_t len = end == NULL ? query.len : (size_t)(end - query.data);
        MR_TRY(parse_parameter(mr_bytes_of(query.data, len), target, err));
        const size_t used = end == NULL ? len : len + 1;
        query = mr_bytes_of(query.data + used, query.len - used);
    }
    return MR_OK;
}

mr_status mr_http_target_parse(const char *raw, mr_http_target *target, mr_error *err)
{
    *target = (mr_http_target){0};
    const size_t len = strlen(raw);
    if (len > MR_TARGET_BYTES_MAX) {
        return mr_error_set(err, MR_ERR_USAGE, "the URL is longer than %d bytes",
                            MR_TARGET_BYTES_MAX);
    }
    const size_t path_len = strcspn(raw, "?");
    MR_TRY(parse_path(mr_bytes_of(raw, path_len), target, err));
    return path_len == len
               ? MR_OK
               : parse_query(mr_bytes_of(raw + path_len + 1, len - path_len - 1), target, err);
}

void mr_http_target_deinit(mr_http_target *target)
{
    for (size_t i = 0; i < MR_TARGET_SEGMENTS_MAX; i++) {
        mr_buf_deinit(&target->segments[i]);
    }
    for (size_t i = 0; i < MR_TARGET_PARAMETERS_MAX; i++) {
        mr_buf_deinit(&target->parameters[i].name);
        mr_buf_deinit(&target->parameters[i].value);
    }
    *target = (mr_http_target){0};
}

mr_bytes mr_http_target_parameter(const mr_http_target *target, const char *name)
{
    for (size_t i = 0; i < target->n_parameters; i++) {
        if (mr_bytes_equal_text(mr_buf_bytes(&target->parameters[i].name), name)) {
            return mr_buf_bytes(&target->parameters[i].value);
        }
    }
    return MR_BYTES_NULL;
}

bool mr_http_target_is(const mr_http_target *target, size_t segment, const char *text)
{
    return segment < target->n_segments &&
           mr_bytes_equal_text(mr_buf_bytes(&target->segments[segment]), text);
}
