#include "listener.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The inode of the socket in state LISTEN, from a table as of /proc/net/tcp; 0: none. */
static unsigned long inode_of(const char *table, unsigned port)
{
    FILE *file = fopen(table, "r");
    if (file == NULL) {
        return 0;
    }
    char line[512];
    unsigned long found = 0;
    while (found == 0 && fgets(line, sizeof(line), file) != NULL) {
        unsigned local = 0;
        unsigned status = 0;
        unsigned long inode = 0;
        const int n = sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", &local,
                             &status, &inode);
        if (n == 3 && local == port && status == 0x0a) {
            found = inode;
        }
    }
    (void)fclose(file);
    return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[300];
    char wanted[64];
    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    (void)snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        return false;
    }
    bool found = false;
    const struct dirent *entry = NULL;
    while (!found && (entry = readdir(directory)) != NULL) {
        char link[600];
        char target[64];
        (void)snprintf(link, sizeof(link), "%s/%s", path, entry->d_name);
        const ssize_t len = readlink(link, target, sizeof(target) - 1);
        if (len > 0) {
            target[len] = '\0';
            found = strcmp(target, wanted) == 0;
        }
    }
    (void)closedir(directory);
    return found;
}

pid_t kit_listener(const char *address)
{
    const char *colon = strchr(address, ':');
    if (colon == NULL) {
        return -1;
    }
    const unsigned port = (unsigned)strtoul(colon + 1, NULL, 10);
    unsigned long inode = inode_of("/proc/net/tcp", port);
    inode = inode != 0 ? inode : inode_of("/proc/net/tcp6", port);
    DIR *directory = inode == 0 ? NULL : opendir("/proc");
    if (directory == NULL) {
        return -1;
    }
    pid_t found = -1;
    const struct dirent *entry = NULL;
    while (found < 0 && (entry = readdir(directory)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && has_socket(entry->d_name, inode)) {
            found = (pid_t)strtol(entry->d_name, NULL, 10);
        }
    }
    (void)closedir(directory);
    return found;
}
