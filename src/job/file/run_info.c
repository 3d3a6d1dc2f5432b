/* run_info.c: see the header. Store process, main thread. */
#include "job/file/run_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "job/file/handle.h"

#define BYTES_MAX (64u << 20)

void run_info_init(struct run_info *info, const char *runtime_folder)
{
	*info = (struct run_info){0};
	if (runtime_folder && asprintf(&info->path, "%s/run_info.json", runtime_folder) < 0)
		info->path = NULL;
}

void run_info_fini(struct run_info *info)
{
	json_decref(info->json);
	free(info->path);
	*info = (struct run_info){0};
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_size == b->st_size;
}

/* It is replaced as a whole, so that no half of it is ever read. */
static void read_again(struct run_info *info)
{
	struct stat status;
	size_t count;
	char *text;

	if (!info->path || stat(info->path, &status) < 0 || is_same(&status, &info->status) ||
		path_read_file(info->path, BYTES_MAX, &text, &count, NULL) < 0)
		return;
	json_t *json = json_loadb(text, count, 0, NULL);
	free(text);
	if (!json)
		return;
	json_decref(info->json);
	info->json = json;
	info->status = status;
}

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static uint64_t number_of(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

const struct enrg_run_info *run_info_find(struct run_info *info, const char *run)
{
	if (!run || !*run)
		return NULL;
	read_again(info);
	const json_t *runs = json_object_get(info->json, "runs");
	for (size_t i = 0; i < json_array_size(runs); i++) {
		const json_t *item = json_array_get(runs, i);
		if (strcmp(text_of(item, "run"), run) != 0)
			continue;
		info->run = (struct enrg_run_info){.size = sizeof(info->run),
			.run = text_of(item, "run"),
			.uuid = text_of(item, "uuid"),
			.type = text_of(item, "type"),
			.description = text_of(item, "description"),
			.supervisor = text_of(item, "supervisor"),
			.version = text_of(item, "version"),
			.config = text_of(item, "config"),
			.config_sha256 = text_of(item, "config_sha256"),
			.number = number_of(item, "number"),
			.began_ns = number_of(item, "began_wall_ns"),
			.ended_ns = number_of(item, "ended_wall_ns")};
		return &info->run;
	}
	return NULL;
}

void run_info_add(struct run_info *info, json_t *run)
{
	if (!info->json)
		info->json = json_pack("{s:[]}", "runs");
	json_array_append_new(json_object_get(info->json, "runs"), run);
}

json_t *run_info_format(const struct enrg_run_info *run)
{
	return json_pack("{s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "run", run->run, "number",
		(json_int_t)run->number, "uuid", run->uuid, "type", run->type, "description", run->description,
		"supervisor", run->supervisor, "version", run->version, "config_sha256", run->config_sha256,
		"began_wall_ns", (json_int_t)run->began_ns, "ended_wall_ns", (json_int_t)run->ended_ns);
}

const struct enrg_run_info *enrg_store_find_run(struct enrg_store *store, const char *run)
{
	return run_info_find(&store->files.chronicle.info, run);
}

void enrg_store_keep_runs_beside(struct enrg_store *store, enum enrg_runs_beside which)
{
	store->files.chronicle.beside = which;
}
