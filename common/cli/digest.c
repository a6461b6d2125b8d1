#include "cli/digest.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "core/alloc.h"

struct mr_digest {
    EVP_MD_CTX *context;
};

/* SHA-256 is in every libcrypto: these calls fail for want of memory only. */
static void must(int result)
{
    if (result != 1) {
        (void)fputs("millrace: libcrypto cannot compute SHA-256\n", stderr);
        abort();
    }
}

mr_digest *mr_digest_new(void)
{
    mr_digest *digest = mr_alloc(sizeof(*digest));
    digest->context = EVP_MD_CTX_new();
    must(digest->context != NULL);
    must(EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL));
    return digest;
}

void mr_digest_free(mr_digest *digest)
{
    if (digest != NULL) {
        EVP_MD_CTX_free(digest->context);
        free(digest);
    }
}

void mr_digest_add(mr_digest *digest, mr_bytes key_json, mr_bytes value_json)
{
    must(EVP_DigestUpdate(digest->context, key_json.data, key_json.len));
    must(EVP_DigestUpdate(digest->context, "\t", 1));
    must(EVP_DigestUpdate(digest->context, value_json.data, value_json.len));
    must(EVP_DigestUpdate(digest->context, "\n", 1));
}

void mr_digest_end(mr_digest *digest, char ret_text[MR_DIGEST_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    must(EVP_DigestFinal_ex(digest->context, bytes, &len));
    for (unsigned i = 0; i < len && 2 * i + 2 < MR_DIGEST_SIZE; i++) {
        (void)snprintf(ret_text + 2 * (size_t)i, 3, "%02x", bytes[i]);
    }
}
