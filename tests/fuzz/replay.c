/* Runs a fuzz target over the files of a directory, for compilers that have no fuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/file.h"
#include "fuzz.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* The name is said before: it is the last line when the target crashes. */
static bool run_file(const char *directory, const char *name)
{
    mr_buf contents = MR_BUF_NULL;
    mr_error err = {0};
    char *path = mr_asprintf("%s/%s", directory, name);
    printf("%s\n", path);
    (void)fflush(stdout);
    const bool is_read = mr_file_read(path, FILE_BYTES_MAX, &contents, &err) == MR_OK;
    if (is_read) {
        /* Memory of exactly that size: reading past it is seen. */
        uint8_t *exact = mr_alloc(contents.len);
        memcpy(exact, contents.data, contents.len);
        (void)LLVMFuzzerTestOneInput(exact, contents.len);
        free(exact);
    } else {
        printf("cannot be read: %s\n", err.message);
    }
    mr_buf_deinit(&contents);
    free(path);
    return is_read;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    const int n = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
    bool good = n > 0;
    for (int i = 0; i < n; i++) {
        good = run_file(argv[1], entries[i]->d_name) && good;
        free(entries[i]);
    }
    free(entries);
    if (n <= 0) {
        (void)fprintf(stderr, "usage: %s DIRECTORY, with a file or more\n", argv[0]);
    }
    return good ? 0 : 1;
}
