#include <mr/main.h>

#include "kinds.h"

int main(int argc, char **argv)
{
    return mr_main(&mr_kind_aggregate, mr_kinds, argc, argv);
}
