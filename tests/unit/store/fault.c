#include "fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

static atomic_long count;
static atomic_long kill_at;
static atomic_long fail_at;
static atomic_int fail_error;
static atomic_bool disk_full;

void fault_none(void)
{
    atomic_store(&kill_at, 0);
    atomic_store(&fail_at, 0);
    atomic_store(&disk_full, false);
    atomic_store(&count, 0);
}

long fault_count(void)
{
    return atomic_load(&count);
}

void fault_kill_at(long n)
{
    atomic_store(&kill_at, n);
}

void fault_fail_at(long n, int error)
{
    atomic_store(&fail_error, error);
    atomic_store(&fail_at, n);
}

void fault_disk_full(bool full)
{
    atomic_store(&disk_full, full);
}

static void path_of(int fd, char path[PATH_BYTES])
{
    char link[64];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t len = readlink(link, path, PATH_BYTES - 1);
    path[len < 0 ? 0 : len] = '\0';
}

typedef enum verdict {
    WORKS,
    FAILS,
    KILLS,
} verdict;

static verdict judge(const char *path)
{
    if (strstr(path, "/mr-store-") == NULL) {
        return WORKS;
    }
    const long n = atomic_fetch_add(&count, 1) + 1;
    if (n == atomic_load(&fail_at)) {
        errno = atomic_load(&fail_error);
        return FAILS;
    }
    return n == atomic_load(&kill_at) ? KILLS : WORKS;
}

static verdict judge_fd(int fd)
{
    char path[PATH_BYTES];
    path_of(fd, path);
    return judge(path);
}

/* -1 with errno set, or 0 to go on. */
static int pass(verdict judged)
{
    if (judged == KILLS) {
        (void)raise(SIGKILL);
    }
    return judged == FAILS ? -1 : 0;
}

ssize_t write(int fd, const void *data, size_t len)
{
    char path[PATH_BYTES];
    path_of(fd, path);
    if (atomic_load(&disk_full) && strstr(path, ".sst") != NULL) {
        errno = ENOSPC;
        return -1;
    }
    const verdict judged = judge(path);
    if (judged == KILLS) {
        (void)syscall(SYS_write, fd, data, len / 2);
    }
    return pass(judged) < 0 ? -1 : syscall(SYS_write, fd, data, len);
}

int fsync(int fd)
{
    return pass(judge_fd(fd)) < 0 ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return pass(judge_fd(fd)) < 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate(int fd, off_t length)
{
    return pass(judge_fd(fd)) < 0 ? -1 : (int)syscall(SYS_ftruncate, fd, length);
}

int rename(const char *from, const char *to)
{
    return pass(judge(from)) < 0 ? -1 : (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
    return pass(judge(path)) < 0 ? -1 : (int)syscall(SYS_unlink, path);
}

int mkdir(const char *path, mode_t mode)
{
    return pass(judge(path)) < 0 ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

/* RocksDB pauses for a second after a failure, also while it is being closed. */
int no_pause(useconds_t us) __asm__("usleep");
int no_pause(useconds_t us)
{
    (void)us;
    return 0;
}
