/* toml_test.c: the shim: every kind of value, order and positions, and what it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/toml.h"

static struct toml_node *parse(const char *text)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};

	if (toml_parse("a.toml", text, strlen(text), &root, &err))
		fail_msg("%s", err.text);
	return root;
}

static void test_kinds(void **state)
{
	(void)state;
	struct toml_node *root = parse("s = \"a\\u0000b\"\ni = -5\nf = 2.5\nb = true\nd = 1979-05-27 07:32:00Z # x\n"
				       "a = [1, 2]\nt = {x = 1}\n");
	const struct toml_node *s = toml_find(root, "s");

	assert_int_equal(root->kind, TOML_TABLE);
	assert_int_equal(root->count, 7);
	assert_int_equal(s->kind, TOML_STRING);
	assert_int_equal(s->text_bytes, 3);
	assert_memory_equal(s->text, "a\0b", 4);
	assert_int_equal(toml_find(root, "i")->integer, -5);
	assert_true(toml_find(root, "i")->number == -5.0);
	assert_true(toml_find(root, "f")->number == 2.5);
	assert_true(toml_find(root, "b")->boolean);
	assert_int_equal(toml_find(root, "d")->kind, TOML_DATE);
	assert_string_equal(toml_find(root, "d")->text, "1979-05-27 07:32:00Z");
	assert_int_equal(toml_find(root, "a")->kind, TOML_ARRAY);
	assert_int_equal(toml_find(root, "a")->children[1].integer, 2);
	assert_null(toml_find(root, "a")->children[1].key);
	assert_int_equal(toml_find(toml_find(root, "t"), "x")->integer, 1);
	assert_null(toml_find(root, "nothing"));
	assert_null(toml_find(s, "x"));
	toml_free(root);
}

static void test_order_and_lines(void **state)
{
	(void)state;
	struct toml_node *root =
		parse("zeta = 1\nalpha = 'ü' \n\n[store.csv]\nz = 1\na = 2\n[[list]]\nx = 1\n[[list]]\n"
		      "dates = ['ü', 2020-01-02]\n");

	assert_int_equal(root->count, 4);
	assert_string_equal(root->children[0].key, "zeta");
	assert_string_equal(root->children[1].key, "alpha");
	assert_string_equal(root->children[2].key, "store");
	assert_int_equal(root->children[1].line, 2);
	assert_int_equal(root->children[1].key_line, 2);
	assert_int_equal(root->children[1].column, 9);
	const struct toml_node *csv = toml_find(&root->children[2], "csv");
	assert_int_equal(csv->key_line, 4);
	assert_int_equal(csv->line, 4);
	assert_string_equal(csv->children[0].key, "z");
	assert_int_equal(csv->children[1].line, 6);
	assert_int_equal(root->children[3].children[1].line, 9);
	assert_string_equal(root->children[3].children[1].children[0].children[1].text, "2020-01-02");
	toml_free(root);
}

static void assert_refused(const char *text, size_t count, const char *start, const char *part)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};

	assert_int_equal(toml_parse("a.toml", text, count, &root, &err), ENRG_E_CONFIG);
	assert_null(root);
	if (strncmp(err.text, start, strlen(start)) || !strstr(err.text, part))
		fail_msg("\"%s\" does not start with \"%s\" or lacks \"%s\"", err.text, start, part);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("a = 1\nb = \n", 11, "a.toml:2: ", "not valid TOML");
	assert_refused("a = 1\na = 2\n", 12, "a.toml:2: ", "a");
	assert_refused("a = 1\n\nb = \"\xff\"\n", 13, "a.toml:3: ", "");
	assert_refused("a = 1\ngr\303\266\303\237e = 1\n", 18, "a.toml:2: ", "not valid TOML");
	assert_refused("a = 1\n\303\274 = 1\n", 13, "a.toml:2: ", "not valid TOML");
	assert_refused("\xff\xfe\x61\0=\0", 6, "a.toml:1: ", "UTF-16 text: save it as UTF-8");
	assert_refused("a = 1\0\n", 7, "a.toml:1: ", "");
	assert_refused("\"a\\u0000b\" = 1\n", 15, "a.toml:1: ", "NUL");
	assert_refused("[a]\nb = 99999999999999999999\n", 29, "a.toml:2: ", "");
}

/* Text that is not ASCII, where releases of toml++ hold it for impossible (the sanitizers tell). */
static void test_not_ascii(void **state)
{
	(void)state;
	struct toml_node *root = parse("\xef\xbb\xbf\"grö\" = 'ü' # ü\na = \"\"\"\\\n  ü\\ "
				       "\r\n\nぁx\\\n\\u00e4\\\n\360\235\204\236\"\"\"\nb = 1\n");

	assert_string_equal(toml_find(root, "grö")->text, "ü");
	assert_string_equal(toml_find(root, "a")->text, "üぁxä\360\235\204\236");
	assert_int_equal(toml_find(root, "b")->line, 8);
	toml_free(root);
	assert_refused("a = 1\nb = 1\"ü\"\n", 16, "a.toml:2: ", "quote");
	assert_refused("a = \"\"\"\\ü\"\"\"\n", 14, "a.toml:1: ", "backslash");
	assert_refused("a = \"\"\"\n\\  ü\"\"\"\n", 17, "a.toml:2: ", "backslash");
	assert_refused("a = \"\\ü\"\n", 10, "a.toml:1: ", "backslash");
	assert_refused("a = 'x'ü\n", 10, "a.toml:1: ", "quotes");
	/* over-long, cut off, no UTF-8 at all: never made good */
	assert_refused("a = \"\"\"\\\n\300\201\"\"\"\n", 15, "a.toml:", "");
	assert_refused("a = \"\"\"\\\n\360\235", 11, "a.toml:", "");
	assert_refused("a = \"\"\"\\\n\377ab\"\"\"\n", 16, "a.toml:", "");
}

