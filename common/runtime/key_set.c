#include "runtime/key_set.h"

#include <stdlib.h>

#include <bsd/sys/tree.h>

#include "core/alloc.h"

typedef struct node {
    RB_ENTRY(node) link;
    size_t key_len;
    uint8_t key[];
} node;

RB_HEAD(key_tree, node);

struct mr_key_set {
    struct key_tree tree;
};

static mr_bytes key_of(const node *each)
{
    return mr_bytes_of(each->key, each->key_len);
}

static int compare_nodes(const node *a, const node *b)
{
    return mr_bytes_compare(key_of(a), key_of(b));
}

/* Not all of the generated functions are used. */
RB_GENERATE_INTERNAL(key_tree, node, link, compare_nodes, __attribute__((unused)) static)

mr_key_set *mr_key_set_new(void)
{
    mr_key_set *set = mr_alloc_zero(1, sizeof(*set));
    RB_INIT(&set->tree);
    return set;
}

void mr_key_set_free(mr_key_set *set)
{
    if (set == NULL) {
        return;
    }
    node *each = NULL;
    node *next = NULL;
    RB_FOREACH_SAFE(each, key_tree, &set->tree, next)
    {
        RB_REMOVE(key_tree, &set->tree, each);
        free(each);
    }
    free(set);
}

/* Written out because RB_NFIND wants a whole node to compare with. */
static node *first_from(const mr_key_set *set, mr_bytes from, bool inclusive)
{
    node *found = NULL;
    for (node *at = RB_ROOT(&set->tree); at != NULL;) {
        const int side = mr_bytes_compare(key_of(at), from);
        if (side > 0 || (side == 0 && inclusive)) {
            found = at;
            at = RB_LEFT(at, link);
        } else {
            at = RB_RIGHT(at, link);
        }
    }
    return found;
}

void mr_key_set_add(mr_key_set *set, mr_bytes key)
{
    assert(!mr_bytes_is_null(key));
    node *added = mr_alloc(sizeof(*added) + key.len);
    added->key_len = key.len;
    memcpy(added->key, key.data, key.len);
    if (RB_INSERT(key_tree, &set->tree, added) != NULL) {
        free(added);
    }
}

mr_status mr_key_set_next(const mr_key_set *set, mr_bytes from, bool inclusive, mr_bytes to,
                          mr_bytes *ret_key)
{
    const node *found = first_from(set, from, inclusive || mr_bytes_is_null(from));
    if (found == NULL || (!mr_bytes_is_null(to) && mr_bytes_compare(key_of(found), to) >= 0)) {
        return MR_END;
    }
    *ret_key = key_of(found);
    return MR_OK;
}
