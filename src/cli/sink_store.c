/* sink_store.c: drives the type of a store as the process of its job would, so that no format is written twice. In
 * `enrgdaq convert`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/sink.h"
#include "enrgdaq/store_runner.h"

struct store_sink {
	const struct sink_params *params;
	struct enrg_store_runner *runner;
	uint32_t table;
	bool has_table;
};

char *sink_quote(const char *text)
{
	size_t count = strlen(text);
	char *quoted = malloc(6 * count + 3);

	if (!quoted)
		return NULL;
	quoted[0] = '"';
	size_t length = text_format_json(text, count, quoted + 1, 6 * count + 1);
	memcpy(quoted + 1 + length, "\"", 2);
	return quoted;
}

static void store_close(void *state)
{
	struct store_sink *sink = state;

	if (!sink)
		return;
	enrg_store_runner_abandon(sink->runner);
	free(sink);
}

static int store_open(const struct sink_params *params, void **ret_state, struct enrg_error *err)
{
	struct store_sink *sink = calloc(1, sizeof(*sink));
	const struct enrg_store_runner_params store = {.size = sizeof(store),
		.section = params->section,
		.journal = params->journal_path,
		.out_dir = params->folder,
		.keys = params->store_keys};

	if (!sink)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	sink->params = params;
	int rc = enrg_store_runner_open(&store, &sink->runner, err);
	if (rc == 0 && params->run)
		rc = enrg_store_runner_add_run(sink->runner, params->run, err);
	if (rc < 0) {
		store_close(sink);
		return rc;
	}
	*ret_state = sink;
	return 0;
}

/* Batches that do not say it are of the run that the file was begun in. */
static const char *run_of(const struct store_sink *sink, const struct enrg_batch *batch)
{
	if (batch && batch->run && *batch->run)
		return batch->run;
	return sink->params->run ? sink->params->run->run : "";
}

/* One table for all of the file: they have one schema and go to one file. */
static int open_table(struct store_sink *sink, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct enrg_store_table table = {
		.source = batch ? batch->source : "",
		.run = run_of(sink, batch),
		.tag = "",
		.schema = sink->params->schema,
		.section_keys = sink->params->section_keys,
		.acquired_ns = batch ? batch->acquired_ns : 0,
	};

	if (sink->has_table)
		return 0;
	int rc = enrg_store_runner_open_table(sink->runner, &table, &sink->table, err);
	sink->has_table = rc == 0;
	return rc;
}

static int store_write(void *state, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct store_sink *sink = state;
	struct enrg_batch own = *batch;

	own.tag = "";
	own.run = run_of(sink, batch);
	int rc = open_table(sink, batch, err);
	if (rc == 0)
		rc = enrg_store_runner_write(sink->runner, sink->table, &own, err);
	if (rc == 0 && enrg_store_runner_is_due(sink->runner))
		rc = enrg_store_runner_commit(sink->runner, NULL, err);
	return rc;
}

static int store_finish(void *state, struct enrg_error *err)
{
	struct store_sink *sink = state;
	int rc = open_table(sink, NULL, err);

	if (rc == 0)
		rc = enrg_store_runner_commit(sink->runner, NULL, err);
	if (rc < 0)
		return rc;
	rc = enrg_store_runner_close(sink->runner, err);
	sink->runner = NULL;
	return rc;
}

const struct sink_type sink_store = {store_open, store_write, store_finish, store_close};
