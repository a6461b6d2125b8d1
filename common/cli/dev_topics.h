/* All topics of an app on the embedded broker. */
#pragma once

#include <mr/app.h>

#include "kafka/embedded.h"

/* Several at once: librdkafka 2.0.2's mock cluster looks only four times a second whether somebody
 * wants something of it, so 80 topics one after the other would take 20 seconds. */
mr_status mr_dev_create_topics(mr_embedded *broker, const mr_app *app, mr_error *err) MR_MUST_USE;
