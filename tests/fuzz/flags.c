/* A command line, a word a line. What is accepted lies in its limits. */
#include "app/flags.h"

#include <stdlib.h>

#include "fuzz.h"

typedef struct target {
    const char *file;
    mr_texts sets;
    int64_t limit;
    bool json;
    bool join;
} target;

enum { WORDS_MAX = 32, LIMIT_MIN = -1, LIMIT_MAX = 10 };

static const mr_flag flags[] = {
    {"file", 'f', MR_FLAG_TEXT, offsetof(target, file), 0, 0, 0, "FILE", "A file."},
    {"set", 'X', MR_FLAG_TEXTS, offsetof(target, sets), 0, 0, 0, "NAME=VALUE", "A setting."},
    {"limit", 0, MR_FLAG_NUMBER, offsetof(target, limit), LIMIT_MIN, LIMIT_MAX, 7, "N",
     "A number."},
    {"json", 'j', MR_FLAG_SWITCH, offsetof(target, json), 0, 0, 0, NULL, "JSON."},
    {"join", 0, MR_FLAG_SWITCH, offsetof(target, join), 0, 0, 0, NULL, "Join."},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char program[] = "program";
    char *argv[WORDS_MAX + 1] = {program};
    mr_buf words[WORDS_MAX] = {MR_BUF_NULL};
    int argc = 1;
    target filled = {0};
    mr_texts operands = {0};
    const mr_flag_group group = {flags, sizeof(flags) / sizeof(flags[0]), &filled};
    mr_bytes rest = mr_bytes_of(data, size);
    mr_bytes word;
    mr_error err;
    while (argc < WORDS_MAX && fuzz_take(&rest, '\n', &word) == MR_OK) {
        mr_buf_append_bytes(&words[argc], word);
        mr_buf_append_byte(&words[argc], 0);
        argv[argc] = (char *)words[argc].data;
        argc++;
    }
    mr_flags_preset(&group);
    const mr_status status = mr_flags_parse(&group, 1, argc, argv, &operands, &err);
    assert(status == MR_OK || status == MR_ERR_USAGE);
    assert(filled.limit >= LIMIT_MIN && filled.limit <= LIMIT_MAX);
    assert(filled.sets.n + operands.n < (size_t)argc);
    mr_texts_deinit(&operands);
    mr_texts_deinit(&filled.sets);
    for (int i = 0; i < WORDS_MAX; i++) {
        mr_buf_deinit(&words[i]);
    }
    return 0;
}