static void test_bounds(void **state)
{
	(void)state;
	char text[4000];
	size_t used = 0;

	/* 100,000 parts would overrun the stack when the tree is freed */
	char *deep = malloc(200001);
	assert_non_null(deep);
	deep[0] = '[';
	for (size_t i = 0; i < 100000; i++)
		memcpy(deep + 1 + 2 * i, "a.", 2);
	assert_refused(deep, 200001, "a.toml:1: ", "more than 32 parts");
	memset(deep, '[', 200001);
	memcpy(deep, "\na=", 3);
	assert_refused(deep, 200001, "a.toml:2: ", "");
	free(deep);
	/* each key is short enough, the tree is not */
	for (int i = 0; i < 4; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", i ? " = {" : "\n");
		for (int j = 0; j < 9; j++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "a.");
		used += (size_t)snprintf(text + used, sizeof(text) - used, "a");
	}
	snprintf(text + used, sizeof(text) - used, " = 1}}}\n");
	assert_refused(text, strlen(text), "a.toml:2: ", "deeper than 32");
	/* dots in strings and comments are no keys */
	struct toml_node *root = parse("# ........................................\n"
				       "a = \"........................................\\\"......\"\n"
				       "b = '''\n........................................''.....'''\n"
				       "c = \"\"\"........................................\"\"\"\"\"\n");
	assert_int_equal(root->count, 3);
	toml_free(root);
	char *large = calloc(1, (16u << 20) + 1);
	assert_non_null(large);
	memset(large, '\n', (16u << 20) + 1);
	assert_refused(large, (16u << 20) + 1, "a.toml:1: ", "16 MiB");
	free(large);
}

static void test_empty(void **state)
{
	(void)state;
	struct toml_node *root = NULL;

	assert_int_equal(toml_parse("a.toml", NULL, 0, &root, NULL), 0);
	assert_int_equal(root->count, 0);
	assert_int_equal(root->line, 1);
	toml_free(root);
	toml_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_order_and_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_not_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
