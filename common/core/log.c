#include <mr/log.h>

#include <string.h>
#include <time.h>

#include <mr/bytes.h>

#include "core/text.h"

static const char *const level_names[] = {"error", "warn", "info", "debug"};

mr_log mr_log_for(const mr_log *log, const char *format, ...)
{
    mr_log child = *log;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(child.component, sizeof(child.component), format, arguments);
    va_end(arguments);
    return child;
}

mr_status mr_log_level_parse(const char *text, mr_log_level *ret_level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (mr_log_level)i;
            return MR_OK;
        }
    }
    return MR_NOT_FOUND;
}

void mr_log_line(const mr_log *log, mr_log_level level, const char *format, ...)
{
    if (log->stream == NULL || level > log->level) {
        return;
    }
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    for (char *c = message; *c != '\0'; c++) {
        /* One line is one event, and nothing in it talks to a terminal. */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = ' ';
        }
    }
    char when[MR_TIME_TEXT_SIZE];
    mr_time_format(log->clock->wall_ms(log->clock), when);
    mr_buf line = MR_BUF_NULL;
    if (log->json) {
        mr_buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"component\":", when,
                      level_names[level]);
        mr_text_append_json(&line, mr_bytes_text(log->component));
        mr_buf_append_text(&line, ",\"message\":");
        mr_text_append_json(&line, mr_bytes_text(message));
        mr_buf_append_text(&line, "}\n");
    } else {
        mr_buf_printf(&line, "%s %-5s %s: %s\n", when, level_names[level], log->component, message);
    }
    /* One write a line keeps lines of several threads apart; a log that cannot be written is lost.
     */
    (void)fwrite(line.data, 1, line.len, log->stream);
    (void)fflush(log->stream);
    mr_buf_deinit(&line);
}
