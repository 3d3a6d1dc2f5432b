/* run_end_test.c: where the ledger of a run is written, and what is said where it can't be. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "supervisor/run_end.h"

static const struct enrg_option options[] = {{.key = "out_dir", .default_value = "\"out\""}, {0}};
static const struct enrg_store_type store_type = {
	.size = sizeof(struct enrg_store_type), .name = "DAQJobStoreFake", .options = {0, options}};
static const struct type_entry entry = {.name = "DAQJobStoreFake", .store = &store_type};

/* What the log says while two stores of one folder and one of another get the ledger. */
static void write_ledger(const char *base, const char *first, const char *second, char **ret_log)
{
	struct toml_node nodes[3];
	struct toml_node roots[3];
	struct job_config configs[3];
	struct member members[3] = {0};
	struct member *list[] = {&members[0], &members[1], &members[2]};
	struct roster roster = {.count = 3, .members = list};
	struct runtime runtime = {.run = "r1"};
	char log[128];
	size_t count;
	json_t *ledger = json_pack("{s:i}", "answer", 42);

	for (int i = 0; i < 3; i++) {
		nodes[i] = (struct toml_node){
			.kind = TOML_STRING, .key = "out_dir", .text = i < 2 ? first : second, .text_bytes = 1};
		roots[i] = (struct toml_node){.kind = TOML_TABLE, .children = &nodes[i], .count = 1};
		configs[i] = (struct job_config){.root = &roots[i], .type = &entry};
		members[i].config = &configs[i];
	}
	snprintf(runtime.folder, sizeof(runtime.folder), "%s/runtime", base);
	snprintf(log, sizeof(log), "%s/log", base);
	int file = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), saved = dup(2);
	fflush(stderr);
	dup2(file, 2);
	run_end_write_ledger(&runtime, &roster, ledger);
	dup2(saved, 2);
	close(saved);
	close(file);
	assert_int_equal(path_read_file(log, 1 << 20, ret_log, &count, NULL), 0);
	json_decref(ledger);
}

static int count_of(const char *text, const char *part)
{
	int count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static void expect_ledger(const char *format, const char *base)
{
	char path[256], *text;
	size_t count;

	snprintf(path, sizeof(path), format, base);
	assert_int_equal(path_read_file(path, 1 << 20, &text, &count, NULL), 0);
	assert_non_null(strstr(text, "42"));
	free(text);
}

static void one_ledger_a_folder_and_one_word_where_it_fails(void **state)
{
	char base[] = "/tmp/ending_test.XXXXXX", good[64], bad[64], *log;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(good, sizeof(good), "%s/good", base);
	snprintf(bad, sizeof(bad), "%s/log/bad", base); /* below a file: no folder can be made */
	write_ledger(base, bad, good, &log);
	expect_ledger("%s/good/ledger_r1.json", base);
	expect_ledger("%s/runtime/ledger.json", base);
	assert_int_equal(count_of(log, "can't be written"), 1);
	assert_non_null(strstr(log, "/runtime/ledger.json"));
	free(log);
	write_ledger(base, good, good, &log);
	assert_string_equal(log, "");
	free(log);
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", base);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_ledger_a_folder_and_one_word_where_it_fails)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
