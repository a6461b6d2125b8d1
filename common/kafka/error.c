#include "kafka/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kafka/error_codes.h"

/* Steps that are part of writing, where an unclear answer means: this transaction is void. */
static bool is_writing(mr_kafka_step step)
{
    return step == MR_STEP_PRODUCE || step == MR_STEP_SEND_OFFSETS || step == MR_STEP_COMMIT ||
           step == MR_STEP_ABORT;
}

static mr_action action_of_class(mr_kafka_class class, mr_kafka_step step)
{
    switch (class) {
    case MR_KAFKA_PERMANENT:
        return MR_ACT_STOP;
    case MR_KAFKA_TOO_LARGE:
        return step == MR_STEP_PRODUCE ? MR_ACT_SKIP : MR_ACT_STOP;
    case MR_KAFKA_TRANSIENT:
        return MR_ACT_RETRY;
    case MR_KAFKA_MEMBERSHIP:
        /* The consumer rejoins by itself; what was sent with the old generation must not count. */
        return is_writing(step) ? MR_ACT_ABORT : MR_ACT_RETRY;
    case MR_KAFKA_VOID_TRANSACTION:
        return is_writing(step)                    ? MR_ACT_ABORT
               : step == MR_STEP_INIT_TRANSACTIONS ? MR_ACT_RETRY
                                                   : MR_ACT_STOP;
    case MR_KAFKA_OTHER:
        break;
    }
    return MR_ACT_STOP;
}

mr_action mr_kafka_action(rd_kafka_resp_err_t code, bool fatal, bool retriable, bool abortable,
                          mr_kafka_step step)
{
    const mr_kafka_class class = mr_kafka_class_of(code);
    if (step == MR_STEP_CONFIGURE || class == MR_KAFKA_PERMANENT) {
        return MR_ACT_STOP;
    }
    if (fatal) {
        /* The handle is of no more use. A producer's is made anew by mr_producer_abort, whether its
         * transaction timed out or another instance fenced it: the code does not tell. A consumer's
         * fatal error is a second instance. */
        return is_writing(step)                    ? MR_ACT_ABORT
               : step == MR_STEP_INIT_TRANSACTIONS ? MR_ACT_RETRY
                                                   : MR_ACT_STOP;
    }
    if (abortable) {
        return MR_ACT_ABORT;
    }
    if (retriable) {
        return MR_ACT_RETRY;
    }
    return action_of_class(class, step);
}

__attribute__((format(printf, 5, 0))) static void fill(mr_error *err, rd_kafka_resp_err_t code,
                                                       mr_action action, const char *reason,
                                                       const char *format, va_list arguments)
{
    char context[sizeof(err->message) / 2];
    (void)vsnprintf(context, sizeof(context), format, arguments);
    const char *advice = mr_kafka_advice(code);
    (void)mr_error_set(err, MR_ERR_KAFKA, "%s: %s%s%s", context, reason, advice == NULL ? "" : "; ",
                       advice == NULL ? "" : advice);
    err->action = action;
    err->native = code;
    if (mr_kafka_class_of(code) == MR_KAFKA_TOO_LARGE) {
        err->error_class = "too_large";
    }
}

mr_status mr_kafka_fail(rd_kafka_error_t *error, mr_kafka_step step, mr_error *err,
                        const char *format, ...)
{
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    const mr_action action = mr_kafka_action(code, rd_kafka_error_is_fatal(error) != 0,
                                             rd_kafka_error_is_retriable(error) != 0,
                                             rd_kafka_error_txn_requires_abort(error) != 0, step);
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, action, rd_kafka_error_string(error), format, arguments);
    va_end(arguments);
    rd_kafka_error_destroy(error);
    return MR_ERR_KAFKA;
}

mr_status mr_kafka_fail_code(rd_kafka_resp_err_t code, mr_kafka_step step, mr_error *err,
                             const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, mr_kafka_action(code, false, false, false, step), rd_kafka_err2str(code),
         format, arguments);
    va_end(arguments);
    return MR_ERR_KAFKA;
}

mr_status mr_kafka_fail_text(rd_kafka_resp_err_t code, const char *text, mr_kafka_step step,
                             mr_error *err, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, mr_kafka_action(code, false, false, false, step),
         text == NULL || text[0] == '\0' ? rd_kafka_err2str(code) : text, format, arguments);
    va_end(arguments);
    return MR_ERR_KAFKA;
}
