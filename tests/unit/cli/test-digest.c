/* Goal: the digest is the SHA-256 of the lines it is said to be of. Method: values of sha256sum. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/digest.h"

static void the_digest_is_of_its_lines(void **state)
{
    (void)state;
    char text[MR_DIGEST_SIZE];
    mr_digest *digest = mr_digest_new();
    mr_digest_end(digest, text);
    mr_digest_free(digest);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest = mr_digest_new();
    mr_digest_add(digest, mr_bytes_text("[\"a\",1]"), mr_bytes_text("{\"N\":1}"));
    mr_digest_add(digest, mr_bytes_text("[\"b\",2]"), mr_bytes_text("null"));
    mr_digest_end(digest, text);
    mr_digest_free(digest);
    /* printf '["a",1]\t{"N":1}\n["b",2]\tnull\n' | sha256sum */
    assert_string_equal(text, "1ac83104e7d5c56a5857215a1b95cc8730cd9ec3eb77ecbb4490f60b712f1aa0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_of_its_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
