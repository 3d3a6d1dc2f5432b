/* unfinished_test.c: a file that a journal names is found, and where journals can't be read nothing is said to be
 * closed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handover/journal.h"
#include "handover/unfinished.h"

static char base[64], journal_path[100], file[100], other[100];
static char store[100];

static void make_file(const char *path)
{
	int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(descriptor >= 0);
	close(descriptor);
}

static void what_a_journal_names_is_open(void **state)
{
	struct journal *journal;
	struct enrg_error err = {0};
	uint64_t length;
	uint32_t index;
	bool is_known;

	(void)state;
	assert_int_equal(unfinished_find(file, store, sizeof(store), &err), 0);
	assert_int_equal(journal_open(journal_path, &journal, &err), 0);
	assert_int_equal(journal_add_file(journal, file, &index, &is_known, &length, &err), 0);
	assert_int_equal(unfinished_find(file, store, sizeof(store), &err), 1);
	assert_string_equal(store, "csv of run");
	assert_int_equal(unfinished_find(other, store, sizeof(store), &err), 0);
	journal_forget_file(journal, index);
	assert_int_equal(unfinished_find(file, store, sizeof(store), &err), 0);
	journal_reset_file(journal, index, 0);
	journal_close(journal);
	assert_int_equal(unfinished_find(file, store, sizeof(store), &err), 1);
}

/* Each leaves it open what the journal would have said. */
static void a_journal_that_cannot_be_read_closes_nothing(void **state)
{
	struct enrg_error err = {0};
	char second[100];

	(void)state;
	snprintf(second, sizeof(second), "%s/run/root.journal", base);
	make_file(second); /* empty */
	assert_int_equal(unfinished_find(other, store, sizeof(store), &err), ENRG_E_CORRUPT);
	assert_non_null(strstr(err.text, "root.journal: is damaged"));
	assert_int_equal(unfinished_find(file, store, sizeof(store), &err), 1); /* another one names it */
	assert_int_equal(unlink(second), 0);
	assert_int_equal(mkdir(second, 0700), 0);
	assert_true(unfinished_find(other, store, sizeof(store), &err) < 0);
	assert_int_equal(rmdir(second), 0);
	assert_int_equal(unfinished_find(other, store, sizeof(store), &err), 0);
	assert_int_equal(truncate(journal_path, 100000), 0); /* the head is whole, its list is not */
	assert_int_equal(unfinished_find(other, store, sizeof(store), &err), ENRG_E_CORRUPT);
	assert_int_equal(unfinished_find("/none/at/all", store, sizeof(store), &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_journal_names_is_open),
		cmocka_unit_test(a_journal_that_cannot_be_read_closes_nothing),
	};
	char command[100];

	strcpy(base, "/dev/shm/unfinished_test.XXXXXX");
	if (!mkdtemp(base) || setenv("ENRGDAQ_RUNTIME_DIR", base, 1))
		return 1;
	snprintf(journal_path, sizeof(journal_path), "%s/run", base);
	if (mkdir(journal_path, 0700))
		return 1;
	snprintf(journal_path, sizeof(journal_path), "%s/run/csv.journal", base);
	snprintf(file, sizeof(file), "%s/a.csv", base);
	snprintf(other, sizeof(other), "%s/b.csv", base);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	return system(command) || failed;
}
