/* info.c: see the header. Process: whoever looks from outside. */
#include "client/info.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "handover/presence.h"

#define RUN_BYTES_MAX (1u << 20)

static void copy(const json_t *json, const char *key, char *ret_text, size_t text_bytes)
{
	const char *text = json_string_value(json_object_get(json, key));

	snprintf(ret_text, text_bytes, "%s", text ? text : "");
	text_make_safe(ret_text, strlen(ret_text));
}

static void read_run(struct info *info)
{
	char path[FIND_PATH_BYTES + 16], *text;
	const char *log_path;
	json_t *json;
	size_t count;

	snprintf(path, sizeof(path), "%s/run.json", info->folder);
	if (path_read_file(path, RUN_BYTES_MAX, &text, &count, NULL) < 0)
		return;
	json = json_loadb(text, count, 0, NULL);
	free(text);
	copy(json, "run", info->run, sizeof(info->run));
	copy(json, "state", info->state, sizeof(info->state));
	copy(json, "version", info->version, sizeof(info->version));
	copy(json, "config", info->config, sizeof(info->config));
	log_path = json_string_value(json_object_get(json, "log")); /* to be opened: as it is */
	if (log_path && strlen(log_path) < sizeof(info->log_path))
		strcpy(info->log_path, log_path);
	info->shown.exit_code = (int32_t)json_integer_value(json_object_get(json, "exit_code"));
	json_int_t started_ns = json_integer_value(json_object_get(json, "started_wall_ns"));
	info->shown.started_ns = started_ns > 0 ? (uint64_t)started_ns : 0;
	json_decref(json);
}

/* Where the texts are; `info` may have been copied. */
static void link_texts(struct info *info)
{
	info->shown.name = info->name;
	info->shown.folder = info->folder;
	info->shown.run = info->run;
	info->shown.state = info->state;
	info->shown.owner = info->owner;
	info->shown.hint = info->hint;
	info->shown.version = info->version;
	info->shown.config = info->config;
}

void info_read(const char *folder, struct info *ret_info)
{
	const char *slash = strrchr(folder, '/');
	struct stat status;

	memset(ret_info, 0, sizeof(*ret_info));
	link_texts(ret_info);
	ret_info->shown.size = sizeof(ret_info->shown);
	snprintf(ret_info->folder, sizeof(ret_info->folder), "%s", folder);
	snprintf(ret_info->name, sizeof(ret_info->name), "%s", slash ? slash + 1 : folder);
	text_make_safe(ret_info->name, strlen(ret_info->name));
	if (stat(folder, &status) < 0)
		return;
	path_format_user(status.st_uid, ret_info->owner, sizeof(ret_info->owner));
	ret_info->shown.is_visible = access(folder, R_OK | W_OK | X_OK) == 0;
	if (!ret_info->shown.is_visible)
		return;
	read_run(ret_info);
	ret_info->shown.pid = presence_owner(folder);
	ret_info->shown.is_running = ret_info->shown.pid > 0;
	if (ret_info->shown.is_running)
		return;
	ret_info->shown.orphans = presence_count_jobs(folder);
	if (!strcmp(ret_info->state, "running"))
		strcpy(ret_info->state, "gone");
}
