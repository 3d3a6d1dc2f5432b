/* beside.c: see the header. Store process, main thread. */
#include "job/file/beside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "job/file/run_info.h"

#define BYTES_MAX (64u << 20)

static json_t *read_beside(const char *path)
{
	size_t count;
	char *text;
	json_t *json = NULL;

	if (path_read_file(path, BYTES_MAX, &text, &count, NULL) == 0) {
		json = json_loadb(text, count, 0, NULL);
		free(text);
	}
	if (json_is_array(json_object_get(json, "runs")) && json_is_object(json_object_get(json, "configs")))
		return json;
	json_decref(json);
	return NULL;
}

static json_t *make_beside(const char *path)
{
	const char *slash = strrchr(path, '/');

	return json_pack("{s:i, s:s, s:[], s:{}}", "v", 1, "file", slash ? slash + 1 : path, "runs", "configs");
}

static void format_utc(uint64_t wall_ns, char ret_text[32])
{
	time_t seconds = (time_t)(wall_ns / 1000000000u);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		ret_text[0] = '\0';
}

static void add_run(json_t *json, const struct enrg_run_info *run)
{
	json_t *runs = json_object_get(json, "runs"), *item = run_info_format(run);
	char began[32];

	for (size_t i = json_array_size(runs); i-- > 0;)
		if (json_equal(json_object_get(json_array_get(runs, i), "uuid"), json_object_get(item, "uuid")))
			json_array_remove(runs, i);
	format_utc(run->began_ns, began);
	json_object_set_new(item, "began", json_string(began));
	json_object_del(item, "ended_wall_ns"); /* not known when it is written */
	json_array_append_new(runs, item);
	if (*run->config_sha256)
		json_object_set_new(json_object_get(json, "configs"), run->config_sha256, json_string(run->config));
}

int beside_write(const char *path, const struct enrg_run_info *run, bool is_new, struct enrg_error *err)
{
	char name[PATH_MAX];

	if (snprintf(name, sizeof(name), "%s" BESIDE_SUFFIX, path) >= (int)sizeof(name))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long for " BESIDE_SUFFIX, path);
	json_t *json = is_new ? NULL : read_beside(name);
	if (!json)
		json = make_beside(path);
	if (json)
		add_run(json, run);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int rc = text ? path_write_file(name, text, strlen(text), 0, err)
		      : enrg_error_set(err, -ENOMEM, "%s: can't be written as JSON", name);
	free(text);
	json_decref(json);
	return rc < 0 ? rc : 0;
}
