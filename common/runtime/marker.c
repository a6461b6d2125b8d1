#include "runtime/marker.h"

#include <inttypes.h>
#include <stdio.h>

#include "runtime/replay.h"

mr_bytes mr_marker_commit(int64_t attempt, int64_t number, char ret_text[48])
{
    (void)snprintf(ret_text, 48, "%" PRId64 "/%" PRId64, attempt, number);
    return mr_bytes_text(ret_text);
}

mr_record mr_marker_record(mr_marker *marker, int64_t attempt, int64_t number, int64_t input_offset)
{
    static const uint8_t key[] = {0, 'c', 'o', 'm', 'm', 'i', 't'};
    (void)snprintf(marker->input, sizeof(marker->input), "%" PRId64, input_offset);
    marker->headers[0] =
        (mr_header){MR_COMMIT_HEADER, mr_marker_commit(attempt, number, marker->commit)};
    marker->headers[1] = (mr_header){MR_INPUT_HEADER, mr_bytes_text(marker->input)};
    return (mr_record){
        .key = mr_bytes_of(key, sizeof(key)),
        .value = mr_bytes_of("", 0),
        .headers = marker->headers,
        .n_headers = 2,
    };
}
