/* ipc_run_test.c: what the schema of a file says of the run that it was begun in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"

static const struct enrg_column columns[] = {{.name = "x", .type = ENRG_I64}};
static const struct enrg_schema schema = {.column_count = 1, .columns = columns};

static const struct enrg_run_info run = {.size = sizeof(run),
	.run = "20261128T065216Z-abcd",
	.uuid = "11111111-1111-8111-8111-111111111111",
	.type = "physics",
	.description = "LED \xc2\xabx\xc2\xbb, 5 %",
	.supervisor = "lab1",
	.version = "0.1.0",
	.config = "# --- dice.toml ---\npassword = \"***\"\n",
	.config_sha256 = "ab",
	.number = UINT64_MAX,
	.began_ns = 1764313390123456789};

static void check_run(const void *bytes, uint32_t count, const char *config)
{
	struct enrg_run_info found = {0};

	assert_int_equal(ipc_read_run(bytes, count, &found), 1);
	assert_string_equal(found.run, run.run);
	assert_string_equal(found.uuid, run.uuid);
	assert_string_equal(found.type, run.type);
	assert_string_equal(found.description, run.description);
	assert_string_equal(found.supervisor, run.supervisor);
	assert_string_equal(found.version, run.version);
	assert_string_equal(found.config, config);
	assert_string_equal(found.config_sha256, run.config_sha256);
	assert_true(found.number == run.number && found.began_ns == run.began_ns && !found.ended_ns);
}

static void a_file_says_its_run(void **state)
{
	struct enrg_schema *decoded = NULL;
	void *bytes;
	uint32_t count;

	(void)state;
	assert_int_equal(ipc_encode_run_schema(&schema, NULL, &run, &bytes, &count, NULL), 0);
	check_run(bytes, count, run.config);
	assert_int_equal(ipc_decode_schema(bytes, count, &decoded, NULL), 0);
	assert_int_equal(decoded->note_count, 0); /* no part of the table */
	free(decoded);
	free(bytes);
}

static void without_a_run_nothing_is_said(void **state)
{
	struct enrg_run_info found = {.number = 7};
	void *bytes, *other;
	uint32_t count, other_count;

	(void)state;
	assert_int_equal(ipc_encode_run_schema(&schema, NULL, NULL, &bytes, &count, NULL), 0);
	assert_int_equal(ipc_encode_file_schema(&schema, NULL, &other, &other_count, NULL), 0);
	assert_int_equal(count, other_count);
	assert_memory_equal(bytes, other, count);
	assert_int_equal(ipc_read_run(bytes, count, &found), 0);
	assert_int_equal(ipc_read_run(bytes, count - 8, &found), 0);
	assert_int_equal(ipc_read_run("ARROW1", 6, &found), 0);
	assert_int_equal(found.number, 7);
	free(bytes);
	free(other);
}

static void of_a_long_configuration_the_hash_stays(void **state)
{
	struct enrg_run_info large = run;
	char *config = malloc((1u << 20) + 2);
	void *bytes;
	uint32_t count;

	(void)state;
	assert_non_null(config);
	memset(config, 'x', (1u << 20) + 1);
	config[(1u << 20) + 1] = '\0';
	large.config = config;
	assert_int_equal(ipc_encode_run_schema(&schema, NULL, &large, &bytes, &count, NULL), 0);
	check_run(bytes, count, "");
	free(bytes);
	large.config = config + 1;
	assert_int_equal(ipc_encode_run_schema(&schema, NULL, &large, &bytes, &count, NULL), 0);
	check_run(bytes, count, config + 1);
	free(bytes);
	free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_says_its_run),
		cmocka_unit_test(without_a_run_nothing_is_said),
		cmocka_unit_test(of_a_long_configuration_the_hash_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
