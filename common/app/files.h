/* Directories and small files that the program itself makes. Any thread. */
#pragma once

#include <mr/bytes.h>

/* Makes the directory and those above it; one that is there is fine. */
mr_status mr_directory_make(const char *path, mr_error *err) MR_MUST_USE;
/* Replaces the file in one step: who reads it sees the old text or the new one. */
mr_status mr_file_write(const char *path, mr_bytes contents, mr_error *err) MR_MUST_USE;
/* Removes all that is below the directory, not following links; the directory stays. */
mr_status mr_directory_clear(const char *path, mr_error *err) MR_MUST_USE;
