/* What C tests of common/kafka share. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kafka/admin.h"
#include "kafka/consumer.h"
#include "kafka/producer.h"
#include "kafka/reader.h"

enum { KIT_MS = 30000, KIT_TXN_MS = 20000, KIT_MEMBER_MAX = 16 };

typedef struct test_kit {
    mr_properties properties;
    mr_log log;
    mr_admin *admin;
} test_kit;

/* Exits with 77 when MR_TEST_BROKERS is not set. */
void kit_init(test_kit *kit);
/* The same for given servers. */
void kit_init_at(test_kit *kit, const char *servers);
void kit_deinit(test_kit *kit);
int64_t kit_now_ms(void);

/* A name that no other run uses, into `ret_name`. */
enum { KIT_NAME = 64 };
void kit_name(const char *what, char ret_name[KIT_NAME]);
/* The same for a new topic. */
void kit_topic(test_kit *kit, const char *what, int32_t partitions, char ret_name[KIT_NAME]);

/* Fails the test with the message of `err`, unless the status is MR_OK. */
#define kit_ok(status, err) kit_check((status), (err), __FILE__, __LINE__)
void kit_check(mr_status status, const mr_error *err, const char *file, int line);

mr_producer *kit_producer(test_kit *kit, const char *transactional_id, int64_t timeout_ms);
/* Sends "<key>" = "<value>" to the partition. */
void kit_send(mr_producer *producer, const char *topic, int32_t partition, const char *value);
/* Commits, with one offset or none (topic NULL). */
mr_status kit_commit(mr_producer *producer, mr_consumer *consumer, const char *topic,
                     int32_t partition, int64_t offset, mr_error *err);
/* Writes n records "0", "1", ... without a transaction. */
void kit_fill(test_kit *kit, const char *topic, int32_t partition, int n);

mr_reader *kit_reader(test_kit *kit, bool read_uncommitted);
/* The number of records of a partition up to its end, and that end. */
int kit_count(test_kit *kit, const char *topic, int32_t partition, bool read_uncommitted,
              int64_t *ret_end);

/* A group member with one feed that notes what it is told. */
typedef struct kit_member {
    mr_consumer *consumer;
    mr_feed *feed;
    bool resumes; /* assigned partitions are started at once */
    mr_topic_partition held[KIT_MEMBER_MAX];
    size_t n_held;
    int n_assigned;
    int n_revoked;
    int n_lost;
    char topic[KIT_NAME];
    void (*on_revoke)(struct kit_member *member);
    void *context;
} kit_member;

typedef struct kit_member_options {
    const char *group;
    const char *instance_id;
    const char *topic;
    bool is_paused; /* assigned partitions stay paused */
    const char *session_timeout_ms;
} kit_member_options;

void kit_member_open(test_kit *kit, kit_member *member, const kit_member_options *options);
/* Closes consumer and feed. */
void kit_member_close(kit_member *member);
/* Begins with what is committed, or with the first record. */
void kit_member_start(kit_member *member, const mr_topic_partition *partitions, size_t n);
void kit_member_poll(kit_member *member, int timeout_ms);
/* Polls until the member holds n partitions. */
void kit_member_wait(kit_member *member, size_t n);
/* Polls both until they hold so many. */
void kit_member_wait_both(kit_member *a, size_t n_a, kit_member *b, size_t n_b);
/* The next record of the feed, polling the consumer meanwhile; MR_TIMED_OUT after timeout_ms. */
mr_status kit_member_next(kit_member *member, int timeout_ms, mr_record *ret_record);
