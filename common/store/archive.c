#include "store/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "core/alloc.h"
#include "core/file.h"

MR_DEFINE_CLEANUP(char, free)

enum {
    DIRECTORY_MODE = 0750,
    FILE_MODE = 0640,
    CHUNK_BYTES = 1 << 18,
    SUM_DIGITS = 32,
    SUMS_BYTES_MAX = 64 << 20,
};

static mr_status failed(mr_error *err, const char *step, const char *directory, const char *name)
{
    const int native = errno;
    char text[128];
    (void)mr_error_set(err, MR_ERR_SYSTEM, "cannot %s '%s%s%s': %s", step, directory,
                       name[0] == '\0' ? "" : "/", name, strerror_r(native, text, sizeof(text)));
    err->native = native;
    err->action = native == ENOSPC || native == EDQUOT ? MR_ACT_RETRY : MR_ACT_STOP;
    return err->status;
}

/* ---- The files ---- */

typedef struct names {
    char **items; /* in order */
    size_t n;
    size_t capacity;
} names;

static void names_deinit(names *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i]);
    }
    free(list->items);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All but the list of sums. */
static mr_status list_files(const char *directory, names *ret_files, mr_error *err)
{
    DIR *entries = opendir(directory);
    if (entries == NULL) {
        return failed(err, "look into", directory, "");
    }
    errno = 0;
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            strcmp(name, MR_ARCHIVE_SUMS) != 0) {
            MR_GROW(ret_files->items, ret_files->capacity, ret_files->n + 1);
            ret_files->items[ret_files->n++] = mr_strdup(name);
        }
    }
    const int error = errno;
    (void)closedir(entries);
    if (error != 0) {
        errno = error;
        return failed(err, "look into", directory, "");
    }
    if (ret_files->n > 1) {
        qsort(ret_files->items, ret_files->n, sizeof(ret_files->items[0]), compare_names);
    }
    return MR_OK;
}

static bool has_name(const names *list, const char *name)
{
    return list->n > 0 &&
           bsearch(&name, list->items, list->n, sizeof(list->items[0]), compare_names) != NULL;
}

static int open_in(const char *directory, const char *name, int flags)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, name);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
}

static mr_status sync_directory(const char *directory, mr_error *err)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;
    const mr_status status = synced ? MR_OK : failed(err, "bring to disk", directory, "");
    if (fd >= 0) {
        (void)close(fd);
    }
    return status;
}

/* ---- Reading ---- */

typedef mr_status (*chunk_visitor)(void *context, const uint8_t *data, size_t len, mr_error *err);

static mr_status read_chunks(int fd, const char *directory, const char *name, chunk_visitor visit,
                             void *context, mr_error *err)
{
    MR_CLEANUP(freep) char *chunk = mr_alloc(CHUNK_BYTES);
    for (;;) {
        const ssize_t n = read(fd, chunk, CHUNK_BYTES);
        if (n < 0 && errno != EINTR) {
            return failed(err, "read", directory, name);
        }
        if (n == 0) {
            return MR_OK;
        }
        if (n > 0) {
            MR_TRY(visit(context, (const uint8_t *)chunk, (size_t)n, err));
        }
    }
}

static mr_status read_file(const char *directory, const char *name, chunk_visitor visit,
                           void *context, mr_error *err)
{
    const int fd = open_in(directory, name, O_RDONLY);
    if (fd < 0) {
        return failed(err, "read", directory, name);
    }
    const mr_status status = read_chunks(fd, directory, name, visit, context, err);
    (void)close(fd);
    return status;
}

typedef struct sum {
    XXH3_state_t *state;
    int64_t bytes;
} sum;

static mr_status add_to_sum(void *context, const uint8_t *data, size_t len, mr_error *err)
{
    (void)err;
    sum *s = context;
    (void)XXH3_128bits_update(s->state, data, len);
    s->bytes += (int64_t)len;
    return MR_OK;
}

