/* root_kills_test.c: .root files of a store that is killed at any moment: what jsroot sees at once, and after the next
 * start (root_fixture.h). In the test process and in children that it kills. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "root_fixture.h"

#define KILLS          80u
#define KILLS_WHOLE    2000u
#define KILLS_A_ROUND  10u
#define KILL_ROWS      7u
#define ROTATED_ROUNDS 3u
#define ROTATED_WHOLE  60u
#define SIGHTS_MAX     4000u

static int run_until_killed(int ready)
{
	struct enrg_error err = {0};
	int rc = harness_open(&kind, journal_path, out_dir, &life, &err);

	if (rc < 0 || write(ready, "", 1) != 1)
		return 1;
	for (uint64_t position = harness_position(life); rc == 0; position++) {
		rc = harness_write(life, &wide, position * KILL_ROWS, KILL_ROWS, 0, &err);
		if (rc == 0)
			rc = harness_commit(life, position + 1, &err);
	}
	fprintf(stderr, "%s\n", err.text);
	return 1;
}

static void kill_once(unsigned delay_us_max)
{
	int ready[2], status;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(run_until_killed(ready[1]));
	/* Now and then while it is being opened. */
	if (rand() % 8)
		assert_int_equal(read(ready[0], &byte, 1), 1);
	usleep((unsigned)rand() % delay_us_max); /* any moment will do */
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	close(ready[0]);
	close(ready[1]);
}

static int is_root_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && strcmp(entry->d_name + length - 5, ".root") == 0;
}

/* Did an earlier look meet this file with these bytes? Most parts of a rotated file are ended and don't change. */
static size_t find_same(const struct sight *sights, size_t count, const char *name, const char *bytes, size_t length)
{
	while (count > 0 && strcmp(sights[count - 1].name, name) != 0)
		count--;
	if (count == 0)
		return 0;
	size_t at = sights[count - 1].same ? sights[count - 1].same : count, kept_length;
	char *kept = read_file(sights[at - 1].path, &kept_length);
	bool is_same = kept_length == length && memcmp(kept, bytes, length) == 0;
	free(kept);
	return is_same ? at : 0;
}

/* Copies all files that are there into the folder above, and adds them to the sights. */
static size_t keep_files(struct sight *sights, size_t count, unsigned kill_number, const char *moment)
{
	struct dirent **entries = NULL;
	int entry_count = scandir(out_dir, &entries, is_root_file, NULL);

	for (int i = 0; i < entry_count; i++) {
		struct sight *sight = &sights[count];
		char from[400];
		struct stat status;
		snprintf(from, sizeof(from), "%s/%s", out_dir, entries[i]->d_name);
		snprintf(sight->name, sizeof(sight->name), "%.60s", entries[i]->d_name);
		snprintf(sight->path, sizeof(sight->path), "%s/%s_%u_%s", folder, moment, kill_number, sight->name);
		free(entries[i]);
		if (stat(from, &status) < 0 || status.st_size < (off_t)HEAD_BYTES)
			continue;
		size_t bytes;
		char *content = read_file(from, &bytes);
		/* Killed while the file was made, its end is not told yet: nothing can have been committed. */
		if (memcmp(content + 12, "\0\0\0\0\0\0\0\0", 8) != 0) {
			assert_true(count + 1 < SIGHTS_MAX);
			sight->same = find_same(sights, count, sight->name, content, bytes);
			if (!sight->same)
				write_file(sight->path, content, bytes);
			count++;
		}
		free(content);
	}
	free(entries);
	return count;
}

/* Each row once, over all files: the names of parts do not follow from the number of a row. */
static void check_rows_once(uint64_t rows)
{
	uint8_t *seen = calloc(rows + 1, 1);
	uint64_t seen_count = 0, left = 0;
	unsigned long long row, table_rows, columns, names = 0;
	char command[300], line[4096];

	snprintf(command, sizeof(command), "node '%s/tests/interop/read_root.mjs' '%s'/*.root", ENRG_BINARY_DIR,
		out_dir);
	FILE *stream = popen(command, "re");
	assert_non_null(stream);
	while (fgets(line, sizeof(line), stream)) {
		if (names) {
			names--;
		} else if (left) {
			if (left-- % data_wide.column_count != 0)
				continue;
			if (sscanf(line, "i %llu", &row) != 1 || row >= rows || seen[row])
				fail_msg("one row too many: %s", line);
			seen[row] = 1;
			seen_count++;
		} else if (sscanf(line, "table %*s %*s %llu %llu", &table_rows, &columns) == 2) {
			assert_int_equal(columns, data_wide.column_count);
			names = columns;
			left = table_rows * columns;
		}
	}
	pclose(stream);
	free(seen);
	assert_int_equal(seen_count, rows);
}

