#include "runtime/sole_member.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "core/alloc.h"
#include "core/thread.h"

enum {
    POLL_MS = 100,
    /* A broker may make the first member of a group wait for others: 3 s, where nothing is set. */
    JOIN_MS = 30000,
    QUEUE_BYTES = 1 << 20, /* nothing is fetched */
    NAMED_MAX = 3,
};

struct mr_sole_member {
    const mr_stage *stage;
    mr_consumer *consumer;
    mr_feed *feed; /* where partitions are led to, which stay paused */
    size_t n_all;
    pthread_t thread;
    bool started;
    pthread_mutex_t held;  /* while it holds on, a revoke waits */
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t changed;
    size_t n_assigned;
    bool was_assigned;
    bool is_over; /* `err` says why */
    bool ending;
    mr_error err;
};

/* ---- Who is there ---- */

static void name_member(const mr_group_member *member, mr_buf *text)
{
    mr_buf_printf(text, "%s%s at %s", text->len == 0 ? "" : ", ", member->client_id, member->host);
    if (member->instance_id != NULL) {
        mr_buf_printf(text, " (group.instance.id %s)", member->instance_id);
    }
}

static mr_status refuse(const mr_stage *stage, const mr_group *group, mr_error *err)
{
    bool is_static = false;
    mr_buf names = MR_BUF_NULL;
    for (size_t i = 0; i < group->n_members; i++) {
        is_static |= group->members[i].instance_id != NULL;
        if (i < NAMED_MAX) {
            name_member(&group->members[i], &names);
        }
    }
    const size_t n_more = group->n_members > NAMED_MAX ? group->n_members - NAMED_MAX : 0;
    if (n_more > 0) {
        mr_buf_printf(&names, " and %zu more", n_more);
    }
    const mr_status status = mr_error_set(
        err, MR_ERR_USAGE, "group %s is active: %.280s; stop every processor of the stage first%s",
        stage->group, mr_buf_text(&names),
        is_static ? " (one that was stopped counts until its session.timeout.ms is over)" : "");
    mr_buf_deinit(&names);
    return status;
}

mr_status mr_group_check_idle(mr_admin *admin, const mr_stage *stage, mr_error *err)
{
    mr_group *group = NULL;
    const mr_status asked = mr_admin_group(admin, stage->group, &group, err);
    if (asked != MR_OK) {
        return asked == MR_NOT_FOUND ? MR_OK : asked;
    }
    const mr_status status = group->n_members == 0 ? MR_OK : refuse(stage, group, err);
    mr_group_free(group);
    return status;
}

static mr_status check_idle(const mr_sole_member_options *options, mr_error *err)
{
    const mr_admin_options admin_options = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .client_id = options->client_id,
        .timeout_ms = (int)options->runtime->broker_timeout_ms,
    };
    mr_admin *admin = NULL;
    MR_TRY(mr_admin_new(&admin_options, &admin, err));
    const mr_status status = mr_group_check_idle(admin, options->stage, err);
    mr_admin_free(admin);
    return status;
}

/* ---- The member's thread ---- */

/* With the mutex held. The first reason counts. */
static void end(mr_sole_member *member, const mr_error *err)
{
    if (!member->is_over) {
        member->is_over = true;
        member->err = *err;
    }
    pthread_cond_broadcast(&member->changed);
}

static void on_assigned(void *context, const mr_topic_partition *partitions, size_t n)
{
    mr_sole_member *member = context;
    mr_error err;
    for (size_t i = 0; i < n; i++) {
        /* Cannot fail: it was just assigned. */
        if (mr_consumer_feed(member->consumer, partitions[i].topic, partitions[i].partition,
                             member->feed, &err) != MR_OK) {
            pthread_mutex_lock(&member->mutex);
            end(member, &err);
            pthread_mutex_unlock(&member->mutex);
        }
    }
    pthread_mutex_lock(&member->mutex);
    member->n_assigned += n;
    member->was_assigned = true;
    pthread_cond_broadcast(&member->changed);
    pthread_mutex_unlock(&member->mutex);
}

static void on_revoked(void *context, const mr_topic_partition *partitions, size_t n, bool lost)
{
    mr_sole_member *member = context;
    mr_error err;
    (void)partitions;
    (void)n;
    (void)mr_error_set(&err, lost ? MR_ERR_KAFKA : MR_ERR_USAGE,
                       lost ? "the membership of group %s was lost"
                            : "a processor of group %s started meanwhile: stop it first",
                       member->stage->group);
    pthread_mutex_lock(&member->held);
    pthread_mutex_lock(&member->mutex);
    end(member, &err);
    pthread_mutex_unlock(&member->mutex);
    pthread_mutex_unlock(&member->held);
}

static bool is_ending(mr_sole_member *member)
{
    pthread_mutex_lock(&member->mutex);
    const bool ending = member->ending;
    pthread_mutex_unlock(&member->mutex);
    return ending;
}

static void *run(void *argument)
{
    mr_sole_member *member = argument;
    while (!is_ending(member)) {
        mr_error err;
        if (mr_consumer_poll(member->consumer, POLL_MS, &err) != MR_OK) {
            pthread_mutex_lock(&member->mutex);
            end(member, &err);
            pthread_mutex_unlock(&member->mutex);
            break;
        }
    }
    return NULL;
}

