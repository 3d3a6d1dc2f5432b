/* harness.c: see the header. In the test process, or in a child that gets killed. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "config/folder.h"
#include "data.h"
#include "handover/leftover.h"
#include "job/file/watch.h"
#include "job/file/handle.h"

#define TARGETS_MAX 16u

struct harness_target {
	struct harness_table table;
	void *handle;
};

struct harness {
	const struct store_kind *kind;
	struct types *types;
	const struct enrg_store_type *type;
	struct options_memory *memory;
	struct enrg_store *store;
	void *options, *state;
	uint32_t stream;
	uint64_t sequence;
	char run[32];
	struct harness *next_dead;
	unsigned target_count;
	struct harness_target targets[TARGETS_MAX];
};

static int tell_problems(const struct problems *problems, int rc, struct enrg_error *err)
{
	return problems->count ? enrg_error_set(err, ENRG_E_CONFIG, "%s", problems->items[0].text)
			       : enrg_error_set(err, rc, "no options");
}

static int fill_store(struct harness *harness, const char *out_dir, struct enrg_error *err)
{
	const struct type_entry *entry = types_find(harness->types, harness->kind->type, &(bool){false});
	struct problems problems;
	struct job_common common;
	char toml[4096];
	int rc;

	if (!entry || !entry->store)
		return enrg_error_set(err, -ENOENT, "%s is not in %s", harness->kind->type, harness->kind->module);
	harness->type = entry->store;
	snprintf(toml, sizeof(toml), "daq_job_type = \"%s\"\n%s%s%s\n%s\n", entry->name,
		harness->kind->has_out_dir ? "out_dir = \"" : "", harness->kind->has_out_dir ? out_dir : "",
		harness->kind->has_out_dir ? "\"" : "", harness->kind->store_keys ? harness->kind->store_keys : "");
	problems_init(&problems);
	rc = folder_fill_job(entry, &(struct folder_file){"store.toml", toml}, &common, &harness->options,
		harness->memory, &problems);
	if (rc < 0)
		rc = tell_problems(&problems, rc, err);
	problems_fini(&problems);
	return rc;
}

static int fill_section(
	struct harness *harness, const struct harness_table *table, void **ret_section, struct enrg_error *err)
{
	struct problems problems;
	char toml[4096];
	int rc;

	snprintf(toml, sizeof(toml), "[store_config.%s]\n%s\n%s\n", harness->type->section,
		harness->kind->section_keys ? harness->kind->section_keys : "",
		table->more_keys ? table->more_keys : "");
	problems_init(&problems);
	rc = folder_fill_section(harness->type, &(struct folder_file){"source.toml", toml}, "store_config", ret_section,
		harness->memory, &problems);
	if (rc < 0)
		rc = tell_problems(&problems, rc, err);
	problems_fini(&problems);
	return rc;
}

static void free_harness(struct harness *harness)
{
	store_destroy_alone(harness->store);
	if (harness->memory)
		options_memory_destroy(harness->memory);
	if (harness->types)
		types_free(harness->types);
	free(harness);
}

/* The run continues from life to life, and is another one where the journal is gone. */
static void choose_run(const char *journal_path, char ret_run[32])
{
	char path[4200];
	unsigned long long number = 0;
	bool is_new = access(journal_path, F_OK) != 0;
	FILE *stream;

	snprintf(path, sizeof(path), "%s.run", journal_path);
	/* The journal is made after the name is written: a kill in between leaves no journal, and a new name. */
	stream = fopen(path, is_new ? "we" : "re");
	if (!stream || (is_new && getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)))
		abort();
	if (is_new)
		fprintf(stream, "run-%llx", number);
	else if (fscanf(stream, "%31s", ret_run) != 1)
		abort();
	fclose(stream);
	if (is_new)
		snprintf(ret_run, 32, "run-%llx", number);
}

static void note_run(const char *journal_path, const char *run)
{
	char path[4200];
	FILE *stream;

	snprintf(path, sizeof(path), "%s.run", journal_path);
	stream = fopen(path, "we");
	if (!stream)
		abort();
	fprintf(stream, "%s", run);
	fclose(stream);
}

