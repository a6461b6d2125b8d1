/* Record headers, a line each: "name=value", "name" for a null value, and "@=<timestamp in ms>" of
 * the record. What is read as an envelope is written as headers that are read as the same. */
#include <mr/envelope.h>

#include "core/text.h"
#include "fuzz.h"

enum { HEADERS_MAX = 32 };

/* Names are C strings in a record; `storage` keeps them. */
static size_t take_headers(mr_bytes lines, mr_header headers[HEADERS_MAX],
                           mr_buf storage[HEADERS_MAX], int64_t *timestamp_ms)
{
    mr_bytes line;
    size_t n = 0;
    while (n < HEADERS_MAX && fuzz_take(&lines, '\n', &line) == MR_OK) {
        mr_bytes name;
        if (fuzz_take(&line, '=', &name) != MR_OK) {
            continue;
        }
        mr_buf_append_bytes(&storage[n], name);
        if (mr_bytes_equal_text(name, "@")) {
            mr_buf text = MR_BUF_NULL;
            mr_buf_append_bytes(&text, line);
            (void)!mr_parse_int64(mr_buf_text(&text), timestamp_ms);
            mr_buf_deinit(&text);
        }
        headers[n] = (mr_header){mr_buf_text(&storage[n]), line};
        n++;
    }
    return n;
}

/* A time beyond the years that a text can say is written as the nearest one. */
static int64_t written_time(int64_t ms)
{
    return ms < MR_TIME_MS_MIN ? MR_TIME_MS_MIN : ms > MR_TIME_MS_MAX ? MR_TIME_MS_MAX : ms;
}

static void check_equal(const mr_envelope *a, const mr_envelope *b)
{
    assert(mr_bytes_equal(a->id, b->id));
    assert(mr_bytes_equal(a->type, b->type));
    assert(mr_bytes_equal(a->source, b->source));
    assert(mr_bytes_equal(a->subject, b->subject));
    assert(mr_bytes_equal(a->correlation_id, b->correlation_id));
    assert(mr_bytes_equal(a->causation_id, b->causation_id));
    assert(mr_bytes_equal(a->traceparent, b->traceparent));
    assert(mr_bytes_equal(a->content_type, b->content_type));
    assert(written_time(a->time_ms) == b->time_ms);
    assert(a->sequence == b->sequence);
    assert(a->expected_version == b->expected_version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mr_header headers[HEADERS_MAX];
    mr_buf storage[HEADERS_MAX] = {MR_BUF_NULL};
    mr_record record = {.topic = "topic", .headers = headers};
    mr_envelope envelope;
    mr_error err;
    record.n_headers =
        take_headers(mr_bytes_of(data, size), headers, storage, &record.timestamp_ms);
    const mr_status status = mr_envelope_read(&record, &envelope, &err);
    assert(status == MR_OK || status == MR_ERR_DATA);
    if (status == MR_OK) {
        mr_envelope_headers written;
        mr_envelope again;
        mr_envelope_write(&envelope, &written);
        const mr_record second = {
            .topic = "topic", .headers = written.headers, .n_headers = written.n};
        const mr_status read = mr_envelope_read(&second, &again, &err);
        assert(read == MR_OK);
        check_equal(&envelope, &again);
        (void)!mr_envelope_require(&envelope, &err);
    }
    for (size_t i = 0; i < HEADERS_MAX; i++) {
        mr_buf_deinit(&storage[i]);
    }
    return 0;
}
