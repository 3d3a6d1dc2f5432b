/* file_series_test.c: what several files hold of a table, in every order and with every kind of fault. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/file_series.h"

struct told {
	unsigned counts[VERIFY_BEGIN_NOTE + 1];
	char last[VERIFY_BEGIN_NOTE + 1][200];
	unsigned reports;
	uint64_t missing, duplicated, first, last_sequence;
	size_t files, copies;
};

static struct file_series series;

static void note_finding(void *context, enum verify_finding finding, const char *sentence)
{
	struct told *told = context;

	told->counts[finding]++;
	snprintf(told->last[finding], sizeof(told->last[finding]), "%s", sentence);
}

static void note_report(void *context, const struct file_series_report *report)
{
	struct told *told = context;

	told->reports++;
	told->missing += report->missing;
	told->duplicated += report->duplicated;
	told->first = report->first;
	told->last_sequence = report->last;
	told->files += report->file_count;
	told->copies += report->is_copy;
}

static void judge(struct told *ret_told)
{
	*ret_told = (struct told){0};
	assert_int_equal(
		file_series_judge(&series, &(struct file_series_hooks){note_finding, note_report, ret_told}, NULL), 0);
	file_series_fini(&series);
}

static void make_file(const char *path)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fclose(file);
	assert_int_equal(file_series_add_file(&series, path, NULL), 1);
}

static void add_table(const char *tag, uint32_t schema_id, bool is_file, const char *sequences)
{
	struct verify_table table = {.source = "a", .run = "r", .schema_id = schema_id};

	snprintf(table.tag, sizeof(table.tag), "%s", tag);
	/* "1-3 7": from, to. */
	while (*sequences) {
		char *end;
		uint64_t first = strtoull(sequences, &end, 10), last = first;
		if (*end == '-')
			last = strtoull(end + 1, &end, 10);
		for (uint64_t i = first; i <= last; i++)
			assert_true(sequence_set_add(&table.seen, i) >= 0);
		sequences = *end ? end + 1 : end;
	}
	assert_int_equal(file_series_add_table(&series, &table, is_file, NULL), 0);
	assert_int_equal(table.seen.last, 0);
}

static void add(const char *path, const char *sequences)
{
	make_file(path);
	add_table("", 5, false, sequences);
}

static void rotated_files_are_whole(void **state)
{
	struct told told;

	(void)state;
	/* In the order of a shell's list, which is not that of the batches. */
	add("a_10", "21-30");
	add("a_2", "11-20");
	add("a_1", "1-10");
	judge(&told);
	assert_int_equal(told.reports, 1);
	assert_int_equal(told.files, 3);
	assert_int_equal(told.first, 1);
	assert_int_equal(told.last_sequence, 30);
	assert_int_equal(told.missing + told.duplicated, 0);
	for (int i = 0; i <= VERIFY_BEGIN_NOTE; i++)
		assert_int_equal(told.counts[i], 0);
}

static void holes_between_files_are_told(void **state)
{
	struct told told;

	(void)state;
	add("a_4", "31-40");
	add("a_1", "1-10");
	add("a_3", "22-30");
	judge(&told);
	assert_int_equal(told.missing, 11);
	assert_int_equal(told.duplicated, 0);
	assert_string_equal(told.last[VERIFY_MISSING], "batches 11 to 21 are missing between a_1 and a_3");
	add("a_1", "1-10");
	add("a_3", "12");
	judge(&told);
	assert_string_equal(told.last[VERIFY_MISSING], "batch 11 is missing between a_1 and a_3");
}

/* What is missing inside of one file is told of that one. */
static void holes_inside_are_not_told_again(void **state)
{
	struct told told;

	(void)state;
	add("a_1", "1-4 8-10");
	add("a_2", "11-20");
	judge(&told);
	assert_int_equal(told.missing, 0);
	add("a_1", "1-4 8-10");
	add("a_2", "5-6 11-20");
	judge(&told);
	assert_int_equal(told.missing + told.duplicated, 0);
	assert_int_equal(told.counts[VERIFY_ELSEWHERE], 2); /* each has something that the other lacks */
	assert_string_equal(told.last[VERIFY_ELSEWHERE], "batches 8 to 10, missing in a_2, can be found in a_1");
	add("a_1", "1-4 6-10");
	add("a_2", "1-12");
	judge(&told);
	assert_string_equal(told.last[VERIFY_ELSEWHERE], "batch 5, missing in a_1, can be found in a_2");
	assert_int_equal(told.duplicated, 9);
}

