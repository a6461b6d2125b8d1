#include "cli/answers.h"

#include <stdlib.h>

#include <mr/clock.h>
#include <mr/value.h>

#include "core/alloc.h"
#include "core/hash.h"

enum { STEP_MS = 200 };

typedef struct expected {
    UT_hash_handle hh;
    char *id;
    size_t len;
} expected;

struct mr_answers {
    const mr_cli *cli;
    mr_reader *reader;
    mr_codec *codec;
    mr_topic_partition *partitions;
    size_t n;
    size_t capacity;
    expected *waiting; /* by id */
};

static mr_status note_ends(mr_answers *answers, mr_admin *admin, const char *topic, mr_error *err)
{
    mr_extent *extents = NULL;
    size_t n = 0;
    MR_TRY(mr_cli_extents(answers->cli, admin, answers->reader, topic, &extents, &n, err));
    MR_GROW(answers->partitions, answers->capacity, answers->n + n);
    for (size_t i = 0; i < n; i++) {
        answers->partitions[answers->n++] =
            (mr_topic_partition){topic, extents[i].partition, extents[i].end};
    }
    free(extents);
    return MR_OK;
}

mr_status mr_answers_new(const mr_cli *cli, mr_answers **ret_answers, mr_error *err)
{
    MR_CLEANUP(mr_answers_freep) mr_answers *answers = mr_alloc_zero(1, sizeof(*answers));
    answers->cli = cli;
    answers->codec = mr_cli_codec(cli);
    MR_TRY(mr_cli_reader(cli, &answers->reader, err));
    mr_admin *made = NULL;
    MR_TRY(mr_cli_admin(cli, &made, err));
    MR_CLEANUP(mr_admin_freep) mr_admin *admin = made;
    for (size_t i = 0; i < cli->app->n_stages; i++) {
        if (cli->app->stages[i].results != NULL) {
            MR_TRY(note_ends(answers, admin, cli->app->stages[i].results, err));
        }
    }
    if (answers->n == 0) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "app '%s' has no aggregate stage: nobody answers, do not --wait",
                            cli->app->name);
    }
    *ret_answers = MR_STEAL(&answers);
    return MR_OK;
}

void mr_answers_free(mr_answers *answers)
{
    if (answers == NULL) {
        return;
    }
    expected *item;
    expected *next;
    HASH_ITER(hh, answers->waiting, item, next)
    {
        HASH_DEL(answers->waiting, item);
        free(item->id);
        free(item);
    }
    mr_reader_free(answers->reader);
    mr_codec_free(answers->codec);
    free(answers->partitions);
    free(answers);
}

static expected *find(const mr_answers *answers, mr_bytes id)
{
    expected *item = NULL;
    HASH_FIND(hh, answers->waiting, id.data, id.len, item);
    return item;
}

void mr_answers_expect(mr_answers *answers, mr_bytes id)
{
    if (find(answers, id) != NULL) {
        return;
    }
    expected *item = mr_alloc_zero(1, sizeof(*item));
    item->id = mr_strndup((const char *)id.data, id.len);
    item->len = id.len;
    HASH_ADD_KEYPTR(hh, answers->waiting, item->id, item->len, item);
}

size_t mr_answers_missing(const mr_answers *answers)
{
    return HASH_COUNT(answers->waiting);
}

static mr_status take(mr_answers *answers, const mr_record *record, mr_answer_visitor visit,
                      void *context, mr_error *err)
{
    mr_envelope envelope;
    if (mr_envelope_read(record, &envelope, err) != MR_OK ||
        mr_bytes_is_null(envelope.causation_id)) {
        return MR_OK; /* none of ours */
    }
    expected *item = find(answers, envelope.causation_id);
    if (item == NULL) {
        return MR_OK;
    }
    /* ce_type is the outcome here, not a schema's name: the writer says what the value is. */
    const mr_schema *schema = NULL;
    void *value = NULL;
    mr_envelope untyped = envelope;
    untyped.type = MR_BYTES_NULL;
    MR_TRY(mr_log_decode(answers->cli, answers->codec, record, &untyped, &schema, &value, err));
    MR_CLEANUP(mr_buf_deinit) mr_buf json = MR_BUF_NULL;
    if (value == NULL) {
        mr_buf_append_text(&json, "null");
    } else {
        mr_value_to_json(mr_schema_type(schema), value, &json);
        mr_value_free(mr_schema_type(schema), value);
    }
    visit(context, envelope.causation_id, envelope.subject, envelope.type, mr_buf_bytes(&json));
    HASH_DEL(answers->waiting, item);
    free(item->id);
    free(item);
    return MR_OK;
}

mr_status mr_answers_wait(mr_answers *answers, int64_t timeout_ms, mr_answer_visitor visit,
                          void *context, mr_error *err)
{
    mr_clock *clock = mr_clock_system();
    const int64_t deadline = mr_clock_monotonic_ms(clock) + timeout_ms;
    MR_TRY(mr_reader_assign(answers->reader, answers->partitions, answers->n, err));
    while (mr_answers_missing(answers) > 0) {
        if (mr_clock_monotonic_ms(clock) >= deadline) {
            (void)mr_error_set(err, MR_ERR_SYSTEM, "%zu commands have no result after %d seconds",
                               mr_answers_missing(answers), (int)(timeout_ms / 1000));
            return MR_TIMED_OUT;
        }
        mr_record record;
        const mr_status status = mr_reader_next(answers->reader, STEP_MS, &record, err);
        if (status == MR_OK) {
            MR_TRY(take(answers, &record, visit, context, err));
        } else if (status < 0) {
            return status;
        }
    }
    return MR_OK;
}
