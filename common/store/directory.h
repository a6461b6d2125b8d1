/*
 * The state directory as a person meets it: it is there or made, one process owns it, it holds a
 * database or none. Everything that can be said before RocksDB is asked, in clear sentences.
 */
#pragma once

#include <stdbool.h>

#include <mr/error.h>

/* The owner holds a lock on this file as long as it lives. */
#define MR_DIRECTORY_LOCK "millrace.lock"

typedef struct mr_directory {
    int lock; /* -1: none */
    bool has_database;
} mr_directory;

#define MR_DIRECTORY_NULL ((mr_directory){.lock = -1})

/* Read-only takes no lock and makes nothing; an owner needs a megabyte of space to begin with. A
 * directory with tables but without RocksDB's CURRENT is damaged: RocksDB would begin anew there
 * and delete them. */
mr_status mr_directory_open(const char *path, bool read_only, mr_directory *ret_directory,
                            mr_error *err) MR_MUST_USE;
void mr_directory_close(mr_directory *directory);

/*
 * Renames the directory to what mr_directory_aside_name says, so that the next owner begins with an
 * empty one; whatever is in it stays as it is. Refused while a process owns it. MR_NOT_FOUND: there
 * is none.
 */
mr_status mr_directory_put_aside(const char *path, char **ret_aside, mr_error *err) MR_MUST_USE;
/* ".<name>.aside-<n>" beside it, of the first n from 1 on that is free: an instance's name does not
 * begin with a dot, so nobody takes it for one. A heap text. */
char *mr_directory_aside_name(const char *path);

/* Whether a process owns the directory now; takes nothing. False also when it cannot be told. */
bool mr_directory_in_use(const char *path);
/* MR_ERR_USAGE with the sentence for a directory that another process owns. */
mr_status mr_directory_in_use_error(const char *path, mr_error *err);
