/*
 * The whole of a processor executable: `return mr_main(&mr_kind_aggregate, mr_kinds, argc, argv);`
 */
#pragma once

#include <mr/kind.h>

/* What a program says by its end; `millrace` uses them as well. */
enum {
    MR_EXIT_OK = 0,
    MR_EXIT_FAILURE = 1,     /* stopped by a failure; in the CLI: not found, or differs */
    MR_EXIT_USAGE = 2,       /* arguments, configuration, app definition, topics */
    MR_EXIT_UNAVAILABLE = 3, /* the broker, or in the CLI the processors, do not answer */
};

/*
 * Arguments, configuration, app definition, HTTP, signals; then runs the stage until SIGTERM or
 * SIGINT. `kind` is what this executable runs; `kinds` (NULL-terminated) is every kind, because an
 * app's stages are checked together. Every failure is one line of the log on stderr.
 */
int mr_main(const mr_kind *kind, const mr_kind *const *kinds, int argc, char **argv);
