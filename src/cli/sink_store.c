/* sink_store.c: drives the type of a store as the process of its job would, so that no format is written twice. In
 * `enrgdaq convert`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "config/folder.h"
#include "cli/sink.h"
#include "job/file/handle.h"

#define COMMIT_BYTES (8u << 20)

struct store_sink {
	const struct sink_params *params;
	struct types *types;
	struct options_memory *memory;
	const struct enrg_store_type *type;
	struct enrg_store *store;
	void *options, *section, *state, *target;
	uint64_t written_bytes;
	bool has_target;
};

char *sink_quote(const char *text)
{
	char *quoted = malloc(6 * strlen(text) + 3), *at = quoted;

	if (!quoted)
		return NULL;
	*at++ = '"';
	for (; *text; text++) {
		unsigned char letter = (unsigned char)*text;
		if (letter < 0x20 || letter == 0x7f)
			at += sprintf(at, "\\u%04x", letter);
		else if (letter == '"' || letter == '\\')
			at += sprintf(at, "\\%c", letter);
		else
			*at++ = *text;
	}
	strcpy(at, "\"");
	return quoted;
}

static int tell_problems(struct problems *problems, int rc, struct enrg_error *err)
{
	if (rc < 0 && problems->count)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%s", problems->items[0].text);
	else if (rc < 0)
		enrg_error_set(err, rc, "the store does not take its options");
	problems_fini(problems);
	return rc;
}

static int fill_options(struct store_sink *sink, const struct type_entry *entry, struct enrg_error *err)
{
	const struct sink_params *params = sink->params;
	char *folder = sink_quote(params->folder), *store = NULL, *section = NULL;
	struct problems problems;
	struct job_common common;
	int rc = -ENOMEM;

	problems_init(&problems);
	if (folder &&
		asprintf(&store, "daq_job_type = \"%s\"\nout_dir = %s\n%s\n", entry->name, folder,
			params->store_keys) >= 0 &&
		asprintf(&section, "[store_config.%s]\n%s\n", params->section, params->section_keys) >= 0)
		rc = folder_fill_job(entry, &(struct folder_file){"convert", store}, &common, &sink->options,
			sink->memory, &problems);
	if (rc == 0)
		rc = folder_fill_section(sink->type, &(struct folder_file){"convert", section}, "store_config",
			&sink->section, sink->memory, &problems);
	free(folder);
	free(store);
	free(section);
	return tell_problems(&problems, rc, err);
}

static void store_close(void *state)
{
	struct store_sink *sink = state;

	if (!sink)
		return;
	if (sink->state) {
		if (sink->has_target)
			sink->type->target_close(sink->state, sink->target, true, NULL);
		sink->type->close(sink->state, true, NULL);
	}
	store_destroy_alone(sink->store);
	options_memory_destroy(sink->memory);
	types_free(sink->types);
	free(sink);
}

static int start_store(struct store_sink *sink, struct enrg_error *err)
{
	if (cli_load_types(&sink->types))
		return enrg_error_set(err, ENRG_E_PLUGIN, "the modules can't be loaded");
	const struct type_entry *entry = types_find_section(sink->types, sink->params->section);
	if (!entry || !entry->store)
		return enrg_error_set(err, ENRG_E_PLUGIN,
			"no module for \"%s\" is here: it was left out of this build, or ENRGDAQ_MODULE_PATH does not "
			"name its folder",
			sink->params->section);
	sink->type = entry->store;
	sink->memory = options_memory_create();
	int rc = sink->memory ? fill_options(sink, entry, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = store_create_alone("convert", sink->params->journal_path, &sink->store, err);
	if (rc == 0)
		rc = sink->type->open(sink->store, sink->options, &sink->state, err);
	return rc;
}

static int store_open(const struct sink_params *params, void **ret_state, struct enrg_error *err)
{
	struct store_sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	sink->params = params;
	int rc = start_store(sink, err);
	if (rc < 0) {
		sink->state = NULL;
		store_close(sink);
		return rc;
	}
	*ret_state = sink;
	return 0;
}

/* One target for all tables of the file: they have one schema and go to one file. */
static int open_target(struct store_sink *sink, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct enrg_target target = {
		.source = batch ? batch->source : "",
		.run = batch ? batch->run : "",
		.tag = "",
		.section = sink->section,
		.schema = sink->params->schema,
		.acquired_ns = batch ? batch->acquired_ns : 0,
	};

	if (sink->has_target)
		return 0;
	int rc = sink->type->target_open(sink->state, &target, &sink->target, err);
	sink->has_target = rc == 0;
	return rc;
}

static int commit(struct store_sink *sink, struct enrg_error *err)
{
	int rc = sink->type->commit ? sink->type->commit(sink->state, err) : 0;

	if (rc < 0)
		return rc;
	store_commit_alone(sink->store);
	sink->written_bytes = 0;
	return 0;
}

static int store_write(void *state, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct store_sink *sink = state;
	uint64_t enough = sink->store->commit_bytes > COMMIT_BYTES ? sink->store->commit_bytes : COMMIT_BYTES;
	struct enrg_batch own = *batch;

	own.tag = "";
	int rc = open_target(sink, batch, err);
	if (rc == 0)
		rc = sink->type->write(sink->state, sink->target, &own, err);
	sink->written_bytes += batch->body_bytes;
	return rc == 0 && sink->written_bytes >= enough ? commit(sink, err) : rc;
}

static int store_finish(void *state, struct enrg_error *err)
{
	struct store_sink *sink = state;
	int rc = open_target(sink, NULL, err);

	if (rc == 0)
		rc = commit(sink, err);
	if (rc < 0)
		return rc;
	rc = sink->type->target_close(sink->state, sink->target, false, err);
	sink->has_target = false;
	int last = sink->type->close(sink->state, false, rc < 0 ? NULL : err);
	sink->state = NULL;
	/* Trailers that were written at the close. */
	if (rc == 0 && last == 0)
		store_commit_alone(sink->store);
	return rc < 0 ? rc : last;
}

const struct sink_type sink_store = {store_open, store_write, store_finish, store_close};
