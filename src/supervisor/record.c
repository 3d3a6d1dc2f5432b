/* record.c: see the header. Process: supervisor, main thread. */
#include "supervisor/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/version.h"
#include "config/secrets.h"
#include "supervisor/clock_state.h"
#include "supervisor/surroundings.h"

#define NS_PER_S       1000000000ull
#define INFO_BYTES_MAX (64u << 20)

/* JSON holds UTF-8 alone; what is none is shown as question marks. */
static json_t *format_text(const char *text)
{
	json_t *json = json_string(text);
	char *safe = json ? NULL : strdup(text);

	for (char *at = safe; at && *at;) {
		size_t count = text_character(at, strlen(at));
		if (!count)
			*at = '?';
		at += count ? count : 1;
	}
	if (safe)
		json = json_string(safe);
	free(safe);
	return json;
}

/* --- configuration ------------------------------------------------------------------------------------------------ */

/* What may be shown of a file. Where nobody can say what is secret in it nothing is shown. NULL: out of memory. */
static char *mask(const struct types *types, const struct source *source)
{
	struct enrg_error err = {0};
	char *text = NULL;

	if (secrets_hide_text(types, source->file, source->text, &text, &err) < 0 &&
		asprintf(&text, "# not shown, since it can't be told what is secret in it: %s\n", err.text) < 0)
		text = NULL;
	if (text)
		secret_hide(text); /* also what a comment repeats */
	return text;
}

static json_t *format_source(const struct source *source, const char *masked)
{
	bool is_masked = strcmp(masked, source->text) != 0;
	const char *hashed = is_masked ? masked : source->text;
	char hex[SHA256_HEX_BYTES];

	/* The hash of a text that is known but for a short secret would give the secret away. */
	sha256_format(hashed, strlen(hashed), hex);
	return json_pack("{s:o, s:s, s:b}", "file", format_text(source->file), "sha256", hex, "masked", is_masked);
}

static void print_source(FILE *stream, const struct source *source, const char *masked)
{
	size_t length = strlen(masked);

	fprintf(stream, "# --- %s.toml ---\n%s%s\n", source->name, masked,
		length && masked[length - 1] != '\n' ? "\n" : "");
}

static void print_defaults(FILE *stream, const struct folder *folder)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (folder->jobs[i].is_default)
			fprintf(stream, "# %s, which no file configures, runs with the defaults of %s\n",
				folder->jobs[i].name,
				folder->jobs[i].common.daq_job_type ? folder->jobs[i].common.daq_job_type : "its type");
}

static int add_config(json_t *record, const struct folder *folder, const struct types *types)
{
	char *text = NULL, hex[SHA256_HEX_BYTES];
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);
	json_t *sources = json_array();

	for (size_t i = 0; stream && i < folder->sources.count; i++) {
		const struct source *source = &folder->sources.items[i];
		char *masked = mask(types, source);
		if (masked) {
			print_source(stream, source, masked);
			json_array_append_new(sources, format_source(source, masked));
		}
		free(masked);
	}
	if (stream)
		print_defaults(stream, folder);
	if (!stream || fclose(stream) != 0 || !text) {
		json_decref(sources);
		free(text);
		return -ENOMEM;
	}
	json_t *config = format_text(text);
	const char *shown = json_string_value(config);
	sha256_format(shown ? shown : "", shown ? strlen(shown) : 0, hex);
	json_object_set_new(record, "config", config);
	json_object_set_new(record, "config_sha256", json_string(hex));
	json_object_set_new(record, "sources", sources);
	free(text);
	return 0;
}

/* --- the record --------------------------------------------------------------------------------------------------- */

void record_format_time(uint64_t wall_ns, char *ret_text, size_t text_bytes)
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	char day[32] = "", zone[16] = "";
	struct tm tm;

	if (localtime_r(&seconds, &tm)) {
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
		strftime(zone, sizeof(zone), "%z", &tm);
	}
	snprintf(ret_text, text_bytes, "%s.%09u%.3s:%s", day, (unsigned)(wall_ns % NS_PER_S), zone,
		strlen(zone) > 3 ? zone + 3 : "00");
}

static json_t *format_tags(const struct folder *folder)
{
	const struct enrg_string_list *list = &folder->supervisor.info.supervisor_tags;
	json_t *tags = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(tags, format_text(list->items[i]));
	return tags;
}

static json_t *format_zone(void)
{
	time_t now = time(NULL);
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(text, sizeof(text), "%z %Z", &tm);
	return json_string(text);
}

