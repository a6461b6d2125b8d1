/*
 * byte  0      version, 1
 * byte  1      number of stores, at most MR_STORES_MAX
 * bytes 2..    input offset, commit, the changelog offset of each store: 8 bytes each
 * last 4       CRC-32 (IEEE 802.3) of everything before
 */
#include "store/progress.h"

enum {
    VERSION = 1,
    HEAD_BYTES = 2,
    NUMBER_BYTES = 8,
    CRC_BYTES = 4,
    FIXED_NUMBERS = 2,
    BITS = 8,
};

mr_progress mr_progress_none(void)
{
    mr_progress progress = {.input_offset = -1};
    for (size_t i = 0; i < MR_STORES_MAX; i++) {
        progress.changelog_offset[i] = -1;
    }
    return progress;
}

/* Bit by bit: some hundred bytes in a batch of many rows need no table. */
static uint32_t crc32_of(mr_bytes bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.data[i];
        for (int bit = 0; bit < BITS; bit++) {
            crc = crc >> 1 ^ ((crc & 1U) != 0 ? UINT32_C(0xEDB88320) : 0);
        }
    }
    return ~crc;
}

static void append_number(mr_buf *bytes, uint64_t number, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        mr_buf_append_byte(bytes, (uint8_t)(number >> (BITS * i)));
    }
}

static uint64_t read_number(const uint8_t *data, size_t width)
{
    uint64_t number = 0;
    for (size_t i = width; i > 0; i--) {
        number = number << BITS | data[i - 1];
    }
    return number;
}

void mr_progress_encode(const mr_progress *progress, mr_buf *bytes)
{
    assert(progress->n_stores <= MR_STORES_MAX);
    const size_t begin = bytes->len;
    mr_buf_append_byte(bytes, VERSION);
    mr_buf_append_byte(bytes, (uint8_t)progress->n_stores);
    append_number(bytes, (uint64_t)progress->input_offset, NUMBER_BYTES);
    append_number(bytes, (uint64_t)progress->commit, NUMBER_BYTES);
    for (size_t i = 0; i < progress->n_stores; i++) {
        append_number(bytes, (uint64_t)progress->changelog_offset[i], NUMBER_BYTES);
    }
    const uint32_t crc = crc32_of(mr_bytes_of(bytes->data + begin, bytes->len - begin));
    append_number(bytes, crc, CRC_BYTES);
}

mr_status mr_progress_decode(mr_bytes bytes, mr_progress *ret_progress, mr_error *err)
{
    if (bytes.len < HEAD_BYTES) {
        return mr_error_set(err, MR_ERR_STORE, "it has %zu bytes", bytes.len);
    }
    if (bytes.data[0] != VERSION) {
        return mr_error_set(err, MR_ERR_STORE, "it has version %d, this millrace knows %d",
                            bytes.data[0], VERSION);
    }
    const size_t n_stores = bytes.data[1];
    const size_t wanted = HEAD_BYTES + NUMBER_BYTES * (FIXED_NUMBERS + n_stores) + CRC_BYTES;
    if (n_stores > MR_STORES_MAX || bytes.len != wanted) {
        return mr_error_set(err, MR_ERR_STORE, "it has %zu bytes for %zu stores", bytes.len,
                            n_stores);
    }
    const size_t covered = bytes.len - CRC_BYTES;
    if (crc32_of(mr_bytes_of(bytes.data, covered)) !=
        read_number(bytes.data + covered, CRC_BYTES)) {
        return mr_error_set(err, MR_ERR_STORE, "its check sum is wrong");
    }
    mr_progress progress = mr_progress_none();
    const uint8_t *at = bytes.data + HEAD_BYTES;
    progress.input_offset = (int64_t)read_number(at, NUMBER_BYTES);
    progress.commit = (int64_t)read_number(at + NUMBER_BYTES, NUMBER_BYTES);
    at += FIXED_NUMBERS * NUMBER_BYTES;
    for (size_t i = 0; i < n_stores; i++) {
        progress.changelog_offset[i] = (int64_t)read_number(at + i * NUMBER_BYTES, NUMBER_BYTES);
    }
    progress.n_stores = n_stores;
    *ret_progress = progress;
    return MR_OK;
}
