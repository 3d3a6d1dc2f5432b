/* redis_store.c: how fast is the store for Redis against redis-benchmark, which sends one command again and again? Same
 * server, of this program's own, same command, same values, as many commands in flight; the store is the module itself.
 */
#include <errno.h>
#include <hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "base/log.h"
#include "benchmark/compare.h"
#include "servers/server.h"

#define VALUES_MAX 1000u
#define BLOB_BYTES 75000u /* 100,000 in base64: an image of a camera */
#define PART_BYTES 7500u
#define LINE_BYTES 120000u /* a command of redis-benchmark */

static const char help[] =
	"Batches a second of DAQJobStoreRedis, divided by the commands a second of redis-benchmark with\n"
	"one connection, the same values, and as many commands in flight (-P) as the store has batches\n"
	"in a commit. The server keeps nothing on disk, so that its own work is least. Batches of one\n"
	"number against RPUSH of one, batches of 1,000 numbers against RPUSH of 1,000, blobs with 16 tags\n"
	"against SET of 16 keys with 10,000 and 100,000 bytes of base64. What a commit holds of a table\n"
	"the store sends as one RPUSH a column, and MULTI, HSET, EXEC and WATCH beside it.";

static const struct enrg_column column = {.name = "v", .type = ENRG_F64};
static const struct enrg_schema numbers = {.column_count = 1, .columns = &column};

