#include <mr/error.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 5, 0))) static void fill(mr_error *err, mr_status status,
                                                       const char *file, int line,
                                                       const char *format, va_list arguments)
{
    assert(status < 0);
    *err = (mr_error){.status = status, .file = file, .line = line};
    const bool of_record = status == MR_ERR_DATA || status == MR_ERR_HANDLER;
    err->action = of_record ? MR_ACT_SKIP : MR_ACT_STOP;
    /* A message that does not fit is cut: its beginning says what happened. */
    (void)vsnprintf(err->message, sizeof(err->message), format, arguments);
}

mr_status mr_error_set_at(mr_error *err, mr_status status, const char *file, int line,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, status, file, line, format, arguments);
    va_end(arguments);
    return status;
}

mr_status mr_error_record_at(mr_error *err, mr_status status, const char *error_class,
                             const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, status, file, line, format, arguments);
    va_end(arguments);
    err->action = MR_ACT_SKIP;
    err->error_class = error_class;
    return status;
}

mr_status mr_error_prefix(mr_error *err, const char *format, ...)
{
    char context[sizeof(err->message) / 2];
    va_list arguments;
    va_start(arguments, format);
    const int printed = vsnprintf(context, sizeof(context), format, arguments);
    va_end(arguments);
    assert(printed >= 0);
    char message[sizeof(err->message) + sizeof(context) + 2];
    (void)snprintf(message, sizeof(message), "%s: %s", context, err->message);
    /* The end of a message that grew too long is cut: its beginning says where it happened. */
    message[sizeof(err->message) - 1] = '\0';
    memcpy(err->message, message, sizeof(err->message));
    return err->status;
}
