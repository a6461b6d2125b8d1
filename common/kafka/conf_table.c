#include "kafka/conf_table.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/alloc.h"

enum { NAME_WIDTH = 41, SCOPE_AT = 44, LINE_MIN = 47 };

/* "name      | C/P | ...": other lines are headings and rulers. */
static void take_line(mr_conf_table *table, char *line)
{
    if (strlen(line) < LINE_MIN || line[NAME_WIDTH] != '|' || line[0] == '-' ||
        strchr("CP*", line[SCOPE_AT]) == NULL || line[SCOPE_AT - 1] != ' ') {
        return;
    }
    const char scope = line[SCOPE_AT];
    const size_t len = strcspn(line, " ");
    /* Names with an underscore and no dot are callbacks and handles, not settings. */
    const bool is_handle = memchr(line, '_', len) != NULL && memchr(line, '.', len) == NULL;
    line[len] = '\0';
    if (is_handle && strcmp(line, "log_level") != 0) {
        return;
    }
    if (table->n == table->capacity) {
        table->capacity = table->capacity == 0 ? 256 : 2 * table->capacity;
        table->names = mr_realloc(table->names, table->capacity * sizeof(*table->names));
        table->scopes = mr_realloc(table->scopes, table->capacity);
    }
    table->names[table->n] = line;
    table->scopes[table->n] = scope;
    table->n++;
}

void mr_conf_table_init(mr_conf_table *table)
{
    *table = (mr_conf_table){0};
    size_t size = 0;
    FILE *stream = open_memstream(&table->text, &size);
    if (stream == NULL) {
        return; /* Every property is then for both kinds: librdkafka warns, and that is all. */
    }
    rd_kafka_conf_properties_show(stream);
    if (fclose(stream) != 0) {
        return;
    }
    for (char *line = table->text; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        take_line(table, line);
        line = end == NULL ? NULL : end + 1;
    }
}

void mr_conf_table_deinit(mr_conf_table *table)
{
    free(table->text);
    free(table->names);
    free(table->scopes);
    *table = (mr_conf_table){0};
}

char mr_conf_table_scope(const mr_conf_table *table, const char *name)
{
    for (size_t i = 0; i < table->n; i++) {
        if (strcmp(table->names[i], name) == 0) {
            return table->scopes[i];
        }
    }
    return '*';
}
