/* A schema with every type and a value of it, for the tests of typed JSON. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <mr/value.h>

typedef struct fixture {
    mr_schemas *schemas;
    const mr_type *type; /* of the record a.b.All */
    void *value;
    mr_error err;
    mr_buf printed;
} fixture;

int json_set_up(void **state);
int json_tear_down(void **state);
#define JSON_TEST(function) cmocka_unit_test_setup_teardown(function, json_set_up, json_tear_down)

/* Texts in these tests have ' for quotes, to be read without backslashes. To be freed. */
char *json_quoted(const char *text);
const mr_type *json_add_schema(fixture *f, const char *text);
/* Read into the fixture's value; printed from it. */
mr_status json_read_bytes(fixture *f, mr_bytes json);
mr_status json_read_text(fixture *f, const char *text);
const char *json_print(fixture *f);