/* The digits as xxh128sum prints them. */
static mr_status sum_of(const char *directory, const char *name, char ret_digits[SUM_DIGITS + 1],
                        int64_t *ret_bytes, mr_error *err)
{
    sum s = {.state = XXH3_createState()};
    if (s.state == NULL || XXH3_128bits_reset(s.state) != XXH_OK) {
        (void)XXH3_freeState(s.state);
        return mr_error_set(err, MR_ERR_SYSTEM, "xxHash cannot begin a sum");
    }
    const mr_status status = read_file(directory, name, add_to_sum, &s, err);
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(s.state));
    (void)XXH3_freeState(s.state);
    for (size_t i = 0; i < sizeof(canonical.digest); i++) {
        (void)snprintf(ret_digits + 2 * i, 3, "%02x", canonical.digest[i]);
    }
    *ret_bytes = s.bytes;
    return status;
}

/* ---- Writing ---- */

typedef struct target {
    int fd;
    const char *directory;
    const char *name;
} target;

static mr_status write_chunk(void *context, const uint8_t *data, size_t len, mr_error *err)
{
    const target *to = context;
    for (size_t done = 0; done < len;) {
        const ssize_t n = write(to->fd, data + done, len - done);
        if (n < 0 && errno != EINTR) {
            return failed(err, "write", to->directory, to->name);
        }
        done += n < 0 ? 0 : (size_t)n;
    }
    return MR_OK;
}

static mr_status open_target(target *to, mr_error *err)
{
    to->fd = open_in(to->directory, to->name, O_WRONLY | O_CREAT | O_TRUNC);
    return to->fd >= 0 ? MR_OK : failed(err, "write", to->directory, to->name);
}

/* Brings it to disk when `status` says that all was written. */
static mr_status close_target(target *to, mr_status status, mr_error *err)
{
    if (status == MR_OK && fsync(to->fd) != 0) {
        status = failed(err, "bring to disk", to->directory, to->name);
    }
    if (close(to->fd) != 0 && status == MR_OK) {
        status = failed(err, "write", to->directory, to->name);
    }
    return status;
}

mr_status mr_archive_add(const char *directory, const char *name, mr_bytes contents, mr_error *err)
{
    target file = {.directory = directory, .name = name};
    MR_TRY(open_target(&file, err));
    return close_target(&file, write_chunk(&file, contents.data, contents.len, err), err);
}

static mr_status copy_file(const char *from, const char *to, const char *name, mr_error *err)
{
    target copy = {.directory = to, .name = name};
    MR_TRY(open_target(&copy, err));
    return close_target(&copy, read_file(from, name, write_chunk, &copy, err), err);
}

mr_status mr_archive_copy(const char *from, const char *to, mr_error *err)
{
    MR_CLEANUP(names_deinit) names files = {0};
    MR_TRY(list_files(from, &files, err));
    if (mkdir(to, DIRECTORY_MODE) != 0) {
        return failed(err, "make directory", to, "");
    }
    for (size_t i = 0; i < files.n; i++) {
        MR_TRY(copy_file(from, to, files.items[i], err));
    }
    return sync_directory(to, err);
}

mr_status mr_archive_remove(const char *directory, mr_error *err)
{
    MR_CLEANUP(names_deinit) names files = {0};
    if (access(directory, F_OK) != 0 && errno == ENOENT) {
        return MR_OK;
    }
    MR_TRY(list_files(directory, &files, err));
    for (size_t i = 0; i <= files.n; i++) {
        const char *name = i < files.n ? files.items[i] : MR_ARCHIVE_SUMS;
        MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, name);
        if (unlink(path) != 0 && errno != ENOENT) {
            return failed(err, "remove", directory, name);
        }
    }
    return rmdir(directory) == 0 ? MR_OK : failed(err, "remove", directory, "");
}

/* ---- Sealing and checking ---- */

static mr_status rename_to(const char *directory, const char *as, mr_error *err)
{
    MR_CLEANUP(freep) char *above = mr_asprintf("%s/..", as);
    if (rename(directory, as) != 0) {
        return failed(err, "make", as, "");
    }
    return sync_directory(above, err);
}

