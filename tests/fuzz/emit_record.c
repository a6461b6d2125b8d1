/* A line of a file for `millrace emit`, read and checked against a small app. */
#include "cli/emit_record.h"

#include "fuzz.h"

static void check_against_app(const mr_emit_record *record)
{
    char name[] = "shop";
    char commands[] = "commands";
    char kind[] = "transform";
    char *from[] = {commands};
    const char *handled[] = {"Old"};
    fuzz_schemas schemas = fuzz_schemas_new();
    mr_topic topic = {.name = commands, .role = MR_TOPIC_INPUT, .external = true};
    mr_stage stage = {.kind = kind, .from = from, .n_from = 1};
    stage.handled[MR_ON] = handled;
    stage.n_handled[MR_ON] = 1;
    const mr_app app = {.name = name,
                        .schemas = schemas.set,
                        .topics = &topic,
                        .n_topics = 1,
                        .stages = &stage,
                        .n_stages = 1};
    mr_error err;
    const mr_status status = mr_emit_record_check(record, &app, commands, &err);
    assert(status == MR_OK || status == MR_ERR_USAGE);
    fuzz_schemas_free(&schemas);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mr_emit_record record = {0};
    mr_error err;
    mr_emit_record_clear(&record);
    const mr_status status = mr_emit_record_parse(mr_bytes_of(data, size), &record, &err);
    assert(status == MR_OK || status == MR_ERR_USAGE);
    if (status == MR_OK) {
        assert(record.time_ms >= -1 && record.expected_version >= MR_VERSION_NONE);
        check_against_app(&record);
    }
    mr_emit_record_deinit(&record);
    return 0;
}
