/* store_runner.c: a store type from its options to its close, in the process of a test, a tool or `enrgdaq convert`. */
#include "enrgdaq/store_runner.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/folder.h"
#include "handover/leftover.h"
#include "job/file/handle.h"
#include "job/file/watch.h"

#define COMMIT_BYTES (8u << 20)

static const uint8_t stream_uuid[16] = "store_runner";

struct enrg_store_runner {
	struct types *types;
	const struct enrg_store_type *type;
	struct options_memory *memory;
	struct enrg_store *store;
	void *options, *state; /* state NULL: the type is not open */
	uint32_t stream;
	uint64_t written_bytes; /* since the last commit */
	uint32_t table_count;
	void **tables; /* handles of the type */
	struct enrg_store_runner *next_dead;
};

static int tell_problems(struct problems *problems, int rc, struct enrg_error *err)
{
	if (rc < 0 && problems->count)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%s", problems->items[0].text);
	else if (rc < 0)
		enrg_error_set(err, rc, "the store does not take its options");
	problems_fini(problems);
	return rc;
}

/* The store's own file, in malloc'ed memory; NULL: out of memory. */
static char *format_file(const char *type, const struct enrg_store_runner_params *params)
{
	size_t count = params->out_dir ? strlen(params->out_dir) : 0;
	char *quoted = malloc(6 * count + 1), *toml = NULL;

	if (quoted) {
		text_format_json(params->out_dir ? params->out_dir : "", count, quoted, 6 * count + 1);
		if (asprintf(&toml, "daq_job_type = \"%s\"\n%s%s%s\n%s\n", type, params->out_dir ? "out_dir = \"" : "",
			    quoted, params->out_dir ? "\"" : "", params->keys ? params->keys : "") < 0)
			toml = NULL;
	}
	free(quoted);
	return toml;
}

static int fill_options(struct enrg_store_runner *runner, const struct type_entry *entry,
	const struct enrg_store_runner_params *params, struct enrg_error *err)
{
	char *toml = format_file(entry->name, params);
	struct problems problems;
	struct job_common common;

	if (!toml)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	problems_init(&problems);
	int rc = folder_fill_job(entry, &(struct folder_file){"the store's file", toml}, &common, &runner->options,
		runner->memory, &problems);
	free(toml);
	return tell_problems(&problems, rc, err);
}

static void warn(void *context, const char *sentence)
{
	(void)context;
	log_line(ENRG_WARNING, "%s", sentence);
}

static int load_type(struct enrg_store_runner *runner, const struct enrg_store_runner_params *params,
	const struct type_entry **ret_entry, struct enrg_error *err)
{
	const struct type_entry *entry;
	int rc = params->module ? types_load_one(params->module, &runner->types, err)
				: types_load(&runner->types, warn, NULL, err);

	if (rc < 0)
		return rc;
	entry = params->type ? types_find(runner->types, params->type, &(bool){false})
			     : types_find_section(runner->types, params->section);
	if ((!entry || !entry->store) && params->module)
		return enrg_error_set(err, ENRG_E_PLUGIN, "%s has no store %s", params->module,
			params->type ? params->type : params->section);
	if (!entry || !entry->store)
		return enrg_error_set(err, ENRG_E_PLUGIN,
			"no module for \"%s\" is here: it was left out of this build, or ENRGDAQ_MODULE_PATH does not "
			"name its folder",
			params->type ? params->type : params->section);
	runner->type = entry->store;
	*ret_entry = entry;
	return 0;
}

static int start(
	struct enrg_store_runner *runner, const struct enrg_store_runner_params *params, struct enrg_error *err)
{
	const struct type_entry *entry = NULL;
	int rc = load_type(runner, params, &entry, err);

	runner->memory = options_memory_create();
	if (rc == 0 && !runner->memory)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = fill_options(runner, entry, params, err);
	if (rc == 0)
		rc = store_create_alone("store", params->journal, &runner->store, err);
	if (rc < 0)
		return rc;
	leftover_cut(runner->store->journal);
	rc = journal_add_stream(runner->store->journal, stream_uuid, "source", &runner->stream, err);
	return rc < 0 ? rc : runner->type->open(runner->store, runner->options, &runner->state, err);
}

static void release(struct enrg_store_runner *runner)
{
	store_destroy_alone(runner->store);
	if (runner->memory)
		options_memory_destroy(runner->memory);
	if (runner->types)
		types_free(runner->types);
	free(runner->tables);
	free(runner);
}

int enrg_store_runner_open(
	const struct enrg_store_runner_params *params, struct enrg_store_runner **ret_runner, struct enrg_error *err)
{
	struct enrg_store_runner *runner;

	if (params->size < sizeof(*params) || !params->journal || (!params->type && !params->section))
		return enrg_error_set(err, -EINVAL, "a store runner needs a journal, and a type or a section");
	runner = calloc(1, sizeof(*runner));
	if (!runner)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = start(runner, params, err);
	if (rc < 0) {
		release(runner);
		return rc;
	}
	*ret_runner = runner;
	return 0;
}

int enrg_store_runner_add_run(struct enrg_store_runner *runner, const struct enrg_run_info *run, struct enrg_error *err)
{
	json_t *json = run_info_format(run);

	if (!json)
		return enrg_error_set(err, -ENOMEM, "out of memory, or what is said of the run is not UTF-8 text");
	json_object_set_new(json, "config", json_string(run->config));
	run_info_add(&runner->store->files.chronicle.info, json);
	return 0;
}

