/* sending_test.c: words for a shell mean what they say, and targets of rsync are told from what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sending.h"

static void targets_are_split(void **state)
{
	static const char *const wrong[] = {
		"", "host", ":/x", "-oProxyCommand=x:/y", "/a/b:c", "rsync::module", "[::1]"};
	const char *folder;
	char host[64];

	(void)state;
	assert_true(sending_parse_target("daq@host:/data/x", host, sizeof(host), &folder));
	assert_string_equal(host, "daq@host");
	assert_string_equal(folder, "/data/x");
	assert_true(sending_parse_target("host:", host, sizeof(host), &folder));
	assert_string_equal(folder, ".");
	assert_true(sending_parse_target("[fe80::1]:/x:y", host, sizeof(host), &folder));
	assert_string_equal(host, "[fe80::1]");
	assert_string_equal(folder, "/x:y");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (sending_parse_target(wrong[i], host, sizeof(host), &folder))
			fail_msg("%s is %s", wrong[i], host);
}

static void words_mean_what_they_say(void **state)
{
	static const char *const words[] = {"plain", "", "a b", "it's", "'", "$(touch x)", "`x`", "a\nb", "\\", "-rf",
		"*", "\"", "\xc3\xa4; rm -rf /"};
	char word[64], command[128], got[64];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_true(sending_quote(words[i], word, sizeof(word)) <= sizeof(word));
		snprintf(command, sizeof(command), "printf '%%s' %s", word);
		FILE *shell = popen(command, "r");
		assert_non_null(shell);
		size_t count = fread(got, 1, sizeof(got) - 1, shell);
		got[count] = '\0';
		assert_int_equal(pclose(shell), 0);
		assert_string_equal(got, words[i]);
	}
	assert_int_equal(sending_quote("it's", word, 5), 10);
	assert_true(strlen(word) < 5);
}

/* -ENOENT would be a file that is gone, which nobody needs to hear of. */
static void a_program_that_is_missing_is_a_fault_of_the_way(void **state)
{
	static const char *const missing[] = {"/none/put", "{path}"};
	const struct sending_params params[] = {
		{.command_count = 2,
			.command = missing,
			.verify_count = 2,
			.verify = missing,
			.job = "a",
			.timeout_seconds = 10},
		{.rsync = "host:/x",
			.shell_count = 1,
			.shell = missing,
			.marker = "m",
			.job = "a",
			.timeout_seconds = 10},
	};
	const struct way_file file = {.folder = open("/dev/shm", O_PATH | O_DIRECTORY | O_CLOEXEC),
		.root = "/dev/shm",
		.name = "sending_test.dat"};
	struct way_result result;
	struct enrg_error err = {0};
	struct way way;

	(void)state;
	int data = openat(file.folder, file.name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(data >= 0 && write(data, "x", 1) == 1);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(sending_create(&params[i], &way, &err), 0);
		int rc = way.type->begin(way.self, &file, &err);
		while (rc == WAY_AGAIN)
			rc = way.type->step(way.self, &result, &err);
		assert_int_equal(rc, -ENOEXEC);
		assert_non_null(strstr(err.text, "/none/put can't be run"));
		assert_int_equal(way.type->begin_proof(way.self, file.name, "00", &err), -ENOEXEC);
		way.type->destroy(way.self);
	}
	unlinkat(file.folder, file.name, 0);
	close(data);
	close(file.folder);
}

/* A shell that is killed or fails says nothing of the copy, which is neither lost nor another. */
static void a_proof_that_fails_is_none_against_the_copy(void **state)
{
	static const char *const shells[][3] = {{"false"}, {"sh", "-c", "exit 78"}, {"sh", "-c", "kill -9 $$"}};
	static const int wanted[] = {-EREMOTEIO, ENRG_E_CORRUPT, -EREMOTEIO};
	struct way_result result;
	struct enrg_error err = {0};
	struct way way;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct sending_params params = {.rsync = "host:/x",
			.shell_count = i ? 3 : 1,
			.shell = shells[i],
			.marker = "m",
			.job = "a",
			.timeout_seconds = 10};
		assert_int_equal(sending_create(&params, &way, &err), 0);
		assert_int_equal(way.type->begin_proof(way.self, "a.csv", "00", &err), 0);
		struct pollfd child = {.fd = way.type->descriptor(way.self), .events = POLLIN};
		int rc;
		do
			assert_int_equal(poll(&child, 1, 10000), 1);
		while ((rc = way.type->step(way.self, &result, &err)) == WAY_WAITS);
		assert_int_equal(rc, wanted[i]);
		way.type->destroy(way.self);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_split),
		cmocka_unit_test(words_mean_what_they_say),
		cmocka_unit_test(a_proof_that_fails_is_none_against_the_copy),
		cmocka_unit_test(a_program_that_is_missing_is_a_fault_of_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
