/* The digest of a store's content: SHA-256 over the lines `key TAB value NEWLINE` in key order, key
 * as a JSON array of its parts, value as canonical JSON. */
#pragma once

#include <mr/bytes.h>

typedef struct mr_digest mr_digest;

mr_digest *mr_digest_new(void);
void mr_digest_free(mr_digest *digest);
MR_DEFINE_CLEANUP(mr_digest, mr_digest_free)

void mr_digest_add(mr_digest *digest, mr_bytes key_json, mr_bytes value_json);

enum { MR_DIGEST_SIZE = 65 };
/* In hexadecimal; the digest is used up. */
void mr_digest_end(mr_digest *digest, char ret_text[MR_DIGEST_SIZE]);
