/* run_hooks_test.c: what is wrong with a hook is named before anything starts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "config/folder.h"

static const char head[] = "[info]\nsupervisor_id = \"lab1\"\n[runs]\nlicense = \"CC-BY-4.0\"\n[[runs.author]]\n"
			   "name = \"Ann\"\norcid = \"0000-0002-1825-0097\"\n[[runs.hook]]\n";

/* NULL: nothing is wrong. */
static void check(const char *hook, const char *wrong)
{
	char text[2000];
	const char *const names[] = {"supervisor.toml"}, *const texts[] = {text};
	const struct folder_texts folder_texts = {1, names, texts};
	struct problems problems;
	struct folder *folder = NULL;
	struct types *types;

	snprintf(text, sizeof(text), "%s%s", head, hook);
	assert_int_equal(types_create_static(NULL, 0, &types, NULL), 0);
	problems_init(&problems);
	assert_int_equal(folder_load_texts(&folder_texts, types, &folder, &problems, NULL), 0);
	assert_int_equal(problems.errors, wrong ? 1 : 0);
	for (size_t i = 0; i < problems.count; i++)
		if (!problems.items[i].is_warning && !strstr(problems.items[i].text, wrong))
			fail_msg("%s", problems.items[i].text);
	if (!wrong) {
		const struct run_author_options *author = folder->supervisor.runs.author.items;
		assert_int_equal(folder->supervisor.runs.hook.count, 1);
		assert_string_equal(author->orcid, "0000-0002-1825-0097");
		assert_string_equal(folder->supervisor.runs.license, "CC-BY-4.0");
	}
	folder_free(folder);
	problems_fini(&problems);
	types_free(types);
}

static void hooks_are_judged(void **state)
{
	(void)state;
	check("url = \"https://x.org/hook\"\nhmac_secret = \"s\"\nevents = [\"run_failed\"]\n", NULL);
	check("command = [\"elog\", \"-l\", \"{number}\"]\nreply = [\"elog\", \"-r\", \"{id}\"]\n", NULL);
	check("name = \"x\"\n", "either url or command, found none");
	check("url = \"https://x.org\"\ncommand = [\"x\"]\n", "found both");
	check("url = \"ftp://x.org\"\n", "begins with http://");
	check("url = \"https://x.org\"\nreply = [\"x\"]\n", "reply");
	check("url = \"https://x.org\"\nevents = [\"run_paused\"]\n", "found \"run_paused\"");
	check("url = \"https://x.org\"\npayload = \"{\"\n", "expected JSON");
	check("url = \"https://x.org\"\ntimeout_seconds = 600\n", "timeout_seconds");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hooks_are_judged)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
