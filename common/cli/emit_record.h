/* One record as a person writes it for `millrace emit`: a line of JSON, checked against the app. */
#pragma once

#include <mr/app.h>
#include <mr/envelope.h>

typedef struct mr_emit_record {
    mr_buf id; /* empty: none was given */
    mr_buf type;
    mr_buf subject;
    mr_buf key;
    mr_buf data; /* JSON text; empty: tombstone */
    bool has_key;
    int64_t time_ms; /* -1: none was given */
    int64_t expected_version;
} mr_emit_record;

/* Keeps memory. */
void mr_emit_record_clear(mr_emit_record *record);
void mr_emit_record_deinit(mr_emit_record *record);

/*
 * Reads {"type", "subject", "data", optional "id", "key", "time", "expectedversion"} into a cleared
 * record. `time` is RFC 3339 or epoch milliseconds. MR_ERR_USAGE, with a did-you-mean for members.
 */
mr_status mr_emit_record_parse(mr_bytes line, mr_emit_record *record, mr_error *err) MR_MUST_USE;

/* Would a stage that reads the topic take it? Its type has a handler there, its data fits the
 * schema. MR_ERR_USAGE with a did-you-mean. */
mr_status mr_emit_record_check(const mr_emit_record *record, const mr_app *app, const char *topic,
                               mr_error *err) MR_MUST_USE;

/* The topic that commands come from outside by: the one input that no stage of the app writes. */
mr_status mr_emit_topic(const mr_app *app, const char **ret_topic, mr_error *err) MR_MUST_USE;

/* A random UUID (RFC 9562, version 4) made of 16 random bytes. */
enum { MR_UUID_SIZE = 37 };
void mr_uuid_format(const uint8_t random[16], char ret_text[MR_UUID_SIZE]);
