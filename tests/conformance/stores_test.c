/* stores_test.c: what every store must do, one test after the other, each with every store of kinds.c. A failure
 * names the store and the line.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "data.h"
#include "harness.h"

/* The case at hand. */
static const struct store_kind *kind;
static char folder[256], out_dir[300], journal_path[300];
static struct harness *life;

static const struct harness_table wide = { .source = "source", .tag = "", .schema = &data_wide };

/* --- checks that name the store -------------------- */

static void check(int line, bool is_true, const char *what)
{
	if (!is_true)
		fail_msg("%s: line %d: %s", kind->name, line, what);
}

static void check_code(int line, int rc, const struct enrg_error *err)
{
	if (rc < 0)
		fail_msg("%s: line %d: %s (%d)", kind->name, line, err->text, rc);
}

static void open_life(int line)
{
	struct enrg_error err = { 0 };

	check_code(line, harness_open(kind, journal_path, out_dir, &life, &err), &err);
}

static void write_rows(int line, const struct harness_table *table, uint64_t first, uint64_t count,
	uint64_t acquired_ns)
{
	struct enrg_error err = { 0 };

	check_code(line, harness_write(life, table, first, count, acquired_ns, &err), &err);
}

static void commit(int line, uint64_t position)
{
	struct enrg_error err = { 0 };

	check_code(line, harness_commit(life, position, &err), &err);
}

static void close_life(int line)
{
	struct enrg_error err = { 0 };

	check_code(line, harness_close(life, &err), &err);
	life = NULL;
}

static void check_cells(int line, const struct cells *cells, const struct enrg_schema *schema, uint64_t first)
{
	char expected[4096];

	for (size_t row = 0; row < cells->rows; row++) {
		for (uint32_t i = 0; i < schema->column_count; i++) {
			const char *found = cells->items[row * schema->column_count + i];

			data_format_cell(&schema->columns[i], first + row, expected, sizeof(expected));
			if (strcmp(found, expected) != 0)
				fail_msg("%s: line %d: row %zu, column %s: expected \"%s\", found \"%s\"",
					kind->name, line,
					row, schema->columns[i].name, expected, found);
		}
	}
}

/* The file holds rows first … first + count - 1 in order, each once, each cell right. */
static void check_file(int line, const char *file, const struct enrg_schema *schema, uint64_t first, uint64_t count)
{
	struct cells cells = { 0 };
	char path[1024];

	if (!kind->has_out_dir)
		return;
	snprintf(path, sizeof(path), "%s/%s", out_dir, file);
	if (!kind->read_back(path, schema, &cells))
		fail_msg("%s: line %d: %s can't be read back", kind->name, line, path);
	if (cells.rows != count)
		fail_msg("%s: line %d: %s: expected %llu rows, found %zu", kind->name, line, path,
			(unsigned long long)count, cells.rows);
	check_cells(line, &cells, schema, first);
	cells_fini(&cells);
}

/* The path of the kind's file with `more` before its extension and `date` before its name. */
static const char *file_name(const char *date, const char *more)
{
	static char name[512];
	const char *own = strrchr(kind->file_path, '/') ? strrchr(kind->file_path, '/') + 1 : kind->file_path;
	const char *dot = strchr(own, '.');

	snprintf(name, sizeof(name), "%.*s%s%.*s%s%s", (int)(own - kind->file_path), kind->file_path, date,
		(int)(dot - own), own, more, dot);
	return name;
}

/* --- cases -------------------- */

static void all_types_are_kept(void)
{
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 200, 0);
	commit(__LINE__, 1);
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, 0, 200);
}

static void zero_rows_and_one_row(void)
{
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 0, 0);
	commit(__LINE__, 1);
	check_file(__LINE__, kind->file_path, &data_wide, 0, 0);
	write_rows(__LINE__, &wide, 0, 1, 0);
	commit(__LINE__, 2);
	check_file(__LINE__, kind->file_path, &data_wide, 0, 1);
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, 0, 1);
}

static void gaps_hold_no_rows(void)
{
	struct enrg_error err = { 0 };

	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 3, 0);
	check_code(__LINE__, harness_write_gap(life, &wide, &err), &err);
	if (!kind->keeps_newest)
		write_rows(__LINE__, &wide, 3, 4, 0);
	commit(__LINE__, 3);
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, 0, kind->keeps_newest ? 3 : 7);
}

