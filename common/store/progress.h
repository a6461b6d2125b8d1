/* mr_progress as bytes: version, fixed-width little-endian fields, CRC-32. See progress.c. */
#pragma once

#include "store/database.h"

mr_progress mr_progress_none(void);
/* Appends. */
void mr_progress_encode(const mr_progress *progress, mr_buf *bytes);
/* MR_ERR_STORE says what is wrong with the bytes. */
mr_status mr_progress_decode(mr_bytes bytes, mr_progress *ret_progress, mr_error *err) MR_MUST_USE;
