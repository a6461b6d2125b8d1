#include "cli/dev_topics.h"

#include <pthread.h>
#include <string.h>

enum { AT_ONCE = 64 };

typedef struct creation {
    pthread_t thread;
    mr_embedded *broker;
    const mr_topic *topic;
    mr_status status;
    mr_error err;
} creation;

static void *create(void *argument)
{
    creation *c = argument;
    c->status = mr_embedded_create_topic(c->broker, c->topic->name, c->topic->partitions, &c->err);
    return NULL;
}

/* At most AT_ONCE topics. */
static mr_status create_some(mr_embedded *broker, const mr_topic *topics, size_t n, mr_error *err)
{
    creation creations[AT_ONCE];
    size_t n_started = 0;
    int failure = 0;
    while (n_started < n && failure == 0) {
        creation *c = &creations[n_started];
        *c = (creation){.broker = broker, .topic = &topics[n_started]};
        failure = pthread_create(&c->thread, NULL, create, c);
        n_started += failure == 0;
    }
    mr_status status = MR_OK;
    for (size_t i = 0; i < n_started; i++) {
        (void)pthread_join(creations[i].thread, NULL);
        if (creations[i].status != MR_OK && status == MR_OK) {
            *err = creations[i].err;
            status = creations[i].status;
        }
    }
    if (failure != 0) {
        return mr_error_set(err, MR_ERR_SYSTEM, "cannot start a thread: %s", strerror(failure));
    }
    return status;
}

mr_status mr_dev_create_topics(mr_embedded *broker, const mr_app *app, mr_error *err)
{
    for (size_t i = 0; i < app->n_topics; i += AT_ONCE) {
        const size_t left = app->n_topics - i;
        MR_TRY(create_some(broker, &app->topics[i], left < AT_ONCE ? left : AT_ONCE, err));
    }
    return MR_OK;
}