static void batches_in_two_files_are_told(void **state)
{
	struct told told;

	(void)state;
	add("a_1", "1-10");
	add("a_2", "9-20");
	add("a_3", "20-21");
	judge(&told);
	assert_int_equal(told.duplicated, 3);
	assert_int_equal(told.missing, 0);
	assert_string_equal(told.last[VERIFY_DUPLICATE], "batch 20 is in both a_2 and a_3");
	/* One inside of another, and the third behind that. */
	add("a_1", "1-20");
	add("a_2", "5-6");
	add("a_3", "8-30");
	judge(&told);
	assert_int_equal(told.duplicated, 15);
	assert_string_equal(told.last[VERIFY_DUPLICATE], "batches 8 to 20 are in both a_1 and a_3");
}

static void a_late_begin_is_a_note(void **state)
{
	struct told told;

	(void)state;
	add("a_2", "11-20");
	add("a_3", "21-30");
	judge(&told);
	assert_int_equal(told.missing, 0);
	assert_int_equal(told.counts[VERIFY_BEGIN_NOTE], 1);
	assert_string_equal(
		told.last[VERIFY_BEGIN_NOTE], "batches 1 to 10 are in none of these files: the first one here is a_2");
}

static void tables_are_apart(void **state)
{
	struct told told;

	(void)state;
	make_file("a_1");
	add_table("", 5, false, "1-10");
	add_table("x", 5, false, "1-3");
	make_file("a_2");
	add_table("", 6, false, "1-10"); /* other columns: numbered anew */
	add_table("y", 5, false, "9-12");
	make_file("a_1.arrow");
	add_table("", 5, true, "1-10"); /* a copy */
	judge(&told);
	assert_int_equal(told.reports, 0);
	/* Damage hid what columns they are. */
	make_file("a_1");
	add_table("", 5, false, "1-10");
	make_file("a_2");
	add_table("", 0, false, "12-14");
	judge(&told);
	assert_int_equal(told.reports, 1);
	assert_int_equal(told.missing, 1);
}

static void folders_are_copies_or_parts(void **state)
{
	struct told told;

	(void)state;
	add("one/a_1", "1-10");
	add("two/a_2", "11-20");
	judge(&told);
	assert_int_equal(told.reports, 1);
	assert_int_equal(told.missing + told.duplicated, 0);
	/* Two stores; one of them lacks something. */
	add("one/a_1", "1-10");
	add("two/a_1", "1-9");
	add("one/a_2", "12-20");
	add("two/a_2", "10-20");
	judge(&told);
	assert_int_equal(told.reports, 2);
	assert_int_equal(told.duplicated, 0);
	assert_int_equal(told.missing, 1);
	assert_string_equal(told.last[VERIFY_MISSING], "batch 11 is missing between one/a_1 and one/a_2");
}

/* An arrow store and a raw store beside each other. */
static void names_are_copies_or_parts(void **state)
{
	struct told told;

	(void)state;
	add("a_20261124T115042Z.arrows", "1-10");
	add("a.raw_20261124T115042Z.arrows", "1-10");
	add("a_20261124T115044Z_002.arrows", "11-20");
	add("a.raw_20261124T115043Z.arrows", "12-21");
	add("recovered_a_20261124T115050Z.arrows", "11 21");
	judge(&told);
	assert_int_equal(told.reports, 2);
	assert_int_equal(told.copies, 2);
	assert_int_equal(told.missing + told.duplicated, 0);
	/* Only rotation, the run and the day tell these apart. */
	add("a_20261124T115042Z.arrows", "1-10");
	add("a_20261124T115041Z-0a47_20261124T115044Z_002.arrows", "10-20");
	add("2026-11-25_a_earlier.arrows", "20-30");
	judge(&told);
	assert_int_equal(told.reports, 1);
	assert_int_equal(told.copies, 0);
	assert_int_equal(told.duplicated, 2);
	/* Names that do not hold the same batches belong together. */
	add("a.raw_20261124T115042Z.arrows", "1-10");
	add("a_20261124T115042Z.arrows", "12-20");
	judge(&told);
	assert_int_equal(told.reports, 1);
	assert_int_equal(told.missing, 1);
	/* Two names in two folders, one behind the other. */
	add("one/a_1", "1-10");
	add("one/b_1", "1-9");
	add("two/a_2", "11-20");
	add("two/b_2", "11-20");
	judge(&told);
	assert_int_equal(told.reports, 2);
	assert_int_equal(told.duplicated, 0);
	assert_int_equal(told.missing, 1);
}

