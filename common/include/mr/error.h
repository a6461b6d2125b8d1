/*
 * How every fallible function of millrace reports.
 *
 * A function returns mr_status. Zero is success, a positive value is a named outcome of that one
 * function which its caller must handle and must not forward, a negative value is a failure:
 * the mr_error that the caller passed is filled, and is forwarded or prefixed, never inspected
 * for its text. What to do about a failure is its action, decided where the failure was understood.
 *
 * Programming errors are asserts. An allocation that fails ends the process with one line
 * (core/alloc.h): what is committed is safe, because any kill is.
 */
#pragma once

#include <assert.h>
#include <stdarg.h>

#define MR_MUST_USE __attribute__((warn_unused_result))
#define MR_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))

typedef enum mr_status {
    MR_OK = 0,
    /* Outcomes. */
    MR_NOT_FOUND = 1,
    MR_TIMED_OUT = 2,
    MR_END = 3,
    /* Failures. */
    MR_ERR_USAGE = -1, /* what a person wrote is wrong: options, configuration, an app definition */
    MR_ERR_DATA = -2,  /* bytes from outside are wrong: a record, a header, a schema */
    MR_ERR_HANDLER = -3, /* the app's own logic failed: raised, looped, used too much memory */
    MR_ERR_KAFKA = -4,
    MR_ERR_STORE = -5,
    MR_ERR_SYSTEM = -6, /* the operating system: files, sockets, threads */
} mr_status;

/* The next move after a failure; the zero value stops, so that a forgotten action fails safe. */
typedef enum mr_action {
    MR_ACT_STOP = 0, /* stop the process: a person must act */
    MR_ACT_RETRY,    /* the same step may succeed later */
    MR_ACT_SKIP,     /* this record cannot be processed: dead letter, go on */
    MR_ACT_ABORT,    /* this transaction cannot be committed: abort, rewind, process again */
} mr_action;

/*
 * Lives on the caller's stack, owns nothing. `error_class` is a short static word for machines
 * ("deserialize", "too_large", ...: see mr/dead_letter.h), NULL where there is none.
 */
typedef struct mr_error {
    mr_status status;
    mr_action action;
    int native; /* the library's own code, 0 where there is none */
    int line;
    const char *file;
    const char *error_class;
    char message[480];
} mr_error;

/* Fills `err` and returns `status`: `return mr_error_set(err, MR_ERR_STORE, "open '%s'", path);`.
 * The action is STOP, except for MR_ERR_DATA and MR_ERR_HANDLER: SKIP. */
#define mr_error_set(err, status, ...)                                                             \
    mr_error_set_at((err), (status), __FILE__, __LINE__, __VA_ARGS__)

mr_status mr_error_set_at(mr_error *err, mr_status status, const char *file, int line,
                          const char *format, ...) MR_PRINTF(5, 6);

/* As mr_error_set for one record that cannot be processed: action SKIP and a dead-letter class. */
#define mr_error_record(err, status, error_class, ...)                                             \
    mr_error_record_at((err), (status), (error_class), __FILE__, __LINE__, __VA_ARGS__)

mr_status mr_error_record_at(mr_error *err, mr_status status, const char *error_class,
                             const char *file, int line, const char *format, ...) MR_PRINTF(6, 7);

/* Puts "context: " before the message and returns the status; once per layer that knows more. */
mr_status mr_error_prefix(mr_error *err, const char *format, ...) MR_PRINTF(2, 3);

/* Forwards a failure. Outcomes must have been handled: in every build they are asserted away. */
#define MR_TRY(call)                                                                               \
    do {                                                                                           \
        const mr_status mr_try_ = (call);                                                          \
        if (mr_try_ < 0)                                                                           \
            return mr_try_;                                                                        \
        assert(mr_try_ == MR_OK);                                                                  \
    } while (0)

/* Ownership of locals: MR_CLEANUP(free_fn_p) T *x = NULL; hand over with MR_STEAL(&x). */
#define MR_CLEANUP(function) __attribute__((cleanup(function)))
#define MR_STEAL(pointer)                                                                          \
    __extension__({                                                                                \
        __typeof__(*(pointer)) mr_stolen_ = *(pointer);                                            \
        *(pointer) = NULL;                                                                         \
        mr_stolen_;                                                                                \
    })
/* Defines `static inline void <function>p(T **)` for use with MR_CLEANUP. */
#define MR_DEFINE_CLEANUP(type, function)                                                          \
    __attribute__((unused)) static inline void function##p(type **pointer)                         \
    {                                                                                              \
        function(*pointer);                                                                        \
    }
