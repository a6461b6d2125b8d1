/* librdkafka's configuration of one handle, from the person's properties and what we own. */
#pragma once

#include <librdkafka/rdkafka.h>

#include "kafka/client.h"

typedef struct mr_conf_source {
    const mr_properties *properties; /* borrowed, as `ours` */
    const mr_option *ours;           /* names in this table are not librdkafka's */
    size_t n_ours;
} mr_conf_source;

/* Every property that a handle of this type knows and that is not in `ours`; the other type's own
 * are left out, librdkafka would warn of them. MR_ERR_USAGE names origin and property. */
mr_status mr_conf_new(const mr_conf_source *source, rd_kafka_type_t type,
                      rd_kafka_conf_t **ret_conf, mr_error *err) MR_MUST_USE;

/* What we own. */
mr_status mr_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                      mr_error *err) MR_MUST_USE;
mr_status mr_conf_set_int(rd_kafka_conf_t *conf, const char *name, int64_t value,
                          mr_error *err) MR_MUST_USE;
/* What we only prefer: a person's own setting of that name wins. */
mr_status mr_conf_prefer(const mr_conf_source *source, rd_kafka_conf_t *conf, const char *name,
                         const char *value, mr_error *err) MR_MUST_USE;
mr_status mr_conf_prefer_int(const mr_conf_source *source, rd_kafka_conf_t *conf, const char *name,
                             int64_t value, mr_error *err) MR_MUST_USE;

/* Limits of what a consuming handle fetches ahead, for each queue that is read. */
mr_status mr_conf_set_queue(const mr_conf_source *source, rd_kafka_conf_t *conf,
                            int64_t queue_bytes_max, mr_error *err) MR_MUST_USE;

/* Why a person may not set this property; NULL: they may. */
const char *mr_conf_owned(const char *name);

void mr_conf_freep(rd_kafka_conf_t **conf);
