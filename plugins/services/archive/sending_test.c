/* sending_test.c: words for a shell mean what they say, and targets of rsync are told from what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_split),
		cmocka_unit_test(words_mean_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