mr_status mr_archive_seal(const char *directory, const char *as, int64_t *ret_bytes, mr_error *err)
{
    MR_CLEANUP(names_deinit) names files = {0};
    MR_CLEANUP(mr_buf_deinit) mr_buf sums = MR_BUF_NULL;
    MR_TRY(list_files(directory, &files, err));
    *ret_bytes = 0;
    for (size_t i = 0; i < files.n; i++) {
        char digits[SUM_DIGITS + 1];
        int64_t bytes = 0;
        MR_TRY(sum_of(directory, files.items[i], digits, &bytes, err));
        mr_buf_printf(&sums, "%s  %s\n", digits, files.items[i]);
        *ret_bytes += bytes;
    }
    MR_TRY(mr_archive_add(directory, MR_ARCHIVE_SUMS, mr_buf_bytes(&sums), err));
    MR_TRY(sync_directory(directory, err));
    return rename_to(directory, as, err);
}

static mr_status damaged(mr_error *err, const char *directory, const char *name, const char *what)
{
    return mr_error_set(err, MR_ERR_STORE, "backup '%s': %s %s; take another one", directory, name,
                        what);
}

/* One line of the list, cut in place: its name is put into `listed`. */
static mr_status check_line(const char *directory, char *line, const names *files, names *listed,
                            mr_error *err)
{
    const size_t digits = strspn(line, "0123456789abcdef");
    if (digits != SUM_DIGITS || strncmp(line + digits, "  ", 2) != 0 ||
        strchr(line + digits, '/') != NULL) {
        return damaged(err, directory, MR_ARCHIVE_SUMS, "is damaged");
    }
    line[digits] = '\0';
    const char *name = line + digits + 2;
    if (!has_name(files, name)) {
        return damaged(err, directory, name, "is missing");
    }
    MR_GROW(listed->items, listed->capacity, listed->n + 1);
    listed->items[listed->n++] = mr_strdup(name);
    char found[SUM_DIGITS + 1];
    int64_t bytes = 0;
    MR_TRY(sum_of(directory, name, found, &bytes, err));
    return strcmp(found, line) == 0 ? MR_OK : damaged(err, directory, name, "is damaged");
}

static mr_status check_lines(const char *directory, char *text, const names *files, names *listed,
                             mr_error *err)
{
    while (*text != '\0') {
        char *end = strchr(text, '\n');
        if (end == NULL) {
            return damaged(err, directory, MR_ARCHIVE_SUMS, "is cut off");
        }
        *end = '\0';
        MR_TRY(check_line(directory, text, files, listed, err));
        text = end + 1;
    }
    return MR_OK;
}

mr_status mr_archive_check(const char *directory, mr_error *err)
{
    MR_CLEANUP(names_deinit) names files = {0};
    MR_CLEANUP(names_deinit) names listed = {0};
    MR_CLEANUP(mr_buf_deinit) mr_buf sums = MR_BUF_NULL;
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, MR_ARCHIVE_SUMS);
    MR_TRY(list_files(directory, &files, err));
    const mr_status status = mr_file_read(path, SUMS_BYTES_MAX, &sums, err);
    if (status == MR_NOT_FOUND) {
        return damaged(err, directory, MR_ARCHIVE_SUMS,
                       "is missing: it is no backup, or one that did not come to its end");
    }
    MR_TRY(status);
    if (sums.len == 0 || strlen((char *)sums.data) != sums.len) {
        return damaged(err, directory, MR_ARCHIVE_SUMS, "is damaged");
    }
    MR_TRY(check_lines(directory, (char *)sums.data, &files, &listed, err));
    for (size_t i = 0; i < files.n; i++) {
        /* In the same order, unless a line is missing or comes twice. */
        if (i >= listed.n || strcmp(files.items[i], listed.items[i]) != 0) {
            return damaged(err, directory, files.items[i], "is in no line of its list of sums");
        }
    }
    return MR_OK;
}