/* Left-overs of a run are kept for the store that did not take them; the other store has them. */
static void what_was_put_aside_repeats_nothing(void **state)
{
	struct told told;

	(void)state;
	add("a_1", "1-10");
	add("a_2", "13-20");
	add("recovered_a", "5-12");
	add("set_aside_a_15", "15");
	add("set_aside_a_40", "40");
	judge(&told);
	assert_int_equal(told.reports, 1);
	assert_int_equal(told.missing + told.duplicated, 0);
	assert_int_equal(told.counts[VERIFY_ELSEWHERE], 2);
	/* Nor do they hide what is in two others. */
	add("a_1", "1-10");
	add("recovered_a", "5-30");
	add("a_2", "9-20");
	judge(&told);
	assert_int_equal(told.duplicated, 2);
	assert_string_equal(told.last[VERIFY_DUPLICATE], "batches 9 to 10 are in both a_1 and a_2");
	/* They fill a hole only as far as they reach. */
	add("a_1", "1-10");
	add("a_2", "13-20");
	add("recovered_a", "11");
	judge(&told);
	assert_int_equal(told.missing, 1);
	assert_string_equal(told.last[VERIFY_MISSING], "batch 12 is missing between recovered_a and a_2");
	add("set_aside_a_15", "15");
	add("set_aside_a_40", "40");
	judge(&told);
	assert_int_equal(told.missing + told.counts[VERIFY_BEGIN_NOTE], 0);
}

static void a_file_counts_once(void **state)
{
	(void)state;
	add("a_1", "1-10");
	unlink("link");
	assert_int_equal(symlink("a_1", "link"), 0);
	assert_int_equal(file_series_add_file(&series, "link", NULL), 0);
	assert_int_equal(file_series_add_file(&series, "./a_1", NULL), 0);
	assert_true(file_series_add_file(&series, "nowhere", NULL) < 0);
	file_series_fini(&series);
}

static int set_up(void **state)
{
	static char folder[64];

	strcpy(folder, "/tmp/enrgdaq-series-XXXXXX");
	*state = folder;
	return !mkdtemp(folder) || chdir(folder) < 0 || mkdir("one", 0700) < 0 || mkdir("two", 0700) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"a_1", "a_2", "a_3", "a_4", "a_10", "a_1.arrow", "link", "one/a_1",
		"one/a_2", "recovered_a", "set_aside_a_15", "set_aside_a_40", "two/a_1", "two/a_2", "one/b_1",
		"two/b_2", "a_20261124T115042Z.arrows", "a.raw_20261124T115042Z.arrows",
		"a_20261124T115044Z_002.arrows", "a.raw_20261124T115043Z.arrows", "recovered_a_20261124T115050Z.arrows",
		"a_20261124T115041Z-0a47_20261124T115044Z_002.arrows", "2026-11-25_a_earlier.arrows"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	return rmdir("one") < 0 || rmdir("two") < 0 ? -1 : rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rotated_files_are_whole),
		cmocka_unit_test(holes_between_files_are_told),
		cmocka_unit_test(holes_inside_are_not_told_again),
		cmocka_unit_test(batches_in_two_files_are_told),
		cmocka_unit_test(a_late_begin_is_a_note),
		cmocka_unit_test(tables_are_apart),
		cmocka_unit_test(folders_are_copies_or_parts),
		cmocka_unit_test(names_are_copies_or_parts),
		cmocka_unit_test(what_was_put_aside_repeats_nothing),
		cmocka_unit_test(a_file_counts_once),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