/* ---- Joining and leaving ---- */

static size_t count_inputs(const mr_stage *stage)
{
    size_t n = 0;
    for (size_t i = 0; i < stage->n_from; i++) {
        n += (size_t)mr_app_topic(stage->app, stage->from[i])->partitions;
    }
    return n;
}

mr_topic_partition *mr_stage_inputs(const mr_stage *stage, size_t *ret_n)
{
    mr_topic_partition *inputs = mr_alloc_zero(count_inputs(stage), sizeof(*inputs));
    size_t n = 0;
    for (size_t i = 0; i < stage->n_from; i++) {
        const int32_t n_partitions = mr_app_topic(stage->app, stage->from[i])->partitions;
        for (int32_t p = 0; p < n_partitions; p++) {
            inputs[n++] = (mr_topic_partition){stage->from[i], p, -1};
        }
    }
    *ret_n = n;
    return inputs;
}

static mr_status open_consumer(mr_sole_member *member, const mr_sole_member_options *options,
                               mr_error *err)
{
    const mr_consumer_options consumer = {
        .properties = options->properties,
        .ours = options->ours,
        .n_ours = options->n_ours,
        .log = options->log,
        .client_id = options->client_id,
        .group = options->stage->group,
        .topics = (const char *const *)options->stage->from,
        .n_topics = options->stage->n_from,
        .queue_bytes_max = QUEUE_BYTES,
        .listener = {.context = member, .assigned = on_assigned, .revoked = on_revoked},
    };
    MR_TRY(mr_consumer_new(&consumer, &member->consumer, err));
    member->feed = mr_feed_new(member->consumer);
    MR_TRY(mr_thread_start("member", run, member, &member->thread, err));
    member->started = true;
    return MR_OK;
}

static mr_status wait_for_all(mr_sole_member *member, mr_error *err)
{
    const int64_t at_us =
        mr_clock_system()->monotonic_us(mr_clock_system()) + JOIN_MS * INT64_C(1000);
    const struct timespec deadline = {.tv_sec = (time_t)(at_us / 1000000),
                                      .tv_nsec = (long)(at_us % 1000000 * 1000)};
    int waited = 0;
    pthread_mutex_lock(&member->mutex);
    while (!member->was_assigned && !member->is_over && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&member->changed, &member->mutex, &deadline);
    }
    mr_status status = MR_OK;
    if (member->is_over) {
        *err = member->err;
        status = err->status;
    } else if (!member->was_assigned) {
        status = mr_error_set(err, MR_ERR_KAFKA, "group %s could not be joined within %d s",
                              member->stage->group, JOIN_MS / 1000);
    } else if (member->n_assigned < member->n_all) {
        status =
            mr_error_set(err, MR_ERR_USAGE,
                         "group %s is active: another member has %zu of its %zu partitions; "
                         "stop every processor of the stage first",
                         member->stage->group, member->n_all - member->n_assigned, member->n_all);
    }
    pthread_mutex_unlock(&member->mutex);
    return status;
}

static mr_sole_member *make(const mr_stage *stage)
{
    mr_sole_member *member = mr_alloc_zero(1, sizeof(*member));
    member->stage = stage;
    member->n_all = count_inputs(stage);
    pthread_mutex_init(&member->held, NULL);
    pthread_mutex_init(&member->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&member->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return member;
}

mr_status mr_sole_member_join(const mr_sole_member_options *options, mr_sole_member **ret_member,
                              mr_error *err)
{
    MR_TRY(check_idle(options, err));
    mr_sole_member *member = make(options->stage);
    mr_status status = open_consumer(member, options, err);
    if (status == MR_OK) {
        status = wait_for_all(member, err);
    }
    if (status != MR_OK) {
        mr_sole_member_leave(member);
        return status;
    }
    *ret_member = member;
    return MR_OK;
}

void mr_sole_member_leave(mr_sole_member *member)
{
    if (member == NULL) {
        return;
    }
    if (member->started) {
        pthread_mutex_lock(&member->mutex);
        member->ending = true;
        pthread_mutex_unlock(&member->mutex);
        pthread_join(member->thread, NULL);
    }
    mr_consumer_close(member->consumer);
    if (member->feed != NULL) {
        mr_feed_free(member->feed);
    }
    pthread_cond_destroy(&member->changed);
    pthread_mutex_destroy(&member->mutex);
    pthread_mutex_destroy(&member->held);
    free(member);
}

/* ---- Being the only one ---- */

mr_consumer *mr_sole_member_consumer(mr_sole_member *member)
{
    return member->consumer;
}

mr_status mr_sole_member_check(mr_sole_member *member, mr_error *err)
{
    pthread_mutex_lock(&member->mutex);
    const bool is_over = member->is_over;
    if (is_over) {
        *err = member->err;
    }
    pthread_mutex_unlock(&member->mutex);
    return is_over ? err->status : MR_OK;
}

mr_status mr_sole_member_hold(mr_sole_member *member, mr_error *err)
{
    pthread_mutex_lock(&member->held);
    const mr_status status = mr_sole_member_check(member, err);
    if (status != MR_OK) {
        pthread_mutex_unlock(&member->held);
    }
    return status;
}

void mr_sole_member_release(mr_sole_member *member)
{
    pthread_mutex_unlock(&member->held);
}
