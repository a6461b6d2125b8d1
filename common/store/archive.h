/*
 * A directory of files that is found out when it is not as it was sealed: beside the files lies the
 * list of their sums, which `xxh128sum --check` reads, too. The sums find damage, they are no
 * protection against a forger.
 *
 * Flat: files only. Failures name the directory and the file.
 */
#pragma once

#include <mr/bytes.h>

#define MR_ARCHIVE_SUMS "XXH128SUMS"

/* One more file. */
mr_status mr_archive_add(const char *directory, const char *name, mr_bytes contents,
                         mr_error *err) MR_MUST_USE;
/* Lists every file that is there and renames the directory to `as`: what has that name is whole,
 * and on disk. */
mr_status mr_archive_seal(const char *directory, const char *as, int64_t *ret_bytes,
                          mr_error *err) MR_MUST_USE;
/* Reads every byte. MR_ERR_STORE: no list, or a file that is damaged, missing, or not listed. */
mr_status mr_archive_check(const char *directory, mr_error *err) MR_MUST_USE;
/* Every file to a new directory, on disk when it returns; not the list. */
mr_status mr_archive_copy(const char *from, const char *to, mr_error *err) MR_MUST_USE;
/* With all files in it; that there is none is fine. */
mr_status mr_archive_remove(const char *directory, mr_error *err) MR_MUST_USE;
