/* Which process listens on a port of this host: to stop a broker that somebody else started. */
#pragma once

#include <sys/types.h>

/* -1: not found, or not allowed to look. `address` is "host:port", the first of several. */
pid_t kit_listener(const char *address);
