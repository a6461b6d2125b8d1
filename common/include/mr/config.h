/*
 * Configuration: Java-properties files, -X name=value, MILLRACE_... variables.
 *
 * Precedence: default < file < environment < -X. A name that is in the options table is ours and is
 * checked when set; any other name goes to librdkafka unchanged (which checks it), except those
 * that the runtime owns, which are refused with the reason.
 */
#pragma once

#include <mr/bytes.h>

typedef struct mr_property {
    char *name;
    char *value;
    char *origin; /* "file.properties:12", "-X", "MILLRACE_STATE_DIR" */
} mr_property;

/* An ordered set of properties; a later set of the same name replaces. Thread: one, then read-only.
 */
typedef struct mr_properties {
    mr_property *items;
    size_t n;
    size_t capacity;
} mr_properties;

void mr_properties_deinit(mr_properties *properties);
void mr_properties_set(mr_properties *properties, const char *name, const char *value,
                       const char *origin);
const char *mr_properties_get(const mr_properties *properties, const char *name); /* NULL: none */

/* Java-properties syntax: # and ! comments, = : or blank as separator, \ escapes, continued lines.
 * UTF-8; blanks at a value's end are dropped, as Kafka's clients do. MR_ERR_USAGE names file:line.
 */
mr_status mr_properties_load(mr_properties *properties, const char *path,
                             mr_error *err) MR_MUST_USE;
/* MILLRACE_STATE_DIR=x sets state.dir. `environment` is environ. */
void mr_properties_load_environment(mr_properties *properties, char *const *environment);
/* "name=value" of an -X option. */
mr_status mr_properties_parse(mr_properties *properties, const char *assignment,
                              mr_error *err) MR_MUST_USE;

typedef enum mr_option_kind {
    MR_OPTION_TEXT,     /* const char *; NULL when empty and without preset */
    MR_OPTION_INT,      /* int64_t */
    MR_OPTION_BOOL,     /* bool */
    MR_OPTION_DURATION, /* int64_t, ms: "100", "100ms", "5s", "2m", "1h", "7d" */
    MR_OPTION_SIZE,     /* int64_t, bytes: "1048576", "64k", "256m", "1g" */
    MR_OPTION_CHOICE,   /* int: index into `choices` */
} mr_option_kind;

typedef struct mr_option {
    const char *name;
    mr_option_kind kind;
    size_t offset;      /* of the field in the struct */
    const char *preset; /* NULL: an empty text, 0, false, the first choice */
    int64_t min;        /* of a number, or of a text's length in bytes; both 0: not limited, but */
    int64_t max;        /* a duration and a size are then not negative */
    const char *const *choices; /* NULL-terminated, for MR_OPTION_CHOICE */
    bool secret;
    const char *text; /* one or two sentences: --help and the reference page */
} mr_option;

/* Fills `target` from defaults and properties; strings borrow from the properties (or the table).
 * Out of range, not a number, unknown choice: MR_ERR_USAGE naming origin, name, value and what is
 * allowed. Names not in the table are left for librdkafka. */
mr_status mr_options_apply(const mr_option *options, size_t n_options,
                           const mr_properties *properties, void *target,
                           mr_error *err) MR_MUST_USE;
/* `name=value` lines of what is in force, secrets as "********"; loading them again gives the same,
 * where the values are UTF-8: only a file must be. */
void mr_options_dump(const mr_option *options, size_t n_options, const void *target, mr_buf *out);

/* The row of that name, NULL when the name is none of ours. */
const mr_option *mr_options_find(const mr_option *options, size_t n_options, const char *name);
/* The name nearest to what a person wrote, NULL: to be offered when librdkafka refuses a name too.
 */
const char *mr_options_nearest(const mr_option *options, size_t n_options, const char *name);
/* Whether the value of a name that goes to librdkafka is never to be shown. */
bool mr_property_is_secret(const char *name);
