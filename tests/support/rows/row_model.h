/* What a plain reading of a row of puts says: the last value of every key, in the keys' order. */
#pragma once

#include "store/database.h"

typedef struct row_model row_model;

row_model *row_model_new(void);
void row_model_free(row_model *model);

/* Copies key and value; a null value is a tombstone, which is a row as well. */
void row_model_put(row_model *model, mr_bytes key, mr_bytes value);
/* They borrow from the model until the next put; free() the array. */
size_t row_model_rows(row_model *model, mr_row **ret_rows);
