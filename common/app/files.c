#include "app/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

enum { DIRECTORY_MODE = 0750, FILE_MODE = 0640, DEPTH_MAX = 32 };

MR_DEFINE_CLEANUP(char, free)

static mr_status failed(mr_error *err, const char *what, const char *path)
{
    const int native = errno;
    char text[128];
    const mr_status status = mr_error_set(err, MR_ERR_SYSTEM, "%s '%s': %s", what, path,
                                          strerror_r(native, text, sizeof(text)));
    err->native = native;
    return status;
}

mr_status mr_directory_make(const char *path, mr_error *err)
{
    MR_CLEANUP(freep) char *part = mr_strdup(path);
    for (char *slash = strchr(part + (*part == '/'), '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        /* Where an upper directory may not be looked into, the last one says so. */
        (void)mkdir(part, DIRECTORY_MODE);
        *slash = '/';
    }
    if (mkdir(part, DIRECTORY_MODE) != 0 && errno != EEXIST) {
        return failed(err, "make directory", path);
    }
    return MR_OK;
}

static mr_status write_all(int fd, const char *path, mr_bytes contents, mr_error *err)
{
    size_t done = 0;
    while (done < contents.len) {
        const ssize_t n = write(fd, contents.data + done, contents.len - done);
        if (n < 0 && errno != EINTR) {
            return failed(err, "write", path);
        }
        done += n < 0 ? 0 : (size_t)n;
    }
    return MR_OK;
}

mr_status mr_file_write(const char *path, mr_bytes contents, mr_error *err)
{
    MR_CLEANUP(freep) char *beside = mr_asprintf("%s.new", path);
    const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return failed(err, "write", beside);
    }
    mr_status status = write_all(fd, beside, contents, err);
    if (close(fd) != 0 && status == MR_OK) {
        status = failed(err, "write", beside);
    }
    if (status == MR_OK && rename(beside, path) != 0) {
        status = failed(err, "write", path);
    }
    if (status != MR_OK) {
        (void)unlink(beside);
    }
    return status;
}

/* Takes the descriptor. */
static mr_status clear(int fd, const char *path, int depth, mr_error *err);

static mr_status remove_entry(int at, const char *name, const char *path, int depth, mr_error *err)
{
    if (unlinkat(at, name, 0) == 0) {
        return MR_OK;
    }
    if (errno != EISDIR && errno != EPERM) {
        return failed(err, "remove something in", path);
    }
    const int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return failed(err, "look into something in", path);
    }
    MR_TRY(clear(fd, path, depth + 1, err));
    if (unlinkat(at, name, AT_REMOVEDIR) != 0) {
        return failed(err, "remove something in", path);
    }
    return MR_OK;
}

static mr_status clear(int fd, const char *path, int depth, mr_error *err)
{
    DIR *entries = depth > DEPTH_MAX ? NULL : fdopendir(fd);
    if (entries == NULL) {
        errno = depth > DEPTH_MAX ? ELOOP : errno;
        const mr_status status = failed(err, "look into something in", path);
        (void)close(fd);
        return status;
    }
    mr_status status = MR_OK;
    for (const struct dirent *entry = readdir(entries); entry != NULL && status == MR_OK;
         entry = readdir(entries)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            status = remove_entry(dirfd(entries), entry->d_name, path, depth, err);
        }
    }
    (void)closedir(entries);
    return status;
}

mr_status mr_directory_clear(const char *path, mr_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return failed(err, "look into", path);
    }
    return clear(fd, path, 0, err);
}
