/*
 * Where a processor answers HTTP, said in two places: its client.id, which the group's description
 * shows to everybody, and a small file `http` in its state directory, for the same host.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include <mr/app.h>

enum { MR_ADDRESS_SIZE = 300 };

/* "host:port", an IPv6 address in brackets. */
void mr_address_format(const char *host, uint16_t port, char ret_address[MR_ADDRESS_SIZE]);

/* "millrace-<kind>@<address>"; a heap text. */
char *mr_client_id_new(const char *kind, const char *address);
/* The address in such a client.id; MR_NOT_FOUND when it is none of ours. */
mr_status mr_client_id_address(const char *client_id,
                               char ret_address[MR_ADDRESS_SIZE]) MR_MUST_USE;

/* "<state.dir>/<place of the stage>"; below it one directory an instance. A heap text. */
char *mr_stage_directory(const mr_settings *settings, const mr_stage *stage);
/* "<state.dir>/<app>/<stage>/<instance>". MR_ERR_USAGE for an instance that is no file name. */
mr_status mr_instance_directory(const mr_settings *settings, const mr_stage *stage,
                                const char *instance, char **ret_directory,
                                mr_error *err) MR_MUST_USE;
/* "<backup.dir>/<app>/<stage>/<instance>", of an instance that has a directory. A heap text. */
char *mr_backup_directory(const mr_settings *settings, const mr_stage *stage, const char *instance);

/* The file `http` of an instance's directory. Written atomically; the directory is made. */
mr_status mr_endpoint_write(const char *directory, const char *address, int64_t pid,
                            mr_error *err) MR_MUST_USE;
/* The port that this instance had last, 0: none known. The group's description keeps the address of
 * a static member over its restarts, so an instance that may choose its port takes the same again.
 */
uint16_t mr_endpoint_last_port(const char *directory);
/* MR_NOT_FOUND: none, or its process lives no more. */
mr_status mr_endpoint_read(const char *directory, char ret_address[MR_ADDRESS_SIZE],
                           int64_t *ret_pid) MR_MUST_USE;
/* Removes the file when it is the process's own, not one of a successor. */
void mr_endpoint_remove(const char *directory, int64_t pid);
