#include <mr/keys.h>

#include <inttypes.h>

enum {
    TAG_STRING = 0x02,
    TAG_LONG = 0x15,
    STRING_END = 0x00,
    STRING_ZERO = 0xFF, /* after 00: the string goes on, it has a zero byte */
    LONG_BYTES = 8,
};

static const uint64_t sign_bit = UINT64_C(1) << 63;

void mr_key_append_open(mr_buf *key, mr_bytes text)
{
    mr_buf_append_byte(key, TAG_STRING);
    mr_bytes rest = text;
    while (rest.len > 0) {
        const uint8_t *zero = memchr(rest.data, STRING_END, rest.len);
        const size_t n = zero == NULL ? rest.len : (size_t)(zero - rest.data) + 1;
        mr_buf_append(key, rest.data, n);
        if (zero != NULL) {
            mr_buf_append_byte(key, STRING_ZERO);
        }
        rest = mr_bytes_of(rest.data + n, rest.len - n);
    }
}

static void append_long(mr_buf *key, int64_t number)
{
    const uint64_t ordered = (uint64_t)number ^ sign_bit;
    uint8_t bytes[1 + LONG_BYTES] = {TAG_LONG};
    for (int i = 0; i < LONG_BYTES; i++) {
        bytes[1 + i] = (uint8_t)(ordered >> (8 * (LONG_BYTES - 1 - i)));
    }
    mr_buf_append(key, bytes, sizeof(bytes));
}

void mr_key_append(mr_buf *key, const mr_key_part *part)
{
    if (part->kind == MR_KEY_LONG) {
        append_long(key, part->number);
        return;
    }
    assert(part->kind == MR_KEY_STRING && !mr_bytes_is_null(part->text));
    mr_key_append_open(key, part->text);
    mr_buf_append_byte(key, STRING_END);
}

/* The part's bytes begin at `at`, behind its tag. Returns where the next part begins, 0 when the
 * string has no end. The scratch buffer has room for all of the key: it does not move. */
static size_t parse_string(mr_bytes key, size_t at, mr_buf *scratch, mr_key_part *part)
{
    const size_t begin = scratch->len;
    while (at < key.len) {
        const uint8_t *zero = memchr(key.data + at, STRING_END, key.len - at);
        if (zero == NULL) {
            return 0;
        }
        const size_t end = (size_t)(zero - key.data);
        mr_buf_append(scratch, key.data + at, end - at);
        if (end + 1 == key.len || key.data[end + 1] != STRING_ZERO) {
            part->kind = MR_KEY_STRING;
            part->text = mr_bytes_of(scratch->data + begin, scratch->len - begin);
            return end + 1;
        }
        mr_buf_append_byte(scratch, STRING_END);
        at = end + 2;
    }
    return 0;
}

static size_t parse_long(mr_bytes key, size_t at, mr_key_part *part)
{
    if (key.len - at < LONG_BYTES) {
        return 0;
    }
    uint64_t ordered = 0;
    for (size_t i = 0; i < LONG_BYTES; i++) {
        ordered = ordered << 8 | key.data[at + i];
    }
    part->kind = MR_KEY_LONG;
    part->number = (int64_t)(ordered ^ sign_bit);
    return at + LONG_BYTES;
}

mr_status mr_key_parse(mr_bytes key, mr_buf *scratch, mr_key_part ret_parts[MR_KEY_PARTS_MAX],
                       size_t *ret_n, mr_error *err)
{
    mr_buf_clear(scratch);
    mr_buf_reserve(scratch, key.len);
    size_t n = 0;
    for (size_t at = 0; at < key.len; n++) {
        if (n == MR_KEY_PARTS_MAX) {
            return mr_error_set(err, MR_ERR_DATA, "the key has more than %d parts",
                                MR_KEY_PARTS_MAX);
        }
        mr_key_part part = {0};
        size_t next = 0;
        if (key.data[at] == TAG_STRING) {
            next = parse_string(key, at + 1, scratch, &part);
        } else if (key.data[at] == TAG_LONG) {
            next = parse_long(key, at + 1, &part);
        } else {
            return mr_error_set(err, MR_ERR_DATA,
                                "byte %zu of the key is %02x, which begins no part", at,
                                key.data[at]);
        }
        if (next == 0) {
            return mr_error_set(err, MR_ERR_DATA,
                                "the key ends within the part that begins at byte %zu", at);
        }
        ret_parts[n] = part;
        at = next;
    }
    *ret_n = n;
    return MR_OK;
}

mr_status mr_key_successor(mr_bytes prefix, mr_buf *ret_successor)
{
    mr_buf_clear(ret_successor);
    size_t len = prefix.len;
    while (len > 0 && prefix.data[len - 1] == 0xFF) {
        len--;
    }
    if (len == 0) {
        return MR_END;
    }
    mr_buf_append(ret_successor, prefix.data, len);
    ret_successor->data[len - 1]++;
    return MR_OK;
}