static json_t *format_authors(const struct enrg_struct_list *list)
{
	const struct run_author_options *authors = list->items;
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *author = json_pack("{s:o}", "name", format_text(authors[i].name));
		if (authors[i].orcid)
			json_object_set_new(author, "orcid", format_text(authors[i].orcid));
		if (authors[i].affiliation)
			json_object_set_new(author, "affiliation", format_text(authors[i].affiliation));
		json_array_append_new(array, author);
	}
	return array;
}

/* Whom an export of the run names. */
static void add_publication(json_t *record, const struct supervisor_options *options)
{
	if (options->runs.license)
		json_object_set_new(record, "license", format_text(options->runs.license));
	if (options->runs.publisher)
		json_object_set_new(record, "publisher", format_text(options->runs.publisher));
	if (options->runs.author.count)
		json_object_set_new(record, "authors", format_authors(&options->runs.author));
}

json_t *record_make(const struct folder *folder, const struct types *types)
{
	const struct clock_state clock = clock_state_read();
	const char *supervisor = folder->supervisor.info.supervisor_id;
	json_t *record = json_object();

	if (!record || add_config(record, folder, types) < 0) {
		json_decref(record);
		return NULL;
	}
	json_object_set_new(record, "supervisor", format_text(supervisor ? supervisor : ""));
	json_object_set_new(record, "tags", format_tags(folder));
	json_object_set_new(record, "versions", surroundings_format_versions());
	json_object_set_new(record, "host", surroundings_format_host());
	json_object_set_new(record, "zone", format_zone());
	json_object_set_new(record, "clock", clock_state_format(&clock));
	add_publication(record, &folder->supervisor);
	return record;
}

/* --- run_info.json ------------------------------------------------------------------------------------------------ */

static json_t *read_info(const char *path)
{
	size_t count;
	char *text;
	json_t *info = NULL;

	if (path_read_file(path, INFO_BYTES_MAX, &text, &count, NULL) == 0) {
		info = json_loadb(text, count, 0, NULL);
		free(text);
	}
	if (!json_is_array(json_object_get(info, "runs"))) {
		json_decref(info);
		info = json_pack("{s:i, s:[]}", "v", 1, "runs");
	}
	return info;
}

static int write_info(const char *path, json_t *info, struct enrg_error *err)
{
	char *text = info ? json_dumps(info, JSON_COMPACT) : NULL;
	int rc = text ? path_write_private_file(path, text, strlen(text), err)
		      : enrg_error_set(err, -ENOMEM, "%s: out of memory", path);

	free(text);
	json_decref(info);
	return rc < 0 ? rc : 0;
}

static void copy_key(json_t *to, const char *to_key, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	json_object_set(to, to_key, value ? value : json_null());
}

static json_t *make_info(const char *uuid, const json_t *begin)
{
	static const char *const keys[] = {
		"run", "number", "type", "description", "supervisor", "config", "config_sha256"};
	json_t *run =
		json_pack("{s:s, s:s, s:I}", "uuid", uuid, "version", version_text(), "ended_wall_ns", (json_int_t)0);

	for (size_t i = 0; run && i < sizeof(keys) / sizeof(*keys); i++)
		copy_key(run, keys[i], begin, keys[i]);
	if (run)
		copy_key(run, "began_wall_ns", begin, "wall_ns");
	return run;
}

static bool is_run(const json_t *run, const char *id)
{
	const char *text = json_string_value(json_object_get(run, "run"));

	return text && id && !strcmp(text, id);
}

int record_tell_begin(const char *runtime_folder, const char *uuid, const json_t *begin, struct enrg_error *err)
{
	const char *id = json_string_value(json_object_get(begin, "run"));
	char path[4096];

	snprintf(path, sizeof(path), "%s/" RECORD_INFO_NAME, runtime_folder);
	json_t *info = read_info(path), *runs = json_object_get(info, "runs");
	for (size_t i = json_array_size(runs); i-- > 0;)
		if (is_run(json_array_get(runs, i), id))
			json_array_remove(runs, i);
	json_array_insert_new(runs, 0, make_info(uuid, begin));
	while (json_array_size(runs) > RECORD_INFO_RUNS)
		json_array_remove(runs, json_array_size(runs) - 1);
	return write_info(path, info, err);
}

int record_tell_end(const char *runtime_folder, const char *run, uint64_t wall_ns, struct enrg_error *err)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/" RECORD_INFO_NAME, runtime_folder);
	json_t *info = read_info(path), *runs = json_object_get(info, "runs");
	for (size_t i = 0; i < json_array_size(runs); i++) {
		json_t *item = json_array_get(runs, i);
		if (!is_run(item, run))
			continue;
		json_object_set_new(item, "ended_wall_ns", json_integer((json_int_t)wall_ns));
		return write_info(path, info, err);
	}
	json_decref(info);
	return 0;
}
