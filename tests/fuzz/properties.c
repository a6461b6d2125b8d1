/* A properties file, and the same text as the word behind -X. What the runtime's options make of it
 * is dumped as a file that gives the same options. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/text.h"
#include "fuzz.h"
#include "runtime/options.h"

/* Properties are read by path: the file is one in memory. */
static mr_status load(mr_bytes text, mr_properties *properties, mr_error *err)
{
    char path[64];
    const int fd = memfd_create("properties", MFD_CLOEXEC);
    assert(fd >= 0);
    const ssize_t written = write(fd, text.data, text.len);
    assert(written == (ssize_t)text.len);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const mr_status status = mr_properties_load(properties, path, err);
    (void)close(fd);
    assert(status == MR_OK || status == MR_ERR_USAGE || status == MR_ERR_SYSTEM);
    return status;
}

static mr_status apply_and_dump(const mr_properties *properties, mr_buf *dump)
{
    mr_runtime_options options;
    mr_error err;
    const mr_status status = mr_options_apply(mr_runtime_option_table, mr_runtime_option_count,
                                              properties, &options, &err);
    if (status == MR_OK) {
        mr_options_dump(mr_runtime_option_table, mr_runtime_option_count, &options, dump);
    } else {
        assert(status == MR_ERR_USAGE);
    }
    return status;
}

static void check_dump(const mr_properties *properties)
{
    mr_properties again = {0};
    mr_buf first = MR_BUF_NULL;
    mr_buf second = MR_BUF_NULL;
    mr_error err;
    if (apply_and_dump(properties, &first) == MR_OK) {
        mr_status status = load(mr_buf_bytes(&first), &again, &err);
        assert(status == MR_OK);
        status = apply_and_dump(&again, &second);
        assert(status == MR_OK);
        assert(mr_bytes_equal(mr_buf_bytes(&first), mr_buf_bytes(&second)));
    }
    mr_properties_deinit(&again);
    mr_buf_deinit(&first);
    mr_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mr_properties file = {0};
    mr_properties word = {0};
    mr_buf text = MR_BUF_NULL;
    mr_error err;
    mr_buf_append(&text, data, size);
    if (load(mr_bytes_of(data, size), &file, &err) == MR_OK) {
        check_dump(&file);
    }
    if (mr_properties_parse(&word, mr_buf_text(&text), &err) == MR_OK) {
        assert(word.n == 1);
        /* A path in a word need not be UTF-8. */
        if (mr_text_is_utf8(mr_bytes_text(mr_buf_text(&text)))) {
            check_dump(&word);
        }
    }
    mr_properties_deinit(&file);
    mr_properties_deinit(&word);
    mr_buf_deinit(&text);
    return 0;
}
