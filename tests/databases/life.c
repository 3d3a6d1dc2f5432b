/* life.c: see the header. */
#include "life.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"

struct harness *life;
struct enrg_error err;

static const struct store_kind *life_kind;
static const char *life_folder;
static char journal_path[300];

void life_set(const struct store_kind *kind, const char *out_dir)
{
	life_kind = kind;
	life_folder = out_dir ? out_dir : "/tmp";
}

int life_new_journal(void **state)
{
	const char *folder = getenv("TMPDIR");

	(void)state;
	snprintf(journal_path, sizeof(journal_path), "%.200s/enrg-databases-journal.%d", folder ? folder : "/tmp",
		getpid());
	unlink(journal_path);
	return 0;
}

int life_remove_journal(void **state)
{
	char path[320];

	(void)state;
	snprintf(path, sizeof(path), "%s.run", journal_path);
	unlink(path);
	return unlink(journal_path);
}

void life_open(void)
{
	if (harness_open(life_kind, journal_path, life_folder, &life, &err) < 0)
		fail_msg("%s", err.text);
}

void life_refuses(const struct harness_table *table, const char *text)
{
	const struct enrg_batch empty = {.rows = 0};

	life_open();
	assert_true(harness_write_batch(life, table, &empty, &err) < 0);
	if (!strstr(err.text, text))
		fail_msg("expected \"…%s…\", found \"%s\"", text, err.text);
	harness_kill(life);
}

void life_check(int line, int rc)
{
	if (rc < 0)
		fail_msg("line %d: %s", line, err.text);
}

void life_expect(const char *asked, char *text, const char *wanted)
{
	if (strcmp(text, wanted) != 0)
		fail_msg("%.400s: expected \"%.400s\", found \"%.400s\"", asked, wanted, text);
	free(text);
}

/* --- what is told ------------------------------------------------------------------------------------------------- */

static FILE *caught;
static int standard_error;

void life_catch_log(void)
{
	fflush(stderr);
	caught = tmpfile();
	standard_error = dup(STDERR_FILENO);
	assert_true(caught && standard_error >= 0);
	assert_true(dup2(fileno(caught), STDERR_FILENO) >= 0);
	log_init("databases", ENRG_WARNING);
}

char *life_end_catch(void)
{
	long bytes = lseek(STDERR_FILENO, 0, SEEK_END);
	char *text = calloc(1, (size_t)bytes + 1);

	log_init("databases", ENRG_ERROR);
	fflush(stderr);
	dup2(standard_error, STDERR_FILENO);
	close(standard_error);
	rewind(caught);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)bytes, caught), bytes);
	fclose(caught);
	return text;
}

unsigned life_count(const char *text, const char *part)
{
	unsigned count = 0;

	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		count++;
	return count;
}

void life_check_shared(const struct harness_table tables[3], const char *text)
{
	life_open();
	life_catch_log();
	for (int round = 0; round < 2; round++) {
		GOOD(harness_write(life, &tables[0], 0, 5, 0, &err));
		GOOD(harness_write(life, &tables[2], 0, 5, 0, &err));
		GOOD(harness_write(life, &tables[1], 0, 5, 0, &err));
		if (round == 0)
			GOOD(harness_roll_back(life, &err));
	}
	char *log = life_end_catch();
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
	if (life_count(log, text) != 1 || life_count(log, " share ") != 1)
		fail_msg("expected once \"…%s…\", found \"%s\"", text, log);
	free(log);
}

void life_half_a_commit(const struct harness_table *table)
{
	life_open();
	GOOD(harness_write(life, table, 0, 10, 0, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_write(life, table, 10, 10, 0, &err));
	GOOD(harness_commit_half(life, &err));
	harness_kill(life);
	life_open();
	GOOD(harness_write(life, table, 10, 10, 0, &err));
	GOOD(harness_write(life, table, 20, 10, 0, &err));
	GOOD(harness_roll_back(life, &err));
	GOOD(harness_write(life, table, 10, 10, 0, &err));
	GOOD(harness_write(life, table, 20, 10, 0, &err));
	GOOD(harness_commit(life, 2, &err));
	GOOD(harness_close(life, &err));
}

/* --- odd tables --------------------------------------------------------------------------------------------------- */

#define LETTERS_50 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx"
#define ODD_COUNT  6u

static const struct enrg_column odd_columns[ODD_COUNT] = {{"select", ENRG_I64, 0, NULL},
	{"order by", ENRG_I64, 0, NULL}, {"a`b", ENRG_I64, 0, NULL}, {"say \"x\"", ENRG_I64, 0, NULL},
	{"\xC3\xA9", ENRG_I64, 0, NULL}, {LETTERS_50 LETTERS_50 LETTERS_50 LETTERS_50, ENRG_I64, 0, NULL}};
const struct enrg_schema life_odd_names = {.column_count = ODD_COUNT, .columns = odd_columns};
const char life_odd_names_cleaned[] =
	"select,order_by,a_b,say__x_,__," LETTERS_50 "abcde_"; /* and eight digits made from all of it */

void life_write_odd_names(const struct harness_table *table)
{
	int64_t values[ODD_COUNT][2];
	struct enrg_column_view views[ODD_COUNT];
	const struct enrg_batch batch = {.rows = 2, .columns = views};

	for (int i = 0; i < (int)ODD_COUNT; i++) {
		values[i][0] = i + 1;
		values[i][1] = -i - 1;
		views[i] = (struct enrg_column_view){.values = values[i], .value_count = 2};
	}
	life_open();
	GOOD(harness_write_batch(life, table, &batch, &err));
	GOOD(harness_commit(life, 1, &err));
	GOOD(harness_close(life, &err));
}

const struct enrg_schema *life_make_wide(unsigned count)
{
	static struct enrg_column columns[ENRG_COLUMNS_MAX];
	static char names[ENRG_COLUMNS_MAX][8];
	static struct enrg_schema schema = {.columns = columns};

	for (unsigned i = 0; i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "c%u", i % 10000);
		columns[i] = (struct enrg_column){.name = names[i], .type = ENRG_I64};
	}
	schema.column_count = count;
	return &schema;
}