struct trial {
	struct server *server;
	const struct enrg_schema *schema;
	uint64_t rows;             /* of a batch */
	unsigned tags;             /* each a key of its own */
	unsigned batches, commits; /* batches of a commit */
	struct enrg_column_view view;
	char store_keys[100];
	struct store_kind kind;
	char *command; /* for redis-benchmark */
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int clear_server(const struct server *server)
{
	redisContext *redis = redisConnect("127.0.0.1", (int)server->port);
	redisReply *reply = redis && !redis->err ? redisCommand(redis, "FLUSHALL SYNC") : NULL;
	int is_good = reply && reply->type == REDIS_REPLY_STATUS;

	freeReplyObject(reply);
	redisFree(redis);
	return is_good;
}

/* --- both sides --------------------------------------------------------------------------------------------------- */

static int measure_limit(void *context, double *ret_figures, struct enrg_error *err)
{
	struct trial *trial = context;
	char line[LINE_BYTES + 200], answer[LINE_BYTES];
	double rate = 0;

	clear_server(trial->server);
	snprintf(line, sizeof(line), "redis-benchmark -p %u -c 1 -P %u -n %u -r %u --csv %s", trial->server->port,
		trial->batches, trial->batches * trial->commits, trial->tags, trial->command);
	FILE *pipe = popen(line, "re");
	while (pipe && fgets(answer, sizeof(answer), pipe)) {
		const char *figures = strstr(answer, "\",\"");
		if (figures && strtod(figures + 3, NULL) > 0)
			rate = strtod(figures + 3, NULL);
	}
	if (!pipe || pclose(pipe) != 0 || rate <= 0)
		return enrg_error_set(err, -ECHILD, "redis-benchmark failed; is the package redis-tools installed?");
	ret_figures[0] = rate / 1e3;
	return 0;
}

static int write_batches(struct harness *life, struct trial *trial, unsigned count, struct enrg_error *err)
{
	static const char *const tags[] = {
		"", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"};
	const struct enrg_batch batch = {.rows = trial->rows, .columns = &trial->view};
	int rc = 0;

	for (unsigned i = 0; i < count && rc == 0; i++) {
		const struct harness_table table = {
			.source = "bench", .tag = tags[i % trial->tags], .schema = trial->schema, .more_keys = NULL};
		rc = harness_write_batch(life, &table, &batch, err);
	}
	return rc;
}

static int write_all(struct harness *life, struct trial *trial, double *ret_figures, struct enrg_error *err)
{
	int rc = write_batches(life, trial, trial->tags, err); /* connects */

	if (rc == 0)
		rc = harness_commit(life, 1, err);
	double began = now();
	for (unsigned i = 0; i < trial->commits && rc == 0; i++) {
		rc = write_batches(life, trial, trial->batches, err);
		if (rc == 0)
			rc = harness_commit(life, i + 2, err);
	}
	ret_figures[0] = (double)trial->batches * trial->commits / (now() - began) / 1e3;
	return rc;
}

static int measure_store(void *context, double *ret_figures, struct enrg_error *err)
{
	struct trial *trial = context;
	char journal[100];
	struct harness *life;

	clear_server(trial->server);
	snprintf(journal, sizeof(journal), "%s/journal", trial->server->folder);
	unlink(journal);
	int rc = harness_open(&trial->kind, journal, trial->server->folder, &life, err);
	if (rc < 0)
		return rc;
	rc = write_all(life, trial, ret_figures, err);
	if (rc == 0)
		return harness_close(life, err);
	harness_kill(life);
	return rc;
}

/* --- trials ------------------------------------------------------------------------------------------------------- */

/* Numbers of nine digits, none of which the shortest text would leave out. */
static char *format_push(double *values, uint64_t count)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	if (!out)
		return NULL;
	fputs("RPUSH k.v", out);
	for (uint64_t i = 0; i < count; i++) {
		unsigned micro = 100000000u + (unsigned)(rand() % 89999999) * 10u + 1u + (unsigned)(rand() % 9);
		values[i] = micro / 1e6;
		fprintf(out, " %u.%06u", micro / 1000000u, micro % 1000000u);
	}
	return fclose(out) == 0 ? text : NULL;
}

/* redis-benchmark puts a number below that of -r in: as many keys as the store has tags. */
static char *format_set(size_t bytes)
{
	static const char head[] = "SET k.__rand_int__ ";
	size_t length = bytes / 3 * 4;
	char *text = malloc(sizeof(head) + length);

	if (!text)
		return NULL;
	memcpy(text, head, sizeof(head));
	memset(text + sizeof(head) - 1, 'x', length);
	text[sizeof(head) - 1 + length] = '\0';
	return text;
}

static int run_trial(
	const struct compare *compare, struct trial *trial, const struct compare_metric *metric, struct enrg_error *err)
{
	struct compare own = *compare;

	own.metrics = metric;
	own.context = trial;
	trial->kind = (struct store_kind){.module = "redis",
		.type = "DAQJobStoreRedis",
		.store_keys = trial->store_keys,
		.section_keys = "key = \"k\"",
		.is_database = true};
	snprintf(
		trial->store_keys, sizeof(trial->store_keys), "host = \"127.0.0.1\"\nport = %u\n", trial->server->port);
	int rc = trial->command ? compare_run(&own, err) : enrg_error_set(err, -ENOMEM, "out of memory");
	free(trial->command);
	return rc;
}

static int run_all(const struct compare *compare, struct server *server, struct enrg_error *err)
{
	static const struct compare_metric metrics[] = {
		{"redis, batches of 1 number, 128 a commit, of redis-benchmark -P 128", "kbatches/s", 0.80, false},
		{"redis, batches of 1,000 numbers, 16 a commit, of redis-benchmark -P 16", "kbatches/s", 0.80, false},
		{"redis, 16 blobs of 7,500 bytes a commit, of redis-benchmark -P 16", "kblobs/s", 0.80, false},
		{"redis, 16 blobs of 75,000 bytes a commit, of redis-benchmark -P 16", "kblobs/s", 0.80, false}};
	static double values[VALUES_MAX];
	static char blob[BLOB_BYTES];
	static const int32_t whole[2] = {0, BLOB_BYTES}, part[2] = {0, PART_BYTES};
	const struct enrg_column_view plain = {.values = values, .value_count = VALUES_MAX};
	struct trial trials[] = {{server, &numbers, 1, 1, 128, 1000, plain, "", {0}, format_push(values, 1)},
		{server, &numbers, VALUES_MAX, 1, 16, 200, plain, "", {0}, format_push(values, VALUES_MAX)},
		{server, enrg_schema_blob(), 1, 16, 16, 1000,
			{.values = blob, .offsets = part, .value_count = PART_BYTES}, "", {0}, format_set(PART_BYTES)},
		{server, enrg_schema_blob(), 1, 16, 16, 200,
			{.values = blob, .offsets = whole, .value_count = BLOB_BYTES}, "", {0},
			format_set(BLOB_BYTES)}};
	int worst = 0;

	for (unsigned i = 0; i < sizeof(trials) / sizeof(trials[0]); i++) {
		int rc = run_trial(compare, &trials[i], &metrics[i], err);
		if (rc < 0)
			return rc;
		worst = rc > worst ? rc : worst;
	}
	return worst;
}

int main(int argc, char **argv)
{
	/* The server's program comes with the client's package as well, and goes by its name. */
	static const char *const run[] = {"bash", "-c",
		"exec -a redis-server \"$(command -v redis-check-rdb || command -v redis-server)\" \"$@\"", "server",
		"--port", "PORT", "--bind", "127.0.0.1", "--dir", "FOLDER", "--save", "", "--appendonly", "no", NULL};
	const struct compare compare = {.rounds = compare_parse(argc, argv, help),
		.metric_count = 1,
		.limit = measure_limit,
		.value = measure_store};
	struct enrg_error err = {0};
	struct server server;

	log_init("bench", ENRG_ERROR);
	int code = server_init(&server, &err);
	if (code == 0)
		code = server_start(&server, run, &err);
	if (code == 0)
		code = server_wait(&server, clear_server, &err);
	if (code == 0)
		code = run_all(&compare, &server, &err);
	server_fini(&server);
	return compare_exit(code, &err);
}
