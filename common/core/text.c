#include "core/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "core/alloc.h"

mr_status mr_parse_int64(const char *text, int64_t *ret_value)
{
    if (*text != '-' && (*text < '0' || *text > '9')) {
        return MR_NOT_FOUND;
    }
    char *end = NULL;
    errno = 0;
    const intmax_t value = strtoimax(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < INT64_MIN || value > INT64_MAX) {
        return MR_NOT_FOUND;
    }
    *ret_value = (int64_t)value;
    return MR_OK;
}

/* Days since 1970-01-01 of a date in the proleptic Gregorian calendar (March-based years). */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void date_of_days(int64_t days, int64_t *ret_year, int64_t *ret_month, int64_t *ret_day)
{
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *ret_day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    *ret_month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

static bool take_digits(mr_bytes *text, size_t count, int64_t *ret_value)
{
    if (text->len < count) {
        return false;
    }
    int64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text->data[i] < '0' || text->data[i] > '9') {
            return false;
        }
        value = value * 10 + (text->data[i] - '0');
    }
    text->data += count;
    text->len -= count;
    *ret_value = value;
    return true;
}

static bool take_one_of(mr_bytes *text, const char *characters, char *ret_taken)
{
    if (text->len == 0 || text->data[0] == '\0' || strchr(characters, text->data[0]) == NULL) {
        return false;
    }
    *ret_taken = (char)text->data[0];
    text->data++;
    text->len--;
    return true;
}

static bool take_fraction_ms(mr_bytes *text, int64_t *ret_ms)
{
    char taken;
    *ret_ms = 0;
    if (!take_one_of(text, ".,", &taken)) {
        return true;
    }
    int64_t scale = 100;
    int64_t digit;
    size_t n_digits = 0;
    while (take_digits(text, 1, &digit)) {
        *ret_ms += digit * scale;
        scale /= 10;
        n_digits++;
    }
    return n_digits > 0;
}

static bool take_offset_minutes(mr_bytes *text, int64_t *ret_minutes)
{
    char sign;
    if (!take_one_of(text, "Zz+-", &sign)) {
        return false;
    }
    *ret_minutes = 0;
    if (sign == 'Z' || sign == 'z') {
        return true;
    }
    char colon;
    int64_t hours;
    int64_t minutes;
    if (!take_digits(text, 2, &hours) || !take_one_of(text, ":", &colon) ||
        !take_digits(text, 2, &minutes)) {
        return false;
    }
    *ret_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

/* Whether the month has that day. */
static bool is_date(int64_t year, int64_t month, int64_t day)
{
    if (month < 1 || month > 12 || day < 1 || day > 31) {
        return false;
    }
    int64_t same_year, same_month, same_day;
    date_of_days(days_of_date(year, month, day), &same_year, &same_month, &same_day);
    return same_month == month && same_day == day;
}

mr_status mr_time_parse(mr_bytes text, int64_t *ret_ms)
{
    int64_t year, month, day;
    char taken;
    if (!take_digits(&text, 4, &year) || !take_one_of(&text, "-", &taken) ||
        !take_digits(&text, 2, &month) || !take_one_of(&text, "-", &taken) ||
        !take_digits(&text, 2, &day) || !is_date(year, month, day)) {
        return MR_NOT_FOUND;
    }
    int64_t hour = 0, minute = 0, second = 0, fraction_ms = 0, offset_minutes = 0;
    if (text.len > 0) {
        if (!take_one_of(&text, "Tt ", &taken) || !take_digits(&text, 2, &hour) ||
            !take_one_of(&text, ":", &taken) || !take_digits(&text, 2, &minute) || hour > 23 ||
            minute > 59) {
            return MR_NOT_FOUND;
        }
        if (take_one_of(&text, ":", &taken) && (!take_digits(&text, 2, &second) || second > 60 ||
                                                !take_fraction_ms(&text, &fraction_ms))) {
            return MR_NOT_FOUND;
        }
        if (!take_offset_minutes(&text, &offset_minutes) || text.len > 0) {
            return MR_NOT_FOUND;
        }
    }
    const int64_t seconds = days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 +
                            second - offset_minutes * 60;
    *ret_ms = seconds * 1000 + fraction_ms;
    return MR_OK;
}

size_t mr_integer_format(int64_t number, char ret_text[MR_INTEGER_TEXT_SIZE])
{
    char digits[MR_INTEGER_TEXT_SIZE];
    size_t n = 0;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) {
        digits[n++] = '-';
    }
    for (size_t i = 0; i < n; i++) {
        ret_text[i] = digits[n - 1 - i];
    }
    ret_text[n] = '\0';
    return n;
}

