/* Waiting for what became of commands: the results topics, read from where they ended before the
 * commands were sent. */
#pragma once

#include "cli/event_log.h"

typedef struct mr_answers mr_answers;

/* Before sending: notes the ends of every results topic of the app. */
mr_status mr_answers_new(const mr_cli *cli, mr_answers **ret_answers, mr_error *err) MR_MUST_USE;
void mr_answers_free(mr_answers *answers);
MR_DEFINE_CLEANUP(mr_answers, mr_answers_free)

/* A command that was sent. */
void mr_answers_expect(mr_answers *answers, mr_bytes id);
size_t mr_answers_missing(const mr_answers *answers);

/* `value_json` is the result record. */
typedef void (*mr_answer_visitor)(void *context, mr_bytes command_id, mr_bytes subject,
                                  mr_bytes outcome, mr_bytes value_json);

/* Visits the result of every expected command as it comes, until all are there. MR_TIMED_OUT: some
 * are missing after `timeout_ms`. */
mr_status mr_answers_wait(mr_answers *answers, int64_t timeout_ms, mr_answer_visitor visit,
                          void *context, mr_error *err) MR_MUST_USE;
