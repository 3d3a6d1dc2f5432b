/* notes_test.c: what is said of a table beside its columns comes back, is checked, and makes no other table of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "arrow/notes.h"
#include "arrow/sample.h"

static const struct ipc_origin origin = {"detector", "run-7", "fast"};

static const struct enrg_note notes[] = {
	ENRG_NOTES_HOST_TIME("time", "1"),
	{NULL, "sample_ns", "2"},
	{"wave", "mv_per_count", "0.1220703125"},
	{NULL, "time", ""},
};

/* Notes stand where any reader of Arrow finds them, and are no part of what makes two tables the same. */
static void notes_come_back(void **state)
{
	struct enrg_schema noted = *sample_schema(), *decoded = NULL, *copy;
	uint32_t count;
	void *bytes;
	const char *value = NULL;

	(void)state;
	noted.notes = notes;
	noted.note_count = sizeof(notes) / sizeof(notes[0]);
	assert_int_equal(ipc_encode_file_schema(&noted, &origin, &bytes, &count, NULL), 0);
	assert_int_equal(ipc_decode_schema(bytes, count, &decoded, NULL), 0);
	free(bytes);
	copy = ipc_copy_schema(decoded);
	free(decoded);
	assert_int_equal(copy->note_count, noted.note_count);
	assert_true(notes_equal(copy, &noted) && notes_equal(&noted, copy));
	assert_string_equal(enrg_schema_note(copy, "time", "clock"), "host-realtime");
	assert_string_equal(enrg_schema_note(copy, "wave", "mv_per_count"), "0.1220703125");
	assert_string_equal(enrg_schema_note(copy, NULL, "sample_ns"), "2");
	assert_null(enrg_schema_note(copy, "wave", "sample_ns"));
	assert_null(enrg_schema_note(copy, NULL, "format")); /* ENRGDAQ's own keys are no notes */
	assert_true(ipc_schema_equal(copy, sample_schema()));
	assert_int_equal(ipc_schema_id(copy), ipc_schema_id(sample_schema()));
	assert_false(notes_equal(copy, sample_schema()) || notes_find_other(copy, sample_schema(), &value));
	((struct enrg_note *)copy->notes)[0].value = "tai";
	assert_ptr_equal(notes_find_other(copy, &noted, &value), &copy->notes[0]);
	assert_string_equal(value, "host-realtime");
	free(copy);
}

static void bad_notes_are_named(void **state)
{
	static const struct {
		struct enrg_note notes[2];
		const char *text;
	} cases[] = {
		{{{"tim", "clock", "tai"}, {NULL, "a", "b"}}, "column \"tim\" that is not there"},
		{{{"time", "unit", "s"}, {NULL, "a", "b"}}, "note \"unit\" of time"},
		{{{NULL, "enrgdaq.kind", "blob"}, {NULL, "a", "b"}}, "enrgdaq.kind"},
		{{{NULL, "", "x"}, {NULL, "a", "b"}}, "the table"},
		{{{NULL, "k", NULL}, {NULL, "a", "b"}}, "note \"k\""},
		{{{NULL, "k", "\xff"}, {NULL, "a", "b"}}, "UTF-8"},
		{{{NULL, "k", "1"}, {NULL, "k", "2"}}, "is there twice"},
	};
	struct enrg_schema schema = *sample_schema();

	(void)state;
	schema.note_count = 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct enrg_error err = {0};
		schema.notes = cases[i].notes;
		assert_int_equal(enrg_schema_check(&schema, &err), -EINVAL);
		if (!strstr(err.text, cases[i].text))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].text);
	}
	schema.note_count = ENRG_NOTES_MAX + 1;
	assert_int_equal(enrg_schema_check(&schema, NULL), -EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes_come_back),
		cmocka_unit_test(bad_notes_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
