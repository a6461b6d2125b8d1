/* One Kafka record, as read or as it will be written. Everything in it is borrowed. */
#pragma once

#include <mr/bytes.h>

typedef struct mr_header {
    const char *name; /* terminated */
    mr_bytes value;
} mr_header;

typedef struct mr_record {
    const char *topic;
    int32_t partition; /* of a record to write: -1 = by key, murmur2 as the Java client */
    int64_t offset;    /* of a record to write: unused */
    int64_t timestamp_ms;
    mr_bytes key;
    mr_bytes value;
    const mr_header *headers;
    size_t n_headers;
} mr_record;

/* The last header of that name (Kafka's rule), null bytes when there is none. */
mr_bytes mr_record_header(const mr_record *record, const char *name);
