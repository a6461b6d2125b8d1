#include "app/endpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/file.h"
#include "core/text.h"
#include "app/files.h"

static const char client_id_prefix[] = "millrace-";
static const char endpoint_file[] = "http";
static const char port_file[] = "http.port";

MR_DEFINE_CLEANUP(char, free)

void mr_address_format(const char *host, uint16_t port, char ret_address[MR_ADDRESS_SIZE])
{
    const bool is_ipv6 = strchr(host, ':') != NULL && host[0] != '[';
    (void)snprintf(ret_address, MR_ADDRESS_SIZE, "%s%.255s%s:%u", is_ipv6 ? "[" : "", host,
                   is_ipv6 ? "]" : "", (unsigned)port);
}

char *mr_client_id_new(const char *kind, const char *address)
{
    return mr_asprintf("%s%s@%s", client_id_prefix, kind, address);
}

/* host:port with a port from 1 to 65535, and nothing in the host that could end a URL's. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    return colon != NULL && colon != text && strlen(text) < MR_ADDRESS_SIZE &&
           strpbrk(text, "/?#@ \t\r\n") == NULL && mr_parse_int64(colon + 1, &port) == MR_OK &&
           port > 0 && port <= UINT16_MAX;
}

mr_status mr_client_id_address(const char *client_id, char ret_address[MR_ADDRESS_SIZE])
{
    if (client_id == NULL ||
        strncmp(client_id, client_id_prefix, sizeof(client_id_prefix) - 1) != 0) {
        return MR_NOT_FOUND;
    }
    const char *at = strchr(client_id, '@');
    if (at == NULL || !is_address(at + 1)) {
        return MR_NOT_FOUND;
    }
    (void)snprintf(ret_address, MR_ADDRESS_SIZE, "%s", at + 1);
    return MR_OK;
}

char *mr_stage_directory(const mr_settings *settings, const mr_stage *stage)
{
    MR_CLEANUP(freep) char *place = mr_stage_place(stage);
    return mr_asprintf("%s/%s", settings->runtime.state_dir, place);
}

mr_status mr_instance_directory(const mr_settings *settings, const mr_stage *stage,
                                const char *instance, char **ret_directory, mr_error *err)
{
    if (instance == NULL || instance[0] == '\0' || instance[0] == '.' ||
        strchr(instance, '/') != NULL) {
        return mr_error_set(err, MR_ERR_USAGE,
                            "group.instance.id is '%.80s', expected a text that can name a "
                            "directory: without '/', not empty, and not beginning with a dot",
                            instance == NULL ? "" : instance);
    }
    MR_CLEANUP(freep) char *above = mr_stage_directory(settings, stage);
    *ret_directory = mr_asprintf("%s/%s", above, instance);
    return MR_OK;
}

char *mr_backup_directory(const mr_settings *settings, const mr_stage *stage, const char *instance)
{
    const mr_runtime_options *runtime = &settings->runtime;
    const bool beside = runtime->backup_dir == NULL;
    return mr_asprintf("%s%s/%s/%s/%s", beside ? runtime->state_dir : runtime->backup_dir,
                       beside ? "/.backups" : "", stage->app->name, stage->name, instance);
}

mr_status mr_endpoint_write(const char *directory, const char *address, int64_t pid, mr_error *err)
{
    MR_TRY(mr_directory_make(directory, err));
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, endpoint_file);
    MR_CLEANUP(mr_buf_deinit) mr_buf text = MR_BUF_NULL;
    mr_buf_printf(&text, "%s %" PRId64 "\n", address, pid);
    MR_TRY(mr_file_write(path, mr_buf_bytes(&text), err));
    MR_CLEANUP(freep) char *port_path = mr_asprintf("%s/%s", directory, port_file);
    return mr_file_write(port_path, mr_bytes_text(strrchr(address, ':') + 1), err);
}

uint16_t mr_endpoint_last_port(const char *directory)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, port_file);
    MR_CLEANUP(mr_buf_deinit) mr_buf contents = MR_BUF_NULL;
    mr_error err;
    enum { BYTES_MAX = 16 };
    int64_t port;
    if (mr_file_read(path, BYTES_MAX, &contents, &err) != MR_OK ||
        mr_parse_int64(mr_buf_text(&contents), &port) != MR_OK || port <= 0 || port > UINT16_MAX) {
        return 0;
    }
    return (uint16_t)port;
}

mr_status mr_endpoint_read(const char *directory, char ret_address[MR_ADDRESS_SIZE],
                           int64_t *ret_pid)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, endpoint_file);
    MR_CLEANUP(mr_buf_deinit) mr_buf contents = MR_BUF_NULL;
    mr_error err;
    enum { BYTES_MAX = 1024 };
    if (mr_file_read(path, BYTES_MAX, &contents, &err) != MR_OK || contents.len == 0) {
        return MR_NOT_FOUND;
    }
    char *text = (char *)contents.data;
    text[strcspn(text, "\n")] = '\0';
    char *blank = strchr(text, ' ');
    int64_t pid;
    if (blank == NULL || mr_parse_int64(blank + 1, &pid) != MR_OK || pid <= 0 || pid > INT32_MAX) {
        return MR_NOT_FOUND;
    }
    *blank = '\0';
    const bool lives = kill((pid_t)pid, 0) == 0 || errno == EPERM;
    if (!is_address(text) || !lives) {
        return MR_NOT_FOUND;
    }
    (void)snprintf(ret_address, MR_ADDRESS_SIZE, "%s", text);
    *ret_pid = pid;
    return MR_OK;
}

void mr_endpoint_remove(const char *directory, int64_t pid)
{
    MR_CLEANUP(freep) char *path = mr_asprintf("%s/%s", directory, endpoint_file);
    char address[MR_ADDRESS_SIZE];
    int64_t found;
    if (mr_endpoint_read(directory, address, &found) == MR_OK && found == pid) {
        /* One that stays is harmless: its process lives no more. */
        (void)unlink(path);
    }
}
