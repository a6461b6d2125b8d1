#include "cli/replay_start.h"

#include <stdlib.h>

#include "core/alloc.h"
#include "core/file.h"
#include "core/text.h"

enum { FILE_BYTES_MAX = 16 << 20 };

/* ---- Times ---- */

mr_status mr_replay_datetime(const char *text, int64_t *ret_ms)
{
    if (strchr(text, 'T') == NULL) {
        return MR_NOT_FOUND;
    }
    if (mr_time_parse(mr_bytes_text(text), ret_ms) == MR_OK) {
        return MR_OK;
    }
    MR_CLEANUP(mr_buf_deinit) mr_buf utc = MR_BUF_NULL;
    mr_buf_append_text(&utc, text);
    mr_buf_append_byte(&utc, 'Z');
    return mr_time_parse(mr_buf_bytes(&utc), ret_ms);
}

/* "12", "0.5": thousandths; MR_NOT_FOUND. */
static mr_status take_number(const char **text, bool fraction, int64_t *ret_thousandths)
{
    enum { DIGITS_MAX = 9 };
    int64_t number = 0;
    size_t n = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++, n++) {
        number = number * 10 + (**text - '0');
        if (n >= DIGITS_MAX) {
            return MR_NOT_FOUND;
        }
    }
    number *= 1000;
    if (n > 0 && fraction && **text == '.') {
        int64_t unit = 100;
        for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, unit /= 10) {
            number += (**text - '0') * unit;
        }
    }
    *ret_thousandths = number;
    return n > 0 ? MR_OK : MR_NOT_FOUND;
}

mr_status mr_replay_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        char letter;
        bool is_time; /* stands behind the T */
        int64_t seconds;
    } units[] = {{'D', false, 86400}, {'H', true, 3600}, {'M', true, 60}, {'S', true, 1}};
    size_t unit = 0;
    bool is_time = false;
    bool is_open = true; /* something has to come */
    *ret_ms = 0;
    if (*text++ != 'P') {
        return MR_NOT_FOUND;
    }
    while (*text != '\0') {
        if (*text == 'T' && !is_time) {
            is_time = true;
            is_open = true;
            text++;
            continue;
        }
        int64_t thousandths = 0;
        if (take_number(&text, is_time, &thousandths) != MR_OK) {
            return MR_NOT_FOUND;
        }
        while (unit < 4 && (units[unit].letter != *text || units[unit].is_time != is_time)) {
            unit++;
        }
        if (unit == 4 || (thousandths % 1000 != 0 && units[unit].letter != 'S')) {
            return MR_NOT_FOUND;
        }
        *ret_ms += thousandths * units[unit++].seconds;
        is_open = false;
        text++;
    }
    return is_open ? MR_NOT_FOUND : MR_OK;
}

/* ---- Files ---- */

/* The line's next field, without quotes; null: there is none. */
static mr_bytes take_field(mr_bytes *line)
{
    if (mr_bytes_is_null(*line)) {
        return MR_BYTES_NULL;
    }
    const uint8_t *comma = line->len == 0 ? NULL : memchr(line->data, ',', line->len);
    const size_t len = comma == NULL ? line->len : (size_t)(comma - line->data);
    mr_bytes field = mr_bytes_of(line->data, len);
    *line = comma == NULL ? MR_BYTES_NULL : mr_bytes_of(comma + 1, line->len - len - 1);
    if (field.len >= 2 && field.data[0] == '"' && field.data[field.len - 1] == '"') {
        field = mr_bytes_of(field.data + 1, field.len - 2);
    }
    return field;
}

static mr_status take_integer(mr_bytes *line, int64_t max, int64_t *ret_number)
{
    char text[MR_INTEGER_TEXT_SIZE];
    const mr_bytes field = take_field(line);
    if (mr_bytes_is_null(field) || field.len >= sizeof(text)) {
        return MR_NOT_FOUND;
    }
    memcpy(text, field.data, field.len);
    text[field.len] = '\0';
    const mr_status status = mr_parse_int64(text, ret_number);
    return status == MR_OK && *ret_number >= 0 && *ret_number <= max ? MR_OK : MR_NOT_FOUND;
}

