#include "kinds.h"

const mr_kind *const mr_kinds[] = {
    &mr_kind_aggregate,
    &mr_kind_project,
    &mr_kind_transform,
    NULL,
};