/* One round in a fresh folder: kills; what is readable at once; what is readable after the next start. */
static unsigned kill_round(unsigned round, bool is_rotated, uint64_t *ret_commits)
{
	static struct sight sights[SIGHTS_MAX];
	size_t ends[2 * KILLS_A_ROUND], count = 0, at = 0;
	uint64_t positions[KILLS_A_ROUND];
	unsigned behind = 0;

	snprintf(out_dir, sizeof(out_dir), "%s/round%u", folder, round);
	snprintf(journal_path, sizeof(journal_path), "%s/journal%u", folder, round);
	set_keys("k.root", formats[round % 2], round % 4 < 2 ? "" : "compression_type = \"ZLIB\"");
	for (unsigned k = 0; k < KILLS_A_ROUND; k++) {
		kill_once(is_rotated ? 60000 : 15000);
		count = keep_files(sights, count, round * KILLS_A_ROUND + k, "before");
		ends[2 * k] = count;
		open_life();
		positions[k] = harness_position(life);
		write_rows(0, 0); /* opens the target, which mends */
		harness_kill(life);
		count = keep_files(sights, count, round * KILLS_A_ROUND + k, "after");
		ends[2 * k + 1] = count;
	}
	count_rows(sights, count);
	for (unsigned k = 0; k < 2 * KILLS_A_ROUND; k++) {
		long sum = 0, wanted = (long)(positions[k / 2] * KILL_ROWS);
		for (; at < ends[k]; at++)
			sum += sights[at].rows;
		/* Before the next start the last commit may be there or not, when the kill met the switch itself. */
		if (sum != wanted && (k % 2 == 1 || sum != wanted - (long)KILL_ROWS))
			fail_msg("round %u, kill %u, %s the next start: %ld rows are committed, jsroot sees %ld", round,
				k / 2, k % 2 ? "after" : "before", wanted, sum);
		behind += sum != wanted;
	}
	for (size_t i = 0; i < count; i++)
		unlink(sights[i].path);
	if (is_rotated)
		check_rows_once(positions[KILLS_A_ROUND - 1] * KILL_ROWS);
	else if (positions[KILLS_A_ROUND - 1])
		check_file("k.root", &data_wide, 0, positions[KILLS_A_ROUND - 1] * KILL_ROWS);
	*ret_commits += positions[KILLS_A_ROUND - 1];
	return behind;
}

static void kills_leave_what_was_committed(void **state)
{
	const unsigned kills = root_fixture_is_whole() ? KILLS_WHOLE : KILLS;
	unsigned behind = 0;
	uint64_t commits = 0;

	(void)state;
	for (unsigned round = 0; round < kills / KILLS_A_ROUND; round++)
		behind += kill_round(round, false, &commits);
	assert_true(commits > kills / 4); /* else the kills came too early to show anything */
	print_message("%u kills; %u of them between a commit and its switch\n", kills, behind);
}

/* Each file is left after a few commits: kills also meet the end of one and the begin of the next. */
static void kills_between_parts_leave_what_was_committed(void **state)
{
	const unsigned rounds = root_fixture_is_whole() ? ROTATED_WHOLE : ROTATED_ROUNDS;
	unsigned behind = 0;
	uint64_t commits = 0;

	(void)state;
	kind.store_keys = "rotate_mb = 0.03";
	for (unsigned round = 0; round < rounds; round++)
		behind += kill_round(round, true, &commits);
	kind.store_keys = NULL;
	assert_true(commits > rounds * KILLS_A_ROUND);
	print_message("%u kills, %llu commits; %u kills between a commit and its switch\n", rounds * KILLS_A_ROUND,
		(unsigned long long)commits, behind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kills_leave_what_was_committed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kills_between_parts_leave_what_was_committed, set_up, tear_down),
	};

	setenv("TZ", "UTC", 1);
	log_init("root", ENRG_ERROR);
	return cmocka_run_group_tests_name("interop.root_kills", tests, NULL, NULL);
}
