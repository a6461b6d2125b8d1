#include "store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"

MR_DEFINE_CLEANUP(char, free)

enum { DIRECTORY_MODE = 0750, LOCK_MODE = 0640, PROBE_BYTES = 1 << 20, PROBE_STEP = 1 << 16 };

static mr_status denied(mr_error *err, const char *path, const char *step, int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return mr_error_set(
            err, MR_ERR_USAGE,
            "state directory '%s': no permission to %s; give it to the user of this "
            "process, or set another state.dir",
            path, step);
    case EROFS:
        return mr_error_set(
            err, MR_ERR_USAGE,
            "state directory '%s' is on a read-only file system; mount it writable, "
            "or set another state.dir",
            path);
    case ENOTDIR:
    case EEXIST:
        return mr_error_set(err, MR_ERR_USAGE,
                            "state directory '%s' is not a directory, or lies below something that "
                            "is none; set another state.dir",
                            path);
    case ENOSPC:
    case EDQUOT:
        (void)mr_error_set(err, MR_ERR_STORE,
                           "state directory '%s': no space left to %s; free some", path, step);
        err->action = MR_ACT_RETRY;
        return err->status;
    default:
        return mr_error_set(err, MR_ERR_STORE, "state directory '%s': cannot %s: %s", path, step,
                            strerror(error));
    }
}

/* Makes the directory and those above it. */
static mr_status make(const char *path, mr_error *err)
{
    MR_CLEANUP(freep) char *part = mr_strdup(path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash != NULL) {
            *slash = '\0';
        }
        /* Where an upper directory may not be looked into, the last one says so. */
        const bool made = mkdir(part, DIRECTORY_MODE) == 0 || errno == EEXIST;
        if (slash == NULL) {
            return made ? MR_OK : denied(err, path, "make it", errno);
        }
        *slash = '/';
    }
}

/* A lock of the open file, not of the process: it also keeps out a second opener within one
 * process, and closing another descriptor of the file does not drop it. */
static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static mr_status lock(int at, const char *path, int *ret_lock, mr_error *err)
{
    const int fd = openat(at, MR_DIRECTORY_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, LOCK_MODE);
    if (fd < 0) {
        return denied(err, path, "write there", errno);
    }
    struct flock wanted = whole_file();
    if (fcntl(fd, F_OFD_SETLK, &wanted) != 0) {
        const int error = errno;
        (void)close(fd);
        if (error != EAGAIN && error != EACCES) {
            return denied(err, path, "lock " MR_DIRECTORY_LOCK, error);
        }
        return mr_directory_in_use_error(path, err);
    }
    *ret_lock = fd;
    return MR_OK;
}

static int write_probe(int fd)
{
    static const char zeros[PROBE_STEP];
    for (size_t done = 0; done < PROBE_BYTES;) {
        const ssize_t written = write(fd, zeros, sizeof(zeros));
        if (written <= 0) {
            return written == 0 ? ENOSPC : errno;
        }
        done += (size_t)written;
    }
    return 0;
}

/* RocksDB writes when it is opened; without space Debian's build of 7.8 ends in an assertion then,
 * which says nothing to anybody. */
static mr_status check_space(int at, const char *path, mr_error *err)
{
    static const char probe[] = "millrace.space";
    const int fd = openat(at, probe, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, LOCK_MODE);
    const int error = fd < 0 ? errno : write_probe(fd);
    if (fd >= 0) {
        (void)close(fd);
        (void)unlinkat(at, probe, 0);
    }
    return error == 0 ? MR_OK : denied(err, path, "open it", error);
}

mr_status mr_directory_in_use_error(const char *path, mr_error *err)
{
    return mr_error_set(err, MR_ERR_USAGE,
                        "state directory '%s' is in use by another process; stop it or set another "
                        "state.dir/instance.id",
                        path);
}

char *mr_directory_aside_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    assert(slash != NULL && slash[1] != '\0');
    for (int n = 1;; n++) {
        char *aside = mr_asprintf("%.*s/.%s.aside-%d", (int)(slash - path), path, slash + 1, n);
        struct stat found;
        if (lstat(aside, &found) != 0) {
            return aside;
        }
        free(aside);
    }
}

mr_status mr_directory_put_aside(const char *path, char **ret_aside, mr_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? MR_NOT_FOUND : denied(err, path, "read it", errno);
    }
    mr_directory directory = MR_DIRECTORY_NULL;
    mr_status status = lock(fd, path, &directory.lock, err);
    (void)close(fd);
    if (status != MR_OK) {
        return status;
    }
    MR_CLEANUP(freep) char *aside = mr_directory_aside_name(path);
    if (rename(path, aside) != 0) {
        status = denied(err, path, "put it aside", errno);
    } else {
        *ret_aside = MR_STEAL(&aside);
    }
    mr_directory_close(&directory);
    return status;
}

bool mr_directory_in_use(const char *path)
{
    MR_CLEANUP(freep) char *file = mr_asprintf("%s/" MR_DIRECTORY_LOCK, path);
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct flock asked = whole_file();
    const bool used = fcntl(fd, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
    (void)close(fd);
    return used;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t len = strlen(text);
    const size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Takes the descriptor. */
static mr_status look(int fd, const char *path, mr_directory *directory, mr_error *err)
{
    DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        const int error = errno;
        (void)close(fd);
        return denied(err, path, "read it", error);
    }
    bool has_tables = false;
    errno = 0;
    for (const struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        directory->has_database |= strcmp(entry->d_name, "CURRENT") == 0;
        has_tables |= ends_with(entry->d_name, ".sst");
    }
    const int error = errno;
    (void)closedir(entries);
    if (error != 0) {
        return denied(err, path, "read it", error);
    }
    if (has_tables && !directory->has_database) {
        return mr_error_set(
            err, MR_ERR_STORE,
            "state directory '%s' is damaged: it has tables but the file CURRENT is "
            "missing; `millrace restore` puts the directory aside and rebuilds the state from the "
            "changelogs",
            path);
    }
    return MR_OK;
}

mr_status mr_directory_open(const char *path, bool read_only, mr_directory *ret_directory,
                            mr_error *err)
{
    *ret_directory = MR_DIRECTORY_NULL;
    if (path[0] == '\0') {
        return mr_error_set(err, MR_ERR_USAGE,
                            "the state directory's name is empty; set state.dir");
    }
    if (!read_only) {
        MR_TRY(make(path, err));
    }
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "state directory '%s' does not exist; check state.dir and instance.id",
                            path);
    }
    if (fd < 0) {
        return denied(err, path, "read it", errno);
    }
    mr_directory directory = MR_DIRECTORY_NULL;
    if (!read_only) {
        mr_status status = lock(fd, path, &directory.lock, err);
        status = status == MR_OK ? check_space(fd, path, err) : status;
        if (status < 0) {
            mr_directory_close(&directory);
            (void)close(fd);
            return status;
        }
    }
    const mr_status status = look(fd, path, &directory, err);
    if (status < 0) {
        mr_directory_close(&directory);
        return status;
    }
    *ret_directory = directory;
    return MR_OK;
}

void mr_directory_close(mr_directory *directory)
{
    if (directory->lock >= 0) {
        /* Nothing was written to it; the kernel drops the lock with the descriptor. */
        (void)close(directory->lock);
    }
    *directory = MR_DIRECTORY_NULL;
}