static void many_batches_keep_their_order(void)
{
	uint64_t row = 0, newest = 0;

	open_life(__LINE__);
	for (unsigned i = 0; i < 300; i++) {
		uint64_t count = i * 7 % 40;

		write_rows(__LINE__, &wide, row, count, 0);
		newest = row;
		row += count;
		if (i % 7 == 6)
			commit(__LINE__, i);
	}
	write_rows(__LINE__, &wide, row, 20000, 0); /* larger than buffers are */
	newest = row;
	row += 20000;
	commit(__LINE__, 1000);
	close_life(__LINE__);
	if (kind->keeps_newest)
		check_file(__LINE__, kind->file_path, &data_wide, newest, 20000);
	else
		check_file(__LINE__, kind->file_path, &data_wide, 0, row);
}

static void tags_have_files_of_their_own(void)
{
	const struct harness_table x = { .source = "source", .tag = "x", .schema = &data_wide };
	const struct harness_table odd = { .source = "source", .tag = "a/../b", .schema = &data_wide };

	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 2, 0);
	write_rows(__LINE__, &x, 10, 3, 0);
	write_rows(__LINE__, &odd, 20, 4, 0);
	commit(__LINE__, 1);
	close_life(__LINE__);
	if (!kind->has_out_dir)
		return;
	check_file(__LINE__, kind->file_path, &data_wide, 0, 2);
	check_file(__LINE__, file_name("", "_x"), &data_wide, 10, 3);
	check_file(__LINE__, file_name("", "_a_.._b"), &data_wide, 20, 4);
}

static void days_have_files_of_their_own(void)
{
	const struct harness_table dated = { .source = "source", .tag = "", .schema = &data_wide,
		.more_keys = "add_date = true" };
	const uint64_t minute_ns = 60000000000ull, midnight_ns = 1750032000000000000ull; /* 2025-06-16 00:00 UTC */

	if (!kind->has_dates)
		return;
	open_life(__LINE__);
	write_rows(__LINE__, &dated, 0, 5, midnight_ns - minute_ns);
	commit(__LINE__, 1);
	if (!kind->keeps_newest)
		write_rows(__LINE__, &dated, 5, 5, midnight_ns - 1);
	write_rows(__LINE__, &dated, 10, 6, midnight_ns);
	commit(__LINE__, 2);
	if (!kind->keeps_newest)
		write_rows(__LINE__, &dated, 16, 7, midnight_ns + 20 * minute_ns);
	commit(__LINE__, 3);
	close_life(__LINE__);
	check_file(__LINE__, file_name("2025-06-15_", ""), &data_wide, 0, kind->keeps_newest ? 5 : 10);
	check_file(__LINE__, file_name("2025-06-16_", ""), &data_wide, 10, kind->keeps_newest ? 6 : 13);
}

static void producers_share_a_file(void)
{
	const struct harness_table other = { .source = "other", .tag = "", .schema = &data_wide };

	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 3, 0);
	write_rows(__LINE__, &other, 3, 4, 0);
	if (!kind->keeps_newest)
		write_rows(__LINE__, &wide, 7, 5, 0);
	commit(__LINE__, 1);
	close_life(__LINE__);
	if (kind->keeps_newest)
		check_file(__LINE__, kind->file_path, &data_wide, 3, 4);
	else
		check_file(__LINE__, kind->file_path, &data_wide, 0, 12);
}

/* Rows of other columns are kept beside the file, never in it; in the same life and in a later one. */
static void other_columns_go_elsewhere(void)
{
	const struct harness_table narrow = { .source = "narrow", .tag = "", .schema = &data_narrow };

	if (kind->keeps_newest || kind->is_database)
		return;
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 3, 0);
	write_rows(__LINE__, &narrow, 0, 4, 0);
	commit(__LINE__, 1);
	close_life(__LINE__);
	open_life(__LINE__);
	write_rows(__LINE__, &narrow, 4, 5, 0);
	write_rows(__LINE__, &wide, 3, 6, 0);
	commit(__LINE__, 2);
	close_life(__LINE__);
	if (!kind->has_out_dir)
		return;
	check_file(__LINE__, kind->file_path, &data_wide, 0, 9);
	check_file(__LINE__, file_name("", kind->starts_files ? "" : "_2"), &data_narrow, 0, 9);
}

