/*
 * Named points where a test kills the process: built with -DMR_FAULT_BUILD, the process kills
 * itself with SIGKILL the Nth time it passes the point that MILLRACE_CRASH_POINT names ("name" or
 * "name:N"). In every other build a point is nothing.
 */
#pragma once

#ifdef MR_FAULT_BUILD
void mr_crash_point(const char *name);
#define MR_CRASH_POINT(name) mr_crash_point(name)
#else
#define MR_CRASH_POINT(name) ((void)0)
#endif
