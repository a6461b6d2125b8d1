/* Every kind of processor there is: a visible list. A new kind is a folder and a line here. */
#pragma once

#include <mr/kind.h>

extern const mr_kind mr_kind_aggregate;
extern const mr_kind mr_kind_project;
extern const mr_kind mr_kind_transform;

/* NULL-terminated. */
extern const mr_kind *const mr_kinds[];
