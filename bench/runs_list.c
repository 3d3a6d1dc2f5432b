/* runs_list.c: how long do lists and searches of the run book take with many runs? bench_runs_list [RUNS] [FOLDER]. The
 * database is closed and opened anew before each question, as `enrgdaq runs` does; the process is not started anew,
 * which costs some ms more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "runs/enter.h"
#include "runs/reader.h"

#define TRIES    7
#define BEGAN_NS 1700000000000000000ll
#define EVERY_NS 600000000000ll /* a run each ten minutes: two years of them are 100,000 */

static const char *const words[] = {"beam", "target", "muon", "cosmic", "pedestal", "threshold", "pulser", "trigger",
	"magnet", "night", "shift", "calibrated", "unstable", "reference", "background", "source"};

static void fail(const struct enrg_error *err)
{
	fprintf(stderr, "bench_runs_list: %s\n", err->text);
	exit(1);
}

static void enter(
	const struct enter_context *context, const char *kind, const char *uuid, int64_t wall_ns, json_t *body)
{
	struct enrg_error err = {0};
	struct entry entry;
	json_t *json = entry_make(kind, uuid, "daq", body);

	json_object_set_new(json, "wall_ns", json_integer(wall_ns));
	if (entry_parse_json(json, &entry, &err) || enter_entry(context, &entry, &err) < 0)
		fail(&err);
	entry_fini(&entry);
	json_decref(json);
}

static void enter_run(const struct enter_context *context, unsigned i, const char *config)
{
	int64_t began_ns = BEGAN_NS + i * EVERY_NS;
	char uuid[ENTRY_UUID_BYTES], text[200], run[64];

	snprintf(uuid, sizeof(uuid), "%08x-0000-8000-8000-000000000000", i);
	snprintf(run, sizeof(run), "20231114T221320Z-%04x", i & 0xffff);
	snprintf(text, sizeof(text), "%s %s, %s %s at %u mV%s", words[i % 16], words[i / 16 % 16], words[i / 256 % 16],
		words[i * 7 % 16], i % 997, i % 10007 == 5000 ? ", cryostat refilled" : "");
	enter(context, "begin", uuid, began_ns,
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:s}", "number", (int)i, "run", run, "supervisor", "lab1",
			"type", i % 20 ? "physics" : "calibration", "description", text, "wall_ns",
			(json_int_t)began_ns, "config", config));
	enter(context, "state", uuid, began_ns,
		json_pack("{s:s, s:s}", "state", "running", "reason", "it was asked for"));
	enter(context, "file", uuid, began_ns,
		json_pack("{s:s, s:s, s:s, s:i, s:i, s:s}", "event", "hashed", "path", run, "store", "arrow", "bytes",
			1000000, "rows", 1000, "sha256",
			"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	enter(context, "end", uuid, began_ns + EVERY_NS / 2,
		json_pack("{s:I, s:s, s:s}", "wall_ns", (json_int_t)(began_ns + EVERY_NS / 2), "quality",
			i % 100 ? "complete" : "incomplete", "reason", "its duration is over"));
}

static void fill(const char *path, const char *folder, unsigned runs)
{
	const struct database_params params = {.path = path, .network = DATABASE_LOCAL};
	struct enter_context context = {.supervisor = "lab1", .folder = folder};
	struct enrg_error err = {0};
	uint64_t began_ns = clock_mono_ns();
	char config[3000];
	struct stat status;

	memset(config, 'x', sizeof(config) - 1);
	config[sizeof(config) - 1] = '\0';
	if (database_open(&params, &context.database, &err))
		fail(&err);
	for (unsigned i = 1; i <= runs; i++) {
		if (i % 1000 == 1 && database_begin(context.database, &err))
			fail(&err);
		if (i % 5000 == 1)
			snprintf(config, 20, "config %u", i);
		enter_run(&context, i, config);
		if ((i % 1000 == 0 || i == runs) && database_commit(context.database, &err))
			fail(&err);
	}
	database_close(context.database);
	stat(path, &status);
	printf("%u runs: %.0f MB, entered in %.1f s\n", runs, (double)status.st_size / 1e6,
		(double)(clock_mono_ns() - began_ns) / 1e9);
}

static bool count(void *context, const struct reader_row *row)
{
	(void)row;
	++*(unsigned *)context;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static void ask(const char *path, const char *what, const struct reader_query *query)
{
	const struct database_params params = {.path = path, .is_reader = true};
	uint64_t spans[TRIES];
	unsigned rows = 0;

	for (int i = 0; i < TRIES; i++) {
		struct enrg_error err = {0};
		struct database *database;
		uint64_t began_ns = clock_mono_ns();
		rows = 0;
		if (database_open(&params, &database, &err) || reader_list(database, query, count, &rows, &err))
			fail(&err);
		database_close(database);
		spans[i] = clock_mono_ns() - began_ns;
	}
	qsort(spans, TRIES, sizeof(spans[0]), compare);
	printf("%-44s %6u rows  median %6.2f ms, largest %6.2f ms\n", what, rows, (double)spans[TRIES / 2] / 1e6,
		(double)spans[TRIES - 1] / 1e6);
}

int main(int argc, char **argv)
{
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
	char folder[] = "/tmp/bench-runs-XXXXXX", path[300];
	const char *where = argc > 2 ? argv[2] : mkdtemp(folder);
	int64_t middle = (BEGAN_NS + runs / 2 * EVERY_NS) / 1000;

	snprintf(path, sizeof(path), "%s/runs.sqlite", where);
	fill(path, where, runs);
	ask(path, "the newest 50", &(struct reader_query){.limit = 50});
	ask(path, "50 from the middle", &(struct reader_query){.limit = 50, .before = middle});
	ask(path, "numbers, 100 of them", &(struct reader_query){.number_from = runs / 2, .number_to = runs / 2 + 99});
	ask(path, "a rare word", &(struct reader_query){.words = "cryostat", .limit = 50});
	ask(path, "a word of every eighth run", &(struct reader_query){.words = "muon", .limit = 50});
	ask(path, "two such words", &(struct reader_query){.words = "muon pulser", .limit = 50});
	ask(path, "a part of a word in every run", &(struct reader_query){.words = "at ", .limit = 50});
	ask(path, "a word of no run", &(struct reader_query){.words = "photodiode", .limit = 50});
	ask(path, "two letters (no index)", &(struct reader_query){.words = "mV", .limit = 50});
	ask(path, "a type, and a word", &(struct reader_query){.type = "calibration", .words = "magnet", .limit = 50});
	ask(path, "a quality", &(struct reader_query){.quality = "incomplete", .limit = 50});
	ask(path, "a flag that no run has", &(struct reader_query){.flag = "tainted", .limit = 50});
	if (argc <= 2) {
		unlink(path);
		rmdir(where);
	}
	return 0;
}
