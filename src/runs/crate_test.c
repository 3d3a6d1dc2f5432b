/* crate_test.c: a run as RO-Crate: every reference leads somewhere, files below the folder are named from there; and as
 * CSV without formulas. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "runs/crate.h"
#include "runs/flat.h"

static json_t *make_run(void)
{
	json_t *run = json_loads(
		"{\"number\": 7, \"uuid\": \"u-7\", \"supervisor\": \"lab1\", \"run\": \"r7\", \"type\": \"physics\","
		" \"description\": \"=cmd|' /C calc'!A0\", \"began\": \"2026-11-28T07:00:00Z\", \"ended\": "
		"\"2026-11-28T08:00:00Z\","
		" \"quality\": \"complete\", \"notes\": [{\"who\": \"ann\", \"text\": \"say \\\"hi\\\"\", \"wall_ns\": "
		"1}, {\"who\": \"=1+cmd|' /C calc'!A0\", \"text\": \"-1.5e3\"}],"
		" \"files\": [{\"path\": \"/data/a b.arrows\", \"format\": \"arrow\", \"bytes\": 12, \"rows\": 3, "
		"\"sha256\": \"ab\", \"store\": \"arrow\", \"state\": \"closed\"},"
		" {\"path\": \"/far/x#1.csv\", \"format\": \"csv\", \"state\": \"moved\"}],"
		" \"entries\": {\"begin\": [{\"body\": {\"config\": \"a = 1\\n\", \"config_sha256\": \"cc\", \"by\": "
		"{\"who\": "
		"\"ann\"}, \"license\": \"https://creativecommons.org/licenses/by/4.0/\", \"authors\": [{\"name\": "
		"\"Ann\", "
		"\"orcid\": \"0000-0001\"}, {\"name\": \"Bob\"}], \"versions\": {\"enrgdaq\": \"0.1.0\"}}}],"
		" \"end\": [{\"body\": {\"reason\": \"\", \"hardware\": {\"dig 1\": {\"model\": \"V1730\", \"serial\": "
		"\"17\", \"firmware\": \"4\"}}}}]}}",
		0, NULL);

	assert_non_null(run);
	return run;
}

static const json_t *find_entity(const json_t *crate, const char *id)
{
	const json_t *graph = json_object_get(crate, "@graph");

	for (size_t i = 0; i < json_array_size(graph); i++)
		if (!strcmp(json_string_value(json_object_get(json_array_get(graph, i), "@id")), id))
			return json_array_get(graph, i);
	return NULL;
}

/* All {"@id": …} alone, but for what lies elsewhere. */
static void check_references(const json_t *crate, const json_t *json)
{
	const json_t *id = json_object_get(json, "@id");
	const char *key;
	json_t *value;

	if (json_is_object(json) && id && json_object_size(json) == 1) {
		if (!find_entity(crate, json_string_value(id)) &&
			strncmp(json_string_value(id), "https://w3id", 12) != 0)
			fail_msg("%s leads nowhere", json_string_value(id));
		return;
	}
	json_object_foreach((json_t *)json, key, value) check_references(crate, value);
	for (size_t i = 0; i < json_array_size(json); i++)
		check_references(crate, json_array_get(json, i));
}

static const char *text_at(const json_t *crate, const char *id, const char *key)
{
	const char *text = json_string_value(json_object_get(find_entity(crate, id), key));

	return text ? text : "";
}

static void a_run_is_a_crate(void **state)
{
	json_t *run = make_run(), *crate = crate_make(run, "/data");

	(void)state;
	assert_non_null(crate);
	check_references(crate, json_object_get(crate, "@graph"));
	assert_string_equal(
		json_string_value(json_object_get(crate, "@context")), "https://w3id.org/ro/crate/1.2/context");
	assert_string_equal(text_at(crate, "./", "name"), "Run 7 of lab1: physics");
	assert_string_equal(text_at(crate, "a%20b.arrows", "sha256"), "ab");
	assert_string_equal(text_at(crate, "a%20b.arrows", "contentSize"), "12");
	assert_string_equal(text_at(crate, "file:///far/x%231.csv", "creativeWorkStatus"), "moved");
	assert_string_equal(text_at(crate, "#run-u-7", "endTime"), "2026-11-28T08:00:00Z");
	assert_string_equal(text_at(crate, "#instrument-dig%201", "serialNumber"), "17");
	assert_string_equal(text_at(crate, "https://orcid.org/0000-0001", "name"), "Ann");
	assert_string_equal(text_at(crate, "#author-2", "name"), "Bob");
	assert_int_equal(json_array_size(json_object_get(find_entity(crate, "./"), "hasPart")), 3);
	assert_int_equal(json_array_size(json_object_get(find_entity(crate, "#run-u-7"), "result")), 2);
	json_decref(crate);
	crate = crate_make(run, NULL);
	check_references(crate, json_object_get(crate, "@graph"));
	assert_string_equal(text_at(crate, "#configuration", "text"), "a = 1\n");
	json_decref(crate);
	json_decref(run);
}

static void cells_are_no_formulas(void **state)
{
	json_t *run = make_run();
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	(void)state;
	flat_print(run, stream);
	fclose(stream);
	assert_non_null(strstr(text, "\"run\",\"\",\"description\",\"'=cmd|' /C calc'!A0\"\r\n"));
	assert_non_null(strstr(text, "\"note\",\"ann\",\"text\",\"say \"\"hi\"\"\"\r\n"));
	assert_non_null(strstr(text, "\"note\",\"'=1+cmd|' /C calc'!A0\",\"text\",\"-1.5e3\"\r\n"));
	assert_non_null(strstr(text, "\"file\",\"/data/a b.arrows\",\"rows\",\"3\"\r\n"));
	assert_non_null(strstr(text, "\"hardware\",\"dig 1\",\"model\",\"V1730\"\r\n"));
	free(text);
	json_decref(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_a_crate),
		cmocka_unit_test(cells_are_no_formulas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