static void restart_appends(void)
{
	for (unsigned i = 0; i < 5; i++) {
		open_life(__LINE__);
		write_rows(__LINE__, &wide, 10 * i, 10, 0);
		commit(__LINE__, i + 1);
		close_life(__LINE__);
	}
	check_file(__LINE__, kind->file_path, &data_wide, kind->keeps_newest ? 40 : 0, kind->keeps_newest ? 10 : 50);
}

/* Without the journal, as after a start of the machine. */
static void new_journal_appends(void)
{
	for (unsigned i = 0; i < 3; i++) {
		unlink(journal_path);
		open_life(__LINE__);
		write_rows(__LINE__, &wide, 10 * i, 10, 0);
		commit(__LINE__, i + 1);
		close_life(__LINE__);
	}
	check_file(__LINE__, kind->file_path, &data_wide, kind->keeps_newest ? 20 : 0, kind->keeps_newest ? 10 : 30);
}

static void uncommitted_rows_come_once(void)
{
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 10, 0);
	commit(__LINE__, 1);
	write_rows(__LINE__, &wide, 10, 30000, 0);
	harness_kill(life);
	open_life(__LINE__);
	check(__LINE__, harness_position(life) == 1, "the journal has the position of the last commit");
	write_rows(__LINE__, &wide, 10, 20, 0);
	commit(__LINE__, 2);
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, kind->keeps_newest ? 10 : 0, kind->keeps_newest ? 20 : 30);
}

static void half_a_commit_comes_once(void)
{
	struct enrg_error err = { 0 };

	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 10, 0);
	commit(__LINE__, 1);
	write_rows(__LINE__, &wide, 10, 20, 0);
	write_rows(__LINE__, &wide, 30, 20, 0);
	check_code(__LINE__, harness_commit_half(life, &err), &err);
	harness_kill(life);
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 10, 20, 0);
	write_rows(__LINE__, &wide, 30, 20, 0);
	write_rows(__LINE__, &wide, 50, 5, 0);
	commit(__LINE__, 2);
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, kind->keeps_newest ? 50 : 0, kind->keeps_newest ? 5 : 55);
}

static void roll_back_forgets_what_was_not_committed(void)
{
	struct enrg_error err = { 0 };

	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 10, 0);
	commit(__LINE__, 1);
	write_rows(__LINE__, &wide, 10, 30000, 0);
	check_code(__LINE__, harness_roll_back(life, &err), &err);
	write_rows(__LINE__, &wide, 10, 20, 0);
	commit(__LINE__, 2);
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, kind->keeps_newest ? 10 : 0, kind->keeps_newest ? 20 : 30);
}

/* --- kills -------------------- */

#define KILL_ROWS 40u     /* a batch */
#define KILL_BATCHES 400u /* position p = batches 1 … p are committed */

