#include <mr/envelope.h>

#include <inttypes.h>

#include "core/text.h"

/* The order is that of written headers, whatever the record's was. */
enum {
    ID,
    SOURCE,
    TYPE,
    TIME,
    SUBJECT,
    SEQUENCE,
    EXPECTED_VERSION,
    CORRELATION_ID,
    CAUSATION_ID,
    TRACEPARENT,
    CONTENT_TYPE,
    N_ATTRIBUTES,
};

static const char *const attribute_names[N_ATTRIBUTES] = {
    [ID] = "ce_id",
    [SOURCE] = "ce_source",
    [TYPE] = "ce_type",
    [TIME] = "ce_time",
    [SUBJECT] = "ce_subject",
    [SEQUENCE] = "ce_sequence",
    [EXPECTED_VERSION] = "ce_expectedversion",
    [CORRELATION_ID] = "ce_correlationid",
    [CAUSATION_ID] = "ce_causationid",
    [TRACEPARENT] = "traceparent",
    [CONTENT_TYPE] = "content-type",
};

/* Those and ce_specversion. */
_Static_assert(N_ATTRIBUTES + 1 <= MR_ENVELOPE_HEADERS_MAX, "every attribute must have a place");

static const size_t text_offsets[][2] = {
    {ID, offsetof(mr_envelope, id)},
    {SOURCE, offsetof(mr_envelope, source)},
    {TYPE, offsetof(mr_envelope, type)},
    {SUBJECT, offsetof(mr_envelope, subject)},
    {CORRELATION_ID, offsetof(mr_envelope, correlation_id)},
    {CAUSATION_ID, offsetof(mr_envelope, causation_id)},
    {TRACEPARENT, offsetof(mr_envelope, traceparent)},
    {CONTENT_TYPE, offsetof(mr_envelope, content_type)},
};
enum { N_TEXTS = sizeof(text_offsets) / sizeof(text_offsets[0]) };

/* ---- Reading ---- */

/* Every record passes here, so names are told apart by their character behind "ce_" first. */
static void find_attributes(const mr_record *record, mr_bytes values[N_ATTRIBUTES])
{
    enum { MARK = 3 };
    for (size_t h = 0; h < record->n_headers; h++) {
        const char *name = record->headers[h].name;
        if (strnlen(name, MARK) < MARK) {
            continue;
        }
        for (size_t i = 0; i < N_ATTRIBUTES; i++) {
            if (name[MARK] == attribute_names[i][MARK] && strcmp(name, attribute_names[i]) == 0) {
                values[i] = record->headers[h].value;
            }
        }
    }
}

/* A whole number from `min`; absent leaves the preset. */
static mr_status read_number(const char *name, mr_bytes value, int64_t min, int64_t *ret_number,
                             mr_error *err)
{
    if (mr_bytes_is_null(value)) {
        return MR_OK;
    }
    char text[24] = "";
    int64_t number = 0;
    bool good = value.len < sizeof(text) && memchr(value.data, 0, value.len) == NULL;
    if (good) {
        memcpy(text, value.data, value.len);
        good = mr_parse_int64(text, &number) == MR_OK && number >= min;
    }
    if (!good) {
        return mr_error_record(err, MR_ERR_DATA, "validate",
                               "header %s: expected a whole number from %" PRId64, name, min);
    }
    *ret_number = number;
    return MR_OK;
}

static mr_status read_time(mr_bytes value, int64_t *ret_ms, mr_error *err)
{
    if (!mr_bytes_is_null(value) && mr_time_parse(value, ret_ms) != MR_OK) {
        return mr_error_record(err, MR_ERR_DATA, "validate",
                               "header ce_time: expected a time such as 2020-04-20T20:30:00Z");
    }
    return MR_OK;
}

static mr_envelope plain_envelope(const mr_record *record)
{
    return (mr_envelope){.time_ms = record->timestamp_ms,
                         .sequence = MR_VERSION_NONE,
                         .expected_version = MR_VERSION_NONE};
}

static mr_status read_headers(const mr_record *record, mr_envelope *ret_envelope, mr_error *err)
{
    mr_bytes values[N_ATTRIBUTES] = {{NULL, 0}};
    mr_envelope envelope = plain_envelope(record);
    find_attributes(record, values);
    for (size_t i = 0; i < N_TEXTS; i++) {
        const size_t attribute = text_offsets[i][0];
        if (!mr_text_is_utf8(values[attribute])) {
            return mr_error_record(err, MR_ERR_DATA, "validate", "header %s: it is no UTF-8 text",
                                   attribute_names[attribute]);
        }
        memcpy((uint8_t *)&envelope + text_offsets[i][1], &values[attribute], sizeof(mr_bytes));
    }
    MR_TRY(read_time(values[TIME], &envelope.time_ms, err));
    MR_TRY(read_number(attribute_names[SEQUENCE], values[SEQUENCE], 0, &envelope.sequence, err));
    MR_TRY(read_number(attribute_names[EXPECTED_VERSION], values[EXPECTED_VERSION], -1,
                       &envelope.expected_version, err));
    *ret_envelope = envelope;
    return MR_OK;
}

mr_status mr_envelope_read(const mr_record *record, mr_envelope *ret_envelope, mr_error *err)
{
    if (record->n_headers > 0) {
        return read_headers(record, ret_envelope, err);
    }
    *ret_envelope = plain_envelope(record);
    return MR_OK;
}

mr_status mr_envelope_require(const mr_envelope *envelope, mr_error *err)
{
    const struct {
        const char *name;
        mr_bytes value;
    } required[] = {
        {"ce_id", envelope->id}, {"ce_type", envelope->type}, {"ce_subject", envelope->subject}};
    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        if (required[i].value.len == 0) {
            return mr_error_record(err, MR_ERR_DATA, "missing_header", "header %s is %s",
                                   required[i].name,
                                   mr_bytes_is_null(required[i].value) ? "missing" : "empty");
        }
    }
    return MR_OK;
}

/* ---- Writing ---- */

static mr_bytes version_text(int64_t version, char text[MR_INTEGER_TEXT_SIZE])
{
    return version == MR_VERSION_NONE ? MR_BYTES_NULL
                                      : mr_bytes_of(text, mr_integer_format(version, text));
}

void mr_envelope_write(const mr_envelope *envelope, mr_envelope_headers *ret_headers)
{
    mr_bytes values[N_ATTRIBUTES] = {{NULL, 0}};
    for (size_t i = 0; i < N_TEXTS; i++) {
        memcpy(&values[text_offsets[i][0]], (const uint8_t *)envelope + text_offsets[i][1],
               sizeof(mr_bytes));
    }
    mr_time_format(envelope->time_ms, ret_headers->time);
    values[TIME] = mr_bytes_text(ret_headers->time);
    values[SEQUENCE] = version_text(envelope->sequence, ret_headers->sequence);
    values[EXPECTED_VERSION] =
        version_text(envelope->expected_version, ret_headers->expected_version);
    ret_headers->headers[0] = (mr_header){"ce_specversion", mr_bytes_text("1.0")};
    ret_headers->n = 1;
    for (size_t i = 0; i < N_ATTRIBUTES; i++) {
        if (!mr_bytes_is_null(values[i])) {
            ret_headers->headers[ret_headers->n++] = (mr_header){attribute_names[i], values[i]};
        }
    }
}