int harness_open(const struct store_kind *kind, const char *journal_path, const char *out_dir,
	struct harness **ret_harness, struct enrg_error *err)
{
	static const uint8_t uuid[16] = "conformance";
	struct harness *harness = calloc(1, sizeof(*harness));
	char module[4096];
	int rc;

	harness->kind = kind;
	harness->memory = options_memory_create();
	if (strchr(kind->module, '/'))
		snprintf(module, sizeof(module), "%s", kind->module);
	else
		snprintf(module, sizeof(module), "%s/modules/%s.so", ENRG_BINARY_DIR, kind->module);
	rc = types_load_one(module, &harness->types, err);
	if (rc == 0)
		rc = fill_store(harness, out_dir, err);
	choose_run(journal_path, harness->run);
	if (rc == 0)
		rc = store_create_alone("store", journal_path, &harness->store, err);
	if (rc == 0)
		leftover_cut(harness->store->journal);
	if (rc == 0)
		rc = journal_add_stream(harness->store->journal, uuid, "source", &harness->stream, err);
	if (rc == 0)
		harness->sequence = journal_stream(harness->store->journal, harness->stream).sequence;
	if (rc == 0)
		rc = harness->type->open(harness->store, harness->options, &harness->state, err);
	if (rc < 0) {
		free_harness(harness);
		return rc;
	}
	*ret_harness = harness;
	return 0;
}

static int find_target(struct harness *harness, const struct harness_table *table, uint64_t acquired_ns,
	struct harness_target **ret_target, struct enrg_error *err)
{
	struct enrg_target target = {.source = table->source,
		.run = harness->run,
		.tag = table->tag,
		.schema = table->schema,
		.acquired_ns = acquired_ns};
	void *section;
	int rc;

	for (unsigned i = 0; i < harness->target_count; i++) {
		*ret_target = &harness->targets[i];
		if (memcmp(&(*ret_target)->table, table, sizeof(*table)) == 0)
			return 0;
	}
	if (harness->target_count == TARGETS_MAX)
		return enrg_error_set(err, -ENOSPC, "too many targets");
	rc = fill_section(harness, table, &section, err);
	if (rc < 0)
		return rc;
	target.section = section;
	*ret_target = &harness->targets[harness->target_count];
	(*ret_target)->table = *table;
	rc = harness->type->target_open(harness->state, &target, &(*ret_target)->handle, err);
	if (rc == 0)
		harness->target_count++;
	return rc;
}

/* Takes the message. */
static int hand_over(struct harness *harness, const struct harness_table *table, void *message, size_t bytes,
	uint64_t time_ns, struct enrg_error *err)
{
	struct enrg_column_view views[64];
	struct enrg_batch batch = {.source = table->source,
		.run = harness->run,
		.tag = table->tag,
		.schema = table->schema,
		.columns = views,
		.committed_ns = 1};
	struct harness_target *target;
	int rc = find_target(harness, table, time_ns, &target, err);

	if (rc == 0)
		rc = ipc_decode_batch(table->schema, message, bytes, views, &batch, err);
	if (rc == 0)
		rc = harness->type->write(harness->state, target->handle, &batch, err);
	/* A store that kept a pointer into the ring would find other bytes there later. */
	memset(message, 0xA5, bytes);
	free(message);
	return rc;
}

/* `rows`: which ones, of when (0 = the day of the harness), or a gap. */
static int write_message(
	struct harness *harness, const struct harness_table *table, struct data_rows rows, struct enrg_error *err)
{
	size_t bytes;

	rows.schema = table->schema;
	rows.source = table->source;
	rows.tag = table->tag;
	rows.sequence = ++harness->sequence;
	rows.acquired_ns = rows.acquired_ns ? rows.acquired_ns : HARNESS_DAY_NS;
	void *message = data_build_message(&rows, &bytes);
	return hand_over(harness, table, message, bytes, rows.acquired_ns, err);
}

int harness_write_blob(struct harness *harness, const struct harness_table *table, size_t count, struct enrg_error *err)
{
	size_t bytes;
	void *message = data_build_blob(table->source, ++harness->sequence, count, HARNESS_DAY_NS, &bytes);

	return hand_over(harness, table, message, bytes, HARNESS_DAY_NS, err);
}

