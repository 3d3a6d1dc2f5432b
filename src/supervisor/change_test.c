/* change_test.c: what makes one folder of jobs into another, in which order, and what can't change while a run is on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "supervisor/change.h"

static const struct enrg_store_type store = {.size = sizeof(struct enrg_store_type), .name = "DAQJobStoreCSV"};
static const struct enrg_job_type job = {.size = sizeof(struct enrg_job_type), .name = "DAQJobTest"};
static const struct type_entry source_type = {.name = "DAQJobTest", .job = &job};
static const struct type_entry store_type = {.name = "DAQJobStoreCSV", .store = &store};

static struct job_config make(const char *name, const struct type_entry *type, const char *text)
{
	return (struct job_config){
		.name = (char *)name, .file = (char *)"x.toml", .toml_text = (char *)text, .type = type};
}

static struct folder folder_of(struct job_config *jobs, size_t count)
{
	return (struct folder){.jobs = jobs, .job_count = count, .supervisor.info.supervisor_id = "lab"};
}

/* "remove a, add b" of all items, and "N" errors. */
static void expect(const struct folder *running, const struct folder *wanted, const char *words, size_t errors)
{
	struct change *change = NULL;
	struct problems problems;
	char text[1000] = "", line[200];

	problems_init(&problems);
	assert_int_equal(change_make(running, wanted, &change, &problems, NULL), 0);
	for (size_t i = 0; i < change->count; i++) {
		change_format_item(&change->items[i], line, sizeof(line));
		*strchr(line, '(') = '\0';
		strcat(text, line);
	}
	assert_string_equal(text, words);
	assert_int_equal(problems.errors, errors);
	change_destroy(change);
	problems_fini(&problems);
}

static void sources_stop_first_and_start_last(void **state)
{
	struct job_config before[] = {make("csv", &store_type, "a"), make("old", &source_type, "a"),
		make("same", &source_type, "a"), make("other", &source_type, "a")};
	struct job_config after[] = {make("new", &source_type, "a"), make("same", &source_type, "a"),
		make("other", &source_type, "b"), make("csv2", &store_type, "a")};
	const struct folder running = folder_of(before, 4), wanted = folder_of(after, 4);

	(void)state;
	expect(&running, &wanted, "remove old remove csv restart other add csv2 add new ", 0);
	expect(&running, &running, "", 0);
}

static void from_nothing_and_back(void **state)
{
	struct job_config jobs[] = {make("a", &source_type, "a"), make("csv", &store_type, "a")};
	const struct folder none = folder_of(NULL, 0), some = folder_of(jobs, 2);

	(void)state;
	expect(&none, &some, "add csv add a ", 0);
	expect(&some, &none, "remove a remove csv ", 0);
}

static void what_cant_change(void **state)
{
	struct job_config before[] = {make("a", &source_type, "a")}, after[] = {make("a", &store_type, "b")};
	const struct folder running = folder_of(before, 1);
	struct folder wanted = folder_of(after, 1), other = folder_of(before, 1), larger = other;

	(void)state;
	expect(&running, &wanted, "", 1);
	other.supervisor.info.supervisor_id = "elsewhere";
	expect(&running, &other, "", 1);
	larger.supervisor.ring_buffer_size_mb = 7; /* a warning */
	expect(&running, &larger, "", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_stop_first_and_start_last),
		cmocka_unit_test(from_nothing_and_back),
		cmocka_unit_test(what_cant_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
