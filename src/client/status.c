/* status.c: what a system does, as its supervisor wrote it last. Process: whoever looks from outside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "client/client.h"
#include "client/look.h"
#include "handover/presence.h"

#define STATUS_BYTES_MAX (64u << 20)

/* Names, reasons and alerts come from files and messages: they must not steer a terminal. */
static void make_safe(json_t *json)
{
	size_t index;
	const char *key;
	json_t *value;

	if (json_is_string(json)) {
		char *text = strdup(json_string_value(json));

		if (text) {
			text_make_safe(text, strlen(text));
			json_string_set(json, text);
		}
		free(text);
	}
	json_array_foreach(json, index, value) make_safe(value);
	json_object_foreach(json, key, value) make_safe(value);
}

/* A supervisor that was killed leaves its last one behind, one that ended says so. */
static bool is_of(const json_t *status, int64_t pid)
{
	const char *state = json_string_value(json_object_get(status, "state"));
	const json_t *writer = json_object_get(status, "supervisor_pid");

	return state && strcmp(state, "ended") != 0 && (!writer || json_integer_value(writer) == pid);
}

int client_read_status(const char *folder, json_t **ret_status, int64_t *ret_pid, struct enrg_error *err)
{
	char path[FIND_PATH_BYTES + 16], *text;
	size_t count;
	int64_t pid = presence_owner(folder);
	json_t *status;

	if (!pid)
		return client_explain_absence(folder, err);
	snprintf(path, sizeof(path), "%s/status.json", folder);
	int rc = path_read_file(path, STATUS_BYTES_MAX, &text, &count, err);
	if (rc == -ENOENT)
		return enrg_error_set(err, -EAGAIN, "process %d has not reported its state yet", (int)pid);
	if (rc < 0)
		return rc;
	status = json_loadb(text, count, 0, NULL);
	free(text);
	if (!json_is_object(status)) {
		json_decref(status);
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: not a JSON object", path);
	}
	if (!is_of(status, pid)) {
		json_decref(status);
		return enrg_error_set(err, -EAGAIN, "process %d has not reported its state yet", (int)pid);
	}
	make_safe(status);
	*ret_status = status;
	*ret_pid = pid;
	return 0;
}

int enrg_client_status(
	struct enrg_client *client, uint32_t flags, const struct enrg_status **ret_status, struct enrg_error *err)
{
	json_t *status;
	int64_t pid;
	int rc = client_read_status(client->folder, &status, &pid, err);

	if (rc < 0)
		return rc;
	double mono_ns = json_number_value(json_object_get(status, "mono_ns"));
	if (mono_ns > 0)
		json_object_set_new(status, "age_s", json_real(((double)clock_mono_ns() - mono_ns) / 1e9));
	if (flags & ENRG_STATUS_FILES)
		look_add(status, client->folder, pid);
	figures_fini(&client->figures);
	rc = figures_init(&client->figures, status, err);
	if (rc == 0)
		*ret_status = &client->figures.shown;
	return rc;
}