/* A life that goes on from the journal's position to the last batch; in a child that the test kills. */
static int run_to_the_end(void)
{
	struct enrg_error err = { 0 };
	uint64_t position;
	int rc = harness_open(kind, journal_path, out_dir, &life, &err);

	if (rc < 0)
		return 1;
	for (position = harness_position(life); position < KILL_BATCHES && rc == 0; position++) {
		rc = harness_write(life, &wide, position * KILL_ROWS, KILL_ROWS, 0, &err);
		if (rc == 0 && (position % 3 == 2 || position + 1 == KILL_BATCHES))
			rc = harness_commit(life, position + 1, &err);
	}
	if (rc == 0)
		rc = harness_close(life, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	return rc < 0;
}

/* Runs a life and kills it after `delay_us`, if that is not 0. true: it ended by itself, in order. */
static bool run_life(unsigned delay_us)
{
	pid_t child = fork();
	int status;

	check(__LINE__, child >= 0, "fork");
	if (child == 0)
		_exit(run_to_the_end());
	if (delay_us) {
		/* No synchronisation: any moment will do. */
		usleep(delay_us);
		kill(child, SIGKILL);
	}
	check(__LINE__, waitpid(child, &status, 0) == child, "waitpid");
	check(__LINE__, WIFSIGNALED(status) || WEXITSTATUS(status) == 0, "the life of the store ended in an error");
	return WIFEXITED(status);
}

static void kills_lose_nothing_and_double_nothing(void)
{
	unsigned kills = 0;

	for (unsigned i = 0; i < 60; i++)
		kills += !run_life(200 + (unsigned)(rand() % 4000));
	while (!run_life(0))
		;
	check(__LINE__, kills >= 3, "some lives were killed");
	if (kind->keeps_newest)
		check_file(__LINE__, kind->file_path, &data_wide, (KILL_BATCHES - 1) * KILL_ROWS, KILL_ROWS);
	else
		check_file(__LINE__, kind->file_path, &data_wide, 0, KILL_BATCHES * KILL_ROWS);
}

/* --- disks -------------------- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	check(__LINE__, setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
}

/* A limit of the file's size stands for the full disk: a write is cut short, the next one fails. */
static void full_disk_recovers(void)
{
	struct enrg_error err = { 0 };
	uint64_t committed = 0;
	int rc = 0;

	if (!kind->has_out_dir)
		return;
	signal(SIGXFSZ, SIG_IGN);
	open_life(__LINE__);
	limit_files(kind->is_indexed ? 2000001 : 100001); /* the first chunk of each column is to fit */
	for (unsigned i = 0; i < 20000 && rc == 0; i++) {
		rc = harness_write(life, &wide, committed, 10 + i, 0, &err);
		if (rc == 0)
			rc = harness_commit(life, i + 1, &err);
		if (rc == 0)
			committed += 10 + i;
	}
	check(__LINE__, rc < 0, "a full disk is an error");
	check(__LINE__, strstr(err.text, out_dir) != NULL, "the error names the file");
	check_code(__LINE__, harness_roll_back(life, &err), &err);
	limit_files(RLIM_INFINITY);
	if (!kind->keeps_newest)
		check_file(__LINE__, kind->file_path, &data_wide, 0, committed);
	write_rows(__LINE__, &wide, committed, 5000, 0);
	commit(__LINE__, 100000);
	close_life(__LINE__);
	if (kind->keeps_newest)
		check_file(__LINE__, kind->file_path, &data_wide, committed, 5000);
	else
		check_file(__LINE__, kind->file_path, &data_wide, 0, committed + 5000);
}

/* Root may write anywhere, but nobody can make a folder below a file. */
static void unusable_folder_is_an_error(void)
{
	struct enrg_error err = { 0 };
	char file[512], below[600];
	FILE *stream;
	int rc;

	if (!kind->has_out_dir)
		return;
	snprintf(file, sizeof(file), "%s/file", folder);
	snprintf(below, sizeof(below), "%s/out", file);
	stream = fopen(file, "w");
	check(__LINE__, stream != NULL, "fopen");
	fclose(stream);
	rc = harness_open(kind, journal_path, below, &life, &err);
	if (rc == 0) {
		rc = harness_write(life, &wide, 0, 1, 0, &err);
		if (rc == 0)
			rc = harness_commit(life, 1, &err);
		harness_kill(life);
	}
	check(__LINE__, rc < 0, "a folder that can't be made is an error");
	check(__LINE__, strstr(err.text, file) != NULL, err.text);
}

static void foreign_file_is_left_alone(void)
{
	static const char notes[] = "notes of somebody, without a line end";
	char path[600], found[100] = "";
	FILE *stream;

	if (!kind->has_out_dir || kind->keeps_newest || kind->is_database)
		return;
	open_life(__LINE__); /* makes the folders */
	write_rows(__LINE__, &wide, 0, 1, 0);
	commit(__LINE__, 1);
	close_life(__LINE__);
	snprintf(path, sizeof(path), "%s/%s", out_dir, kind->file_path);
	unlink(journal_path);
	stream = fopen(path, "w");
	check(__LINE__, stream && fwrite(notes, 1, sizeof(notes), stream) == sizeof(notes), "fwrite");
	fclose(stream);
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 5, 0);
	commit(__LINE__, 1);
	close_life(__LINE__);
	stream = fopen(path, "r");
	check(__LINE__, stream && fread(found, 1, sizeof(found),
		stream) == sizeof(notes), "the file's length is the same");
	fclose(stream);
	check(__LINE__, memcmp(found, notes, sizeof(notes)) == 0, "the file's bytes are the same");
	check_file(__LINE__, file_name("", kind->starts_files ? "_1" : "_2"), &data_wide, 0, 5);
}