static int fill_section(struct enrg_store_runner *runner, const char *keys, void **ret_section, struct enrg_error *err)
{
	struct problems problems;
	char *toml;

	if (asprintf(&toml, "[store_config.%s]\n%s\n", runner->type->section, keys ? keys : "") < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	problems_init(&problems);
	int rc = folder_fill_section(runner->type, &(struct folder_file){"the source's file", toml}, "store_config",
		ret_section, runner->memory, &problems);
	free(toml);
	return tell_problems(&problems, rc, err);
}

int enrg_store_runner_open_table(struct enrg_store_runner *runner, const struct enrg_store_table *table,
	uint32_t *ret_table, struct enrg_error *err)
{
	struct enrg_target target = {.source = table->source,
		.run = table->run,
		.tag = table->tag,
		.schema = table->schema,
		.acquired_ns = table->acquired_ns};
	void *section, **tables = realloc(runner->tables, (runner->table_count + 1) * sizeof(*tables));

	if (!tables)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	runner->tables = tables;
	int rc = fill_section(runner, table->section_keys, &section, err);
	if (rc < 0)
		return rc;
	target.section = section;
	rc = runner->type->target_open(runner->state, &target, &tables[runner->table_count], err);
	if (rc == 0)
		*ret_table = runner->table_count++;
	return rc;
}

int enrg_store_runner_write(
	struct enrg_store_runner *runner, uint32_t table, const struct enrg_batch *batch, struct enrg_error *err)
{
	if (table >= runner->table_count)
		return enrg_error_set(err, -EINVAL, "no table %u is open", table);
	runner->written_bytes += batch->body_bytes;
	return runner->type->write(runner->state, runner->tables[table], batch, err);
}

bool enrg_store_runner_is_due(const struct enrg_store_runner *runner)
{
	uint64_t enough = runner->store->commit_bytes > COMMIT_BYTES ? runner->store->commit_bytes : COMMIT_BYTES;

	return runner->written_bytes >= enough;
}

int enrg_store_runner_commit_half(struct enrg_store_runner *runner, struct enrg_error *err)
{
	return runner->type->commit ? runner->type->commit(runner->state, err) : 0;
}

static void commit_journal(struct enrg_store_runner *runner, const struct enrg_store_mark *mark)
{
	if (mark)
		journal_set_stream(runner->store->journal, runner->stream,
			&(struct journal_stream_state){.position = mark->position, .sequence = mark->sequence});
	store_commit_alone(runner->store);
	runner->written_bytes = 0;
}

int enrg_store_runner_commit(
	struct enrg_store_runner *runner, const struct enrg_store_mark *mark, struct enrg_error *err)
{
	int rc = enrg_store_runner_commit_half(runner, err);

	if (rc == 0)
		commit_journal(runner, mark);
	return rc;
}

struct enrg_store_mark enrg_store_runner_get_mark(const struct enrg_store_runner *runner)
{
	const struct journal_stream_state state = journal_stream(runner->store->journal, runner->stream);

	return (struct enrg_store_mark){state.position, state.sequence};
}

/* Tries all; the first failure counts. */
static int close_tables(struct enrg_store_runner *runner, bool abandon, struct enrg_error *err)
{
	int first = 0;

	for (uint32_t i = 0; i < runner->table_count; i++) {
		int rc = runner->type->target_close(runner->state, runner->tables[i], abandon, first < 0 ? NULL : err);
		first = first < 0 ? first : rc;
	}
	runner->table_count = 0;
	return first;
}

static int close_type(struct enrg_store_runner *runner, bool abandon, struct enrg_error *err)
{
	int first = close_tables(runner, abandon, err);
	int rc = runner->type->close(runner->state, abandon, first < 0 ? NULL : err);

	runner->state = NULL;
	return first < 0 ? first : rc;
}

int enrg_store_runner_end_run(
	struct enrg_store_runner *runner, const struct enrg_store_mark *mark, struct enrg_error *err)
{
	int rc = runner->type->spans_runs ? 0 : close_tables(runner, false, err);

	if (rc == 0)
		rc = enrg_store_runner_commit(runner, mark, err);
	return rc < 0 ? rc : runner->type->spans_runs;
}

int enrg_store_runner_tick(struct enrg_store_runner *runner, uint64_t now_ns, struct enrg_error *err)
{
	return runner->type->tick ? runner->type->tick(runner->state, now_ns, err) : 0;
}

int enrg_store_runner_watch(struct enrg_store_runner *runner)
{
	return file_watch(&runner->store->files);
}

int enrg_store_runner_roll_back(struct enrg_store_runner *runner, struct enrg_error *err)
{
	int rc = runner->state ? close_type(runner, true, err) : 0;

	if (rc == 0)
		rc = store_roll_back_alone(runner->store, err);
	return rc < 0 ? rc : runner->type->open(runner->store, runner->options, &runner->state, err);
}

int enrg_store_runner_close(struct enrg_store_runner *runner, struct enrg_error *err)
{
	int rc = runner->state ? close_type(runner, false, err) : 0;

	if (rc == 0)
		commit_journal(runner, NULL); /* trailers of files are part of what is kept */
	release(runner);
	return rc;
}

void enrg_store_runner_abandon(struct enrg_store_runner *runner)
{
	if (!runner)
		return;
	if (runner->state)
		close_type(runner, true, NULL);
	release(runner);
}

void enrg_store_runner_kill(struct enrg_store_runner *runner)
{
	/* What the store had in memory stays reachable, so that it does not count as a leak. */
	static struct enrg_store_runner *dead;

	store_destroy_alone(runner->store);
	runner->store = NULL;
	runner->next_dead = dead;
	dead = runner;
}
