/* harness.c: see the header. In the test process, or in a child that gets killed. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "arrow/ipc.h"
#include "data.h"
#include "enrgdaq/store_runner.h"

#define TARGETS_MAX 16u

struct harness_target {
	struct harness_table table;
	char *keys; /* of its section */
	uint32_t number;
};

struct harness {
	const struct store_kind *kind;
	struct enrg_store_runner *runner;
	char journal_path[4096], run[32];
	uint64_t sequence;
	struct harness *next_dead;
	unsigned target_count;
	struct harness_target targets[TARGETS_MAX];
};

static void forget_targets(struct harness *harness)
{
	for (unsigned i = 0; i < harness->target_count; i++)
		free(harness->targets[i].keys);
	harness->target_count = 0;
}

static void free_harness(struct harness *harness)
{
	forget_targets(harness);
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
	struct harness *harness = calloc(1, sizeof(*harness));
	char module[4096];
	const struct enrg_store_runner_params params = {.size = sizeof(params),
		.module = module,
		.type = kind->type,
		.journal = journal_path,
		.out_dir = kind->has_out_dir ? out_dir : NULL,
		.keys = kind->store_keys};

	harness->kind = kind;
	snprintf(harness->journal_path, sizeof(harness->journal_path), "%s", journal_path);
	if (strchr(kind->module, '/'))
		snprintf(module, sizeof(module), "%s", kind->module);
	else
		snprintf(module, sizeof(module), "%s/modules/%s.so", ENRG_BINARY_DIR, kind->module);
	choose_run(journal_path, harness->run);
	int rc = enrg_store_runner_open(&params, &harness->runner, err);
	if (rc < 0) {
		free_harness(harness);
		return rc;
	}
	harness->sequence = enrg_store_runner_get_mark(harness->runner).sequence;
	*ret_harness = harness;
	return 0;
}

static int find_target(struct harness *harness, const struct harness_table *table, uint64_t acquired_ns,
	uint32_t *ret_number, struct enrg_error *err)
{
	const char *keys = harness->kind->section_keys ? harness->kind->section_keys : "";
	struct harness_target *target = harness->targets;

	for (; target < harness->targets + harness->target_count; target++) {
		*ret_number = target->number;
		if (memcmp(&target->table, table, sizeof(*table)) == 0)
			return 0;
	}
	if (harness->target_count == TARGETS_MAX)
		return enrg_error_set(err, -ENOSPC, "too many targets");
	target->table = *table;
	if (asprintf(&target->keys, "%s\n%s\n", keys, table->more_keys ? table->more_keys : "") < 0)
		abort();
	const struct enrg_store_table opened = {.source = table->source,
		.run = harness->run,
		.tag = table->tag,
		.schema = table->schema,
		.section_keys = target->keys,
		.acquired_ns = acquired_ns};
	int rc = enrg_store_runner_open_table(harness->runner, &opened, ret_number, err);
	if (rc < 0) {
		free(target->keys);
		return rc;
	}
	target->number = *ret_number;
	harness->target_count++;
	return 0;
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
	uint32_t number;
	int rc = find_target(harness, table, time_ns, &number, err);

	if (rc == 0)
		rc = ipc_decode_batch(table->schema, message, bytes, views, &batch, err);
	if (rc == 0)
		rc = enrg_store_runner_write(harness->runner, number, &batch, err);
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
	uint32_t number;
	int rc = find_target(harness, table, HARNESS_DAY_NS, &number, err);

	own.source = table->source;
	own.run = harness->run;
	own.tag = table->tag;
	own.schema = table->schema;
	own.sequence = ++harness->sequence;
	own.epoch = 1;
	own.acquired_ns = HARNESS_DAY_NS;
	return rc < 0 ? rc : enrg_store_runner_write(harness->runner, number, &own, err);
}

int harness_write_gap(struct harness *harness, const struct harness_table *table, struct enrg_error *err)
{
	return write_message(harness, table, (struct data_rows){.is_gap = true}, err);
}

int harness_commit_half(struct harness *harness, struct enrg_error *err)
{
	return enrg_store_runner_commit_half(harness->runner, err);
}

int harness_commit(struct harness *harness, uint64_t position, struct enrg_error *err)
{
	return enrg_store_runner_commit(harness->runner, &(struct enrg_store_mark){position, harness->sequence}, err);
}

int harness_pass_boundary(struct harness *harness, const char *run, uint64_t position, struct enrg_error *err)
{
	int rc = enrg_store_runner_end_run(harness->runner, &(struct enrg_store_mark){position, 0}, err);

	if (rc <= 0)
		forget_targets(harness);
	snprintf(harness->run, sizeof(harness->run), "%s", run);
	note_run(harness->journal_path, run);
	harness->sequence = 0;
	return rc < 0 ? rc : 0;
}

int harness_watch(struct harness *harness)
{
	return enrg_store_runner_watch(harness->runner);
}

int harness_tick(struct harness *harness, struct enrg_error *err)
{
	return enrg_store_runner_tick(harness->runner, 1, err);
}

uint64_t harness_position(const struct harness *harness)
{
	return enrg_store_runner_get_mark(harness->runner).position;
}

int harness_roll_back(struct harness *harness, struct enrg_error *err)
{
	forget_targets(harness);
	int rc = enrg_store_runner_roll_back(harness->runner, err);
	harness->sequence = enrg_store_runner_get_mark(harness->runner).sequence;
	return rc;
}

int harness_close(struct harness *harness, struct enrg_error *err)
{
	int rc = enrg_store_runner_close(harness->runner, err);

	free_harness(harness);
	return rc;
}

void harness_kill(struct harness *harness)
{
	/* What its store may still point to stays reachable. */
	static struct harness *dead;

	if (harness->kind->is_database) /* the kernel would end its connection, and with it its locks */
		enrg_store_runner_abandon(harness->runner);
	else
		enrg_store_runner_kill(harness->runner);
	harness->next_dead = dead;
	dead = harness;
}