static mr_status read_line(mr_replay_start *start, mr_bytes line, const char *origin, size_t number,
                           mr_error *err)
{
    int64_t partition = 0;
    int64_t offset = 0;
    const mr_bytes whole = line;
    /* A zero byte would cut what is read before it. */
    const bool is_text = memchr(line.data, '\0', line.len) == NULL;
    const mr_bytes topic = take_field(&line);
    if (!is_text || topic.len == 0 || take_integer(&line, INT32_MAX, &partition) != MR_OK ||
        take_integer(&line, INT64_MAX, &offset) != MR_OK || !mr_bytes_is_null(line)) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "%s:%zu: '%.*s', expected topic,partition,offset as "
                            "kafka-consumer-groups --export writes it",
                            origin, number, (int)(whole.len < 80 ? whole.len : 80),
                            (const char *)whole.data);
    }
    MR_GROW(start->partitions, start->capacity, start->n + 1);
    start->partitions[start->n++] = (mr_topic_partition){
        mr_strndup((const char *)topic.data, topic.len), (int32_t)partition, offset};
    return MR_OK;
}

mr_status mr_replay_read_csv(mr_replay_start *start, mr_bytes text, const char *origin,
                             mr_error *err)
{
    for (size_t number = 1; text.len > 0; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        const size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        mr_bytes line = mr_bytes_of(text.data, len);
        const size_t taken = end == NULL ? len : len + 1;
        text = mr_bytes_of(text.data + taken, text.len - taken);
        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }
        if (line.len > 0) {
            MR_TRY(read_line(start, line, origin, number, err));
        }
    }
    return MR_OK;
}

static mr_status read_file(mr_replay_start *start, const char *path, mr_error *err)
{
    MR_CLEANUP(mr_buf_deinit) mr_buf contents = MR_BUF_NULL;
    const mr_status status = mr_file_read(path, FILE_BYTES_MAX, &contents, err);
    if (status == MR_NOT_FOUND) {
        return mr_error_set(err, MR_ERR_USAGE, "--from-file: there is no '%s'", path);
    }
    MR_TRY(status);
    MR_TRY(mr_replay_read_csv(start, mr_buf_bytes(&contents), path, err));
    if (start->n == 0) {
        return mr_error_set(err, MR_ERR_USAGE, "--from-file: '%s' names no partition", path);
    }
    return MR_OK;
}

/* ---- The choice ---- */

static mr_status set_time(mr_replay_start *start, const mr_replay_choice *choice, int64_t now_ms,
                          mr_error *err)
{
    start->kind = MR_REPLAY_TIME;
    if (choice->datetime != NULL) {
        return mr_replay_datetime(choice->datetime, &start->number) == MR_OK
                   ? MR_OK
                   : mr_error_set(err, MR_ERR_USAGE,
                                  "--to-datetime is '%.80s', expected a time like "
                                  "2026-11-21T10:00:00.000, with Z or +02:00 where it is not UTC",
                                  choice->datetime);
    }
    int64_t ms = 0;
    if (mr_replay_duration(choice->duration, &ms) != MR_OK) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "--by-duration is '%.80s', expected a duration like P1DT2H30M5S",
                            choice->duration);
    }
    start->number = now_ms - ms;
    return MR_OK;
}

int mr_replay_choice_count(const mr_replay_choice *choice)
{
    return choice->earliest + choice->latest + (choice->offset >= 0) + (choice->datetime != NULL) +
           (choice->duration != NULL) + (choice->shift != MR_REPLAY_NO_SHIFT) +
           (choice->file != NULL);
}

mr_status mr_replay_start_init(mr_replay_start *start, const mr_replay_choice *choice,
                               int64_t now_ms, mr_error *err)
{
    *start = (mr_replay_start){.kind = MR_REPLAY_EARLIEST};
    if (mr_replay_choice_count(choice) > 1) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "a replay has one beginning: give one of --to-earliest, --to-latest, "
                            "--to-offset, --to-datetime, --by-duration, --shift-by, --from-file");
    }
    if (choice->latest) {
        start->kind = MR_REPLAY_LATEST;
    } else if (choice->offset >= 0) {
        start->kind = MR_REPLAY_OFFSET;
        start->number = choice->offset;
    } else if (choice->shift != MR_REPLAY_NO_SHIFT) {
        start->kind = MR_REPLAY_SHIFT;
        start->number = choice->shift;
    } else if (choice->datetime != NULL || choice->duration != NULL) {
        return set_time(start, choice, now_ms, err);
    } else if (choice->file != NULL) {
        start->kind = MR_REPLAY_FILE;
        const mr_status status = read_file(start, choice->file, err);
        if (status != MR_OK) {
            mr_replay_start_deinit(start);
        }
        return status;
    }
    return MR_OK;
}

void mr_replay_start_deinit(mr_replay_start *start)
{
    for (size_t i = 0; i < start->n; i++) {
        free((char *)(uintptr_t)start->partitions[i].topic);
    }
    free(start->partitions);
    *start = (mr_replay_start){0};
}
