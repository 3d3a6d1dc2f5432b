/* everywhere.c: see the header. */
#include "everywhere.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../conformance/data.h"
#include "../kills/tracer.h"

#define ROUNDS    4u
#define ROWS      3u /* of a round */
#define CALLS_MAX 1000u

static const struct store_kind *kind;
static char keys[100], journal_path[300];

static int live(void *context)
{
	const struct harness_table table = {
		.source = "everywhere", .tag = "", .schema = &data_narrow, .more_keys = keys};
	struct enrg_error why = {0};
	struct harness *harness;
	int rc = harness_open(kind, journal_path, "/tmp", &harness, &why);

	(void)context;
	for (uint64_t round = rc == 0 ? harness_position(harness) : ROUNDS; round < ROUNDS && rc == 0; round++) {
		rc = harness_write(harness, &table, round * ROWS, ROWS, 0, &why);
		if (rc == 0)
			rc = harness_commit(harness, round + 1, &why);
	}
	if (rc == 0)
		rc = harness_close(harness, &why);
	if (rc < 0)
		fprintf(stderr, "%s\n", why.text);
	return rc < 0;
}

static void begin(const char *key, unsigned number)
{
	char run_path[320];

	snprintf(keys, sizeof(keys), "%s = \"k%u\"", key, number);
	snprintf(run_path, sizeof(run_path), "%s.run", journal_path);
	unlink(run_path);
	unlink(journal_path);
}

void everywhere_kill(const struct store_kind *new_kind, const char *key, void (*check)(unsigned number))
{
	const char *folder = getenv("TMPDIR");
	struct tracer_aim aim = {TRACER_NEVER, false};
	struct tracer_end end;
	unsigned calls;

	kind = new_kind;
	snprintf(journal_path, sizeof(journal_path), "%.200s/enrg-everywhere.%d", folder ? folder : "/tmp", getpid());
	begin(key, 0);
	tracer_run(live, NULL, &aim, &end);
	assert_true(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
	check(0);
	calls = end.calls;
	assert_true(calls > 2 * ROUNDS && calls < CALLS_MAX);
	for (aim.call = 1; aim.call <= calls; aim.call++) {
		begin(key, aim.call);
		tracer_run(live, NULL, &aim, &end);
		tracer_run(live, NULL, &(struct tracer_aim){TRACER_NEVER, false}, &end);
		assert_true(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
		check(aim.call);
	}
	begin(key, 0);
}
