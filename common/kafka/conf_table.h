/* librdkafka's own table of properties, as the library that runs prints it. */
#pragma once

#include <librdkafka/rdkafka.h>

#include <mr/bytes.h>

typedef struct mr_conf_table {
    char *text; /* all lines; the names below point into it */
    const char **names;
    char *scopes; /* 'C': consumer, 'P': producer, '*': both */
    size_t n;
    size_t capacity;
} mr_conf_table;

void mr_conf_table_init(mr_conf_table *table);
void mr_conf_table_deinit(mr_conf_table *table);
/* 'C', 'P' or '*'. What the table does not list (hidden properties) is for both. */
char mr_conf_table_scope(const mr_conf_table *table, const char *name);