/* A power cut: no journal, and the end of the file is not whole. What is whole stays, what comes is appended. */
static void torn_tail_is_cut(void)
{
	struct stat status;
	char path[600];

	if (!kind->has_out_dir || kind->keeps_newest || kind->is_database || kind->is_indexed)
		return;
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 0, 50, 0);
	commit(__LINE__, 1);
	snprintf(path, sizeof(path), "%s/%s", out_dir, kind->file_path);
	check(__LINE__, stat(path, &status) == 0, "stat");
	write_rows(__LINE__, &wide, 50, 1, 0);
	commit(__LINE__, 2);
	close_life(__LINE__);
	unlink(journal_path);
	check(__LINE__, truncate(path, status.st_size + 3) == 0, "truncate");
	open_life(__LINE__);
	write_rows(__LINE__, &wide, 50, 30, 0);
	commit(__LINE__, 3);
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, 0, 80);
}

static void blob_is_kept_or_refused_clearly(void)
{
	struct enrg_schema blob = *enrg_schema_blob();
	const struct harness_table table = { .source = "camera", .tag = "", .schema = &blob };
	struct enrg_error err = { 0 };
	int rc;

	open_life(__LINE__);
	rc = harness_write(life, &table, 1, 1, 0, &err);
	if (rc == 0)
		rc = harness_commit(life, 1, &err);
	check(__LINE__, rc == 0 || strlen(err.text) > 10, "a refusal says why");
	if (rc == 0)
		close_life(__LINE__);
	else
		harness_kill(life);
	if (rc == 0)
		check_file(__LINE__, kind->file_path, &blob, 1, 1);
}

static void ticks_and_empty_commits_do_nothing(void)
{
	struct enrg_error err = { 0 };

	open_life(__LINE__);
	check_code(__LINE__, harness_tick(life, &err), &err);
	commit(__LINE__, 1);
	write_rows(__LINE__, &wide, 0, 5, 0);
	check_code(__LINE__, harness_tick(life, &err), &err);
	commit(__LINE__, 2);
	for (unsigned i = 0; i < 5; i++) {
		check_code(__LINE__, harness_tick(life, &err), &err);
		commit(__LINE__, 3 + i);
	}
	close_life(__LINE__);
	check_file(__LINE__, kind->file_path, &data_wide, 0, 5);
}

/* --- the frame -------------------- */

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status;
	(void)flag;
	(void)walk;
	return remove(path);
}

/* Runs one case with each store, each in a fresh folder. */
static void run_case(void **state)
{
	void (*const *function)(void) = *state;

	for (unsigned i = 0; i < store_kind_count; i++) {
		kind = &store_kinds[i];
		snprintf(folder, sizeof(folder), "/tmp/enrg-conformance-XXXXXX");
		assert_non_null(mkdtemp(folder));
		snprintf(out_dir, sizeof(out_dir), "%s/new/out", folder);
		snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
		(*function)();
		nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
}

#define CASE(function) { #function, run_case, NULL, NULL, &(void (*)(void)){ function } }

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_types_are_kept),
		CASE(zero_rows_and_one_row),
		CASE(gaps_hold_no_rows),
		CASE(many_batches_keep_their_order),
		CASE(tags_have_files_of_their_own),
		CASE(days_have_files_of_their_own),
		CASE(producers_share_a_file),
		CASE(other_columns_go_elsewhere),
		CASE(restart_appends),
		CASE(new_journal_appends),
		CASE(uncommitted_rows_come_once),
		CASE(half_a_commit_comes_once),
		CASE(roll_back_forgets_what_was_not_committed),
		CASE(kills_lose_nothing_and_double_nothing),
		CASE(full_disk_recovers),
		CASE(unusable_folder_is_an_error),
		CASE(foreign_file_is_left_alone),
		CASE(torn_tail_is_cut),
		CASE(blob_is_kept_or_refused_clearly),
		CASE(ticks_and_empty_commits_do_nothing),
	};

	setenv("TZ", "UTC", 1);
	log_init("conformance", ENRG_ERROR);
	return cmocka_run_group_tests_name("conformance.stores", tests, NULL, NULL);
}
