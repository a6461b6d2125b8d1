/* The inside of mr_fold_plan: fold_plan.c makes it, fold.c runs it. */
#pragma once

#include <mr/fold.h>

/* Where a record has a field, and how the field says that it is null. */
typedef struct mr_fold_place {
    const mr_type *type; /* the field's */
    const mr_type *held; /* without null, when null and this are all that it may be */
    size_t offset;       /* in bytes from the record's start: of the field, */
    size_t held_offset;  /* and of what it holds */
    int null_branch;     /* -1: it cannot be null */
    bool is_optional;    /* `held` is not `type` */
} mr_fold_place;

/* `from` of the event goes `to` the row or an element: types are the same, or the wider of two. */
typedef struct mr_fold_copy {
    mr_fold_place from;
    mr_fold_place to;
} mr_fold_copy;

typedef struct mr_fold_action mr_fold_action;
/* False: a long cannot hold the result. */
typedef bool (*mr_fold_step)(const mr_fold_action *action, const uint8_t *event, uint8_t *row,
                             bool is_new);

struct mr_fold_action {
    mr_fold_step step;
    mr_fold_operator operation;
    bool is_real;      /* numbers are double, not int64_t */
    const char *name;  /* of the row's field */
    mr_fold_copy copy; /* without `from` for a count of all */
    /* MR_FOLD_TOP: */
    uint32_t limit;
    mr_fold_place rank;   /* where an element has the number that orders it */
    mr_fold_copy *copies; /* what an element is made of */
    size_t n_copies;
};

struct mr_fold_plan {
    const mr_schema *event;
    const mr_schema *row;
    size_t store;           /* index into stage->stores */
    mr_store_key store_key; /* of that store */
    mr_fold_place key[MR_KEY_PARTS_MAX];
    size_t n_key; /* 0: the record's key */
    mr_fold_action *actions;
    size_t n_actions;
    size_t actions_capacity;
    const mr_field **nulls; /* of a new row: null, though their initial value is not */
    size_t n_nulls;
    size_t nulls_capacity;
};

mr_fold_step mr_fold_step_of(mr_fold_operator operation);
