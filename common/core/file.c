#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        /* Only read from: nothing can be lost by a failing close. */
        (void)close(*fd);
    }
}

static mr_status system_error(mr_error *err, const char *what, const char *path)
{
    const int native = errno;
    char text[128];
    const mr_status status = mr_error_set(err, MR_ERR_SYSTEM, "%s '%s': %s", what, path,
                                          strerror_r(native, text, sizeof(text)));
    err->native = native;
    return status;
}

mr_status mr_file_read(const char *path, size_t bytes_max, mr_buf *contents, mr_error *err)
{
    MR_CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR ? MR_NOT_FOUND : system_error(err, "open", path);
    }
    struct stat stat;
    if (fstat(fd, &stat) != 0) {
        return system_error(err, "look at", path);
    }
    if (!S_ISREG(stat.st_mode)) {
        return mr_error_set(err, MR_ERR_SYSTEM, "read '%s': it is no regular file", path);
    }
    const size_t begin = contents->len;
    for (;;) {
        enum { CHUNK = 16384 };
        mr_buf_reserve(contents, CHUNK);
        const ssize_t n = read(fd, contents->data + contents->len, CHUNK);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return system_error(err, "read", path);
        }
        contents->len += (size_t)n;
        contents->data[contents->len] = 0;
        if (contents->len - begin > bytes_max) {
            return mr_error_set(err, MR_ERR_SYSTEM, "read '%s': it is larger than %zu bytes", path,
                                bytes_max);
        }
        if (n == 0) {
            return MR_OK;
        }
    }
}