int harness_write(struct harness *harness, const struct harness_table *table, uint64_t first, uint64_t count,
	uint64_t acquired_ns, struct enrg_error *err)
{
	return write_message(
		harness, table, (struct data_rows){.first = first, .count = count, .acquired_ns = acquired_ns}, err);
}

int harness_write_batch(struct harness *harness, const struct harness_table *table, const struct enrg_batch *batch,
	struct enrg_error *err)
{
	struct enrg_batch own = *batch;
	struct harness_target *target;
	int rc = find_target(harness, table, HARNESS_DAY_NS, &target, err);

	own.source = table->source;
	own.run = harness->run;
	own.tag = table->tag;
	own.schema = table->schema;
	own.sequence = ++harness->sequence;
	own.epoch = 1;
	own.acquired_ns = HARNESS_DAY_NS;
	return rc < 0 ? rc : harness->type->write(harness->state, target->handle, &own, err);
}

int harness_write_gap(struct harness *harness, const struct harness_table *table, struct enrg_error *err)
{
	return write_message(harness, table, (struct data_rows){.is_gap = true}, err);
}

int harness_commit_half(struct harness *harness, struct enrg_error *err)
{
	return harness->type->commit ? harness->type->commit(harness->state, err) : 0;
}

int harness_commit(struct harness *harness, uint64_t position, struct enrg_error *err)
{
	struct journal_stream_state state = {.position = position, .sequence = harness->sequence};
	int rc = harness_commit_half(harness, err);

	if (rc < 0)
		return rc;
	journal_set_stream(harness->store->journal, harness->stream, &state);
	store_commit_alone(harness->store);
	return 0;
}

int harness_pass_boundary(struct harness *harness, const char *run, uint64_t position, struct enrg_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < harness->target_count && !harness->type->spans_runs && rc == 0; i++)
		rc = harness->type->target_close(harness->state, harness->targets[i].handle, false, err);
	if (!harness->type->spans_runs)
		harness->target_count = 0;
	snprintf(harness->run, sizeof(harness->run), "%s", run);
	note_run(journal_get_path(harness->store->journal), run);
	harness->sequence = 0;
	return rc < 0 ? rc : harness_commit(harness, position, err);
}

int harness_watch(struct harness *harness)
{
	return file_watch(&harness->store->files);
}

int harness_tick(struct harness *harness, struct enrg_error *err)
{
	return harness->type->tick ? harness->type->tick(harness->state, 1, err) : 0;
}

uint64_t harness_position(const struct harness *harness)
{
	return journal_stream(harness->store->journal, harness->stream).position;
}

static int close_type(struct harness *harness, bool abandon, struct enrg_error *err)
{
	int rc = 0, first = 0;

	for (unsigned i = 0; i < harness->target_count; i++) {
		rc = harness->type->target_close(harness->state, harness->targets[i].handle, abandon, err);
		first = first < 0 ? first : rc;
	}
	harness->target_count = 0;
	rc = harness->type->close(harness->state, abandon, err);
	harness->state = NULL;
	return first < 0 ? first : rc;
}

int harness_roll_back(struct harness *harness, struct enrg_error *err)
{
	int rc = close_type(harness, true, err);

	if (rc == 0)
		rc = store_roll_back_alone(harness->store, err);
	harness->sequence = journal_stream(harness->store->journal, harness->stream).sequence;
	return rc < 0 ? rc : harness->type->open(harness->store, harness->options, &harness->state, err);
}

int harness_close(struct harness *harness, struct enrg_error *err)
{
	int rc = close_type(harness, false, err);

	if (rc == 0)
		store_commit_alone(harness->store); /* trailers of files are part of what is kept */
	free_harness(harness);
	return rc;
}

void harness_kill(struct harness *harness)
{
	/* What the store had in memory stays reachable, so that it does not count as a leak. */
	static struct harness *dead;

	if (harness->kind->is_database) /* the kernel would end its connection, and with it its locks */
		close_type(harness, true, NULL);
	store_destroy_alone(harness->store);
	harness->store = NULL;
	harness->next_dead = dead;
	dead = harness;
}
