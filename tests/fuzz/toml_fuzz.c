/* toml_fuzz.c: any bytes as a configuration file: the shim must refuse them or give a tree that holds together, and the
 * filler must cope with that tree.
 */
#include <stdlib.h>
#include <string.h>

#include "config/folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_node(const struct toml_node *node, int line_count, int depth)
{
	check(depth <= 32);
	check(node->line >= 1 && node->line <= line_count);
	if (node->kind == TOML_STRING || node->kind == TOML_DATE)
		check(node->text && !node->text[node->text_bytes]);
	if (node->kind != TOML_TABLE && node->kind != TOML_ARRAY)
		check(!node->count);
	for (size_t i = 0; i < node->count; i++) {
		const struct toml_node *child = &node->children[i];
		check((node->kind == TOML_TABLE) == (child->key != NULL));
		if (child->key) {
			check(toml_find(node, child->key) == child); /* so keys differ */
			check(child->key_line >= 1 && child->key_line <= line_count);
			check(!i || node->children[i - 1].key_line <= child->key_line);
		}
		check_node(child, line_count, depth + 1);
	}
}

struct all {
	bool on;
	int64_t integer;
	double number;
	const char *text;
	struct enrg_string_list names;
	struct enrg_int_list numbers;
	struct enrg_map map;
	struct supervisor_options supervisor;
	struct enrg_struct_list list;
};

#define AT(member) offsetof(struct all, member)

static const struct enrg_option all_options[] = {
	{.key = "on", .kind = ENRG_OPTION_BOOL, .offset = AT(on), .help = "x"},
	{.key = "integer", .kind = ENRG_OPTION_INT, .offset = AT(integer), .min = -5, .max = 5, .help = "x"},
	{.key = "number", .kind = ENRG_OPTION_FLOAT, .offset = AT(number), .help = "x"},
	{.key = "text", .kind = ENRG_OPTION_STRING, .offset = AT(text), .required = true, .help = "x"},
	{.key = "names", .kind = ENRG_OPTION_STRING_LIST, .offset = AT(names), .help = "x"},
	{.key = "numbers", .kind = ENRG_OPTION_INT_LIST, .offset = AT(numbers), .help = "x"},
	{.key = "map", .kind = ENRG_OPTION_MAP, .offset = AT(map), .help = "x"},
	{.key = "supervisor",
		.kind = ENRG_OPTION_TABLE,
		.offset = AT(supervisor),
		.table = &supervisor_table,
		.help = "x"},
	{.key = "list", .kind = ENRG_OPTION_TABLE_LIST, .offset = AT(list), .table = &supervisor_table, .help = "x"},
	{0},
};
static const struct enrg_table all_table = {sizeof(struct all), all_options};

static void fill(const struct toml_node *root)
{
	struct options_memory *memory = options_memory_create();
	struct problems problems;
	struct all all;

	problems_init(&problems);
	options_fill(&all_table, &(struct options_text){.node = root, .file = "fuzz.toml"}, &all, memory, &problems);
	for (size_t i = 0; i < all.names.count; i++)
		check(!problems.errors ? all.names.items[i] != NULL : true);
	check(problems.errors || all.text);
	problems_fini(&problems);
	options_memory_destroy(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};
	int line_count = 2; /* a key may end with the file, one line behind the last break */

	for (size_t i = 0; i < count; i++)
		line_count += bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\v' || bytes[i] == '\f';
	if (toml_parse("fuzz.toml", (const char *)bytes, count, &root, &err)) {
		check(!root && err.code < 0 && !strncmp(err.text, "fuzz.toml:", 10));
		return 0;
	}
	check_node(root, line_count, 0);
	fill(root);
	toml_free(root);
	return 0;
}
