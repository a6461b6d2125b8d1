/* A request's target (path and query as they came over the wire), split and decoded. */
#pragma once

#include <mr/bytes.h>

enum {
    MR_TARGET_SEGMENTS_MAX = 12,
    MR_TARGET_PARAMETERS_MAX = 8,
    MR_TARGET_BYTES_MAX = 8192,
};

typedef struct mr_http_target {
    mr_buf segments[MR_TARGET_SEGMENTS_MAX]; /* "/stores/a%2Fb" is "stores", "a/b" */
    size_t n_segments;
    struct mr_http_parameter {
        mr_buf name;
        mr_buf value;
    } parameters[MR_TARGET_PARAMETERS_MAX];
    size_t n_parameters;
} mr_http_target;

/* A trailing '/' is an empty last segment; "/" alone has none. A name twice: MR_ERR_USAGE, as is
 * what is too long or wrongly encoded. Deinit also after a failure. */
mr_status mr_http_target_parse(const char *raw, mr_http_target *target, mr_error *err) MR_MUST_USE;
void mr_http_target_deinit(mr_http_target *target);

/* Null bytes when there is none. */
mr_bytes mr_http_target_parameter(const mr_http_target *target, const char *name);
bool mr_http_target_is(const mr_http_target *target, size_t segment, const char *text);
