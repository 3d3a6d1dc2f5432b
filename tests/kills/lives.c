/* lives.c: see the header. */
#include "lives.h"

#include <stdio.h>
#include <string.h>

#include "data.h"
#include "fixed.h"
#include "instructions.h"

#define DAY_NS      86400000000000ull
#define ROLLBACK_AT 2u /* the first instance fails once in this round */

const struct harness_table lives_wide = {.source = "source", .tag = "", .schema = &data_wide};
const struct harness_table lives_narrow = {.source = "source", .tag = "x", .schema = &data_narrow};

struct day {
	struct harness *harness;
	struct harness_table wide, narrow;
	uint64_t acquired_ns;
};

static int write_round(const struct day *day, uint64_t round, struct enrg_error *err)
{
	uint64_t half = LIVES_WIDE_ROWS / 2, wide = round * LIVES_WIDE_ROWS, narrow = round * LIVES_NARROW_ROWS;
	int rc = harness_write(day->harness, &day->wide, wide, half, day->acquired_ns, err);

	if (rc == 0)
		rc = harness_write(day->harness, &day->narrow, narrow, LIVES_NARROW_ROWS, day->acquired_ns, err);
	if (rc == 0)
		rc = harness_write(day->harness, &day->wide, wide + half, half, day->acquired_ns, err);
	return rc;
}

static int write_all(const struct life *life, const struct day *day, struct enrg_error *err)
{
	int rc = 0;

	for (uint64_t round = harness_position(day->harness); round < LIVES_ROUNDS && rc == 0; round++) {
		rc = write_round(day, round, err);
		if (rc == 0 && life->number == 0 && round == ROLLBACK_AT) {
			rc = harness_roll_back(day->harness, err);
			if (rc == 0)
				rc = write_round(day, round, err);
		}
		if (rc == 0)
			rc = harness_commit(day->harness, round + 1, err);
		if (rc == 0 && round == 0)
			rc = harness_tick(day->harness, err);
	}
	return rc;
}

int lives_run(void *context)
{
	const struct life *life = context;
	uint64_t day_ns = life->is_same_day ? 0 : life->number * DAY_NS;
	struct day day = {.wide = lives_wide, .narrow = lives_narrow, .acquired_ns = HARNESS_DAY_NS + day_ns};
	struct enrg_error err = {0};
	int rc;

	day.wide.more_keys = day.narrow.more_keys = life->section_keys;
	fixed_set(HARNESS_DAY_NS + day_ns + life->number * 1000000000ull);
	rc = harness_open(life->kind, life->journal_path, life->out_dir, &day.harness, &err);
	if (rc == 0 && life->store_at)
		instructions_watch(life->journal_path, life->store_at, life->stores);
	if (rc == 0)
		rc = write_all(life, &day, &err);
	if (rc == 0)
		rc = harness_close(day.harness, &err);
	if (rc < 0)
		fprintf(stderr, "instance %u: %s (%d)\n", life->number, err.text, rc);
	return rc < 0;
}
