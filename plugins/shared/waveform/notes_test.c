/* notes_test.c: what is said of waveforms is a schema that may be opened, and gives the numbers back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "waveform/notes.h"
#include "waveform/tables.h"

static void notes_give_numbers_back(void **state)
{
	const struct waveform_board board = {.sample_ns = 2, .mv_per_count = 2000.0 / 16384, .bits = 14, .tick_ns = 8};
	const struct enrg_schema *schemas[] = {&waveform_samples_schema, &waveform_records_schema};
	struct waveform_noted noted;
	struct enrg_error err = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		waveform_note(schemas[i], &board, &noted);
		if (enrg_schema_check(&noted.schema, &err) < 0)
			fail_msg("%s", err.text);
		const char *mv = enrg_schema_note(&noted.schema, NULL, "mv_per_count");
		assert_non_null(mv);
		assert_true(strtod(mv, NULL) == board.mv_per_count);
		assert_string_equal(enrg_schema_note(&noted.schema, NULL, "sample_ns"), "2");
		assert_string_equal(enrg_schema_note(&noted.schema, NULL, "bits"), "14");
		assert_string_equal(enrg_schema_note(&noted.schema, "real_ns_timestamp", "resolution_ns"), "8");
		assert_string_equal(enrg_schema_note(&noted.schema, "real_ns_timestamp", "clock"), "device");
		assert_int_equal(noted.schema.column_count, schemas[i]->column_count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(notes_give_numbers_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