/* Writes `width` digits, with zeros before, and one character behind; returns what is behind. */
static char *put_digits(char *at, int64_t number, size_t width, char behind)
{
    for (size_t i = width; i > 0; i--) {
        at[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    at[width] = behind;
    return at + width + 1;
}

void mr_time_format(int64_t ms, char ret_text[MR_TIME_TEXT_SIZE])
{
    ms = ms < MR_TIME_MS_MIN ? MR_TIME_MS_MIN : ms > MR_TIME_MS_MAX ? MR_TIME_MS_MAX : ms;
    int64_t days = ms / 86400000;
    int64_t rest_ms = ms % 86400000;
    if (rest_ms < 0) {
        rest_ms += 86400000;
        days--;
    }
    int64_t year, month, day;
    date_of_days(days, &year, &month, &day);
    char *at = put_digits(ret_text, year, 4, '-');
    at = put_digits(at, month, 2, '-');
    at = put_digits(at, day, 2, 'T');
    at = put_digits(at, rest_ms / 3600000, 2, ':');
    at = put_digits(at, rest_ms / 60000 % 60, 2, ':');
    at = put_digits(at, rest_ms / 1000 % 60, 2, '.');
    at = put_digits(at, rest_ms % 1000, 3, 'Z');
    *at = '\0';
}

/* Levenshtein distance with one row; ASCII letters compare without case. */
static size_t edit_distance(const char *a, const char *b)
{
    const size_t len_b = strlen(b);
    size_t *row = mr_alloc((len_b + 1) * sizeof(*row));
    for (size_t j = 0; j <= len_b; j++) {
        row[j] = j;
    }
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < len_b; j++) {
            const bool same = (a[i] | 0x20) == (b[j] | 0x20);
            size_t best = diagonal + (same ? 0 : 1);
            best = row[j + 1] + 1 < best ? row[j + 1] + 1 : best;
            best = row[j] + 1 < best ? row[j] + 1 : best;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    const size_t distance = row[len_b];
    free(row);
    return distance;
}

const char *mr_text_nearest(const char *text, const char *const *candidates, size_t n,
                            size_t stride)
{
    enum { TEXT_MAX = 256 };
    const char *nearest = NULL;
    size_t best = strlen(text) / 3 + 1;
    if (strlen(text) > TEXT_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const char *candidate =
            *(const char *const *)(const void *)((const char *)candidates + i * stride);
        const size_t distance = edit_distance(text, candidate);
        if (distance <= best && (nearest == NULL || distance < best)) {
            best = distance;
            nearest = candidate;
        }
    }
    return nearest;
}

/* Length of the UTF-8 sequence at the start of `text`, 0 when it is none (RFC 3629). */
static size_t utf8_sequence(const uint8_t *text, size_t len)
{
    const uint8_t first = text[0];
    if (first < 0x80) {
        return 1;
    }
    const size_t wanted = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || len < wanted) {
        return 0;
    }
    for (size_t i = 1; i < wanted; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (first == 0xe0 && text[1] < 0xa0) || (first == 0xf0 && text[1] < 0x90);
    const bool outside = (first == 0xed && text[1] > 0x9f) || (first == 0xf4 && text[1] > 0x8f);
    return overlong || outside ? 0 : wanted;
}

/* Texts are mostly ASCII: eight characters at a time, then one at a time. */
bool mr_text_is_utf8(mr_bytes text)
{
    for (size_t i = 0; i < text.len;) {
        uint64_t eight;
        if (text.len - i >= sizeof(eight)) {
            memcpy(&eight, text.data + i, sizeof(eight));
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof(eight);
                continue;
            }
        }
        const size_t sequence = utf8_sequence(text.data + i, text.len - i);
        if (sequence == 0) {
            return false;
        }
        i += sequence;
    }
    return true;
}

void mr_text_append_json(mr_buf *buf, mr_bytes text)
{
    mr_buf_append_byte(buf, '"');
    for (size_t i = 0; i < text.len;) {
        const uint8_t c = text.data[i];
        const size_t sequence = utf8_sequence(text.data + i, text.len - i);
        if (sequence == 0) {
            mr_buf_append_text(buf, "\xef\xbf\xbd");
            i++;
        } else if (c == '"' || c == '\\') {
            mr_buf_append_byte(buf, '\\');
            mr_buf_append_byte(buf, c);
            i++;
        } else if (c < 0x20) {
            mr_buf_printf(buf, "\\u%04x", c);
            i++;
        } else {
            mr_buf_append(buf, text.data + i, sequence);
            i += sequence;
        }
    }
    mr_buf_append_byte(buf, '"');
}

void mr_text_append_code_point(mr_buf *buf, uint32_t code)
{
    assert(code <= 0x10ffff && (code & 0xfffff800) != 0xd800);
    uint8_t bytes[4];
    size_t len = 0;
    if (code < 0x80) {
        bytes[len++] = (uint8_t)code;
    } else if (code < 0x800) {
        bytes[len++] = (uint8_t)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        bytes[len++] = (uint8_t)(0xe0 | code >> 12);
        bytes[len++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    } else {
        bytes[len++] = (uint8_t)(0xf0 | code >> 18);
        bytes[len++] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
        bytes[len++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
    }
    if (code >= 0x80) {
        bytes[len++] = (uint8_t)(0x80 | (code & 0x3f));
    }
    mr_buf_append(buf, bytes, len);
}
