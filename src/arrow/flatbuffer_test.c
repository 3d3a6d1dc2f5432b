/* flatbuffer_test.c: where vtables stand, which some readers are strict about, and that what was built can be read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "arrow/ipc_layout.h"
#include "arrow/sample.h"

/* polars finds a vtable only behind the vector that led to its table. */
static void assert_behind(const struct fb_table *table)
{
	assert_true(table->vtable > table->at);
}

static void check_keys(struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t count)
{
	struct fb_vector keys;
	struct fb_table key;

	assert_true(fb_read_vector(reader, table, index, 4, &keys));
	assert_int_equal(keys.count, count);
	for (uint32_t i = 0; i < keys.count; i++) {
		assert_true(fb_read_element(reader, &keys, i, &key));
		assert_behind(&key);
	}
}

static struct ipc_head read_message(const void *bytes, size_t count)
{
	struct ipc_head head;
	size_t wanted;

	assert_int_equal(ipc_read_head(bytes, count, &head, &wanted, NULL), 0);
	assert_behind(&head.message);
	assert_behind(&head.header);
	return head;
}

static void check_field(struct fb_reader *reader, const struct fb_table *field)
{
	struct fb_table type, child;
	struct fb_vector children;

	assert_behind(field);
	assert_true(fb_read_table(reader, field, FIELD_TYPE, &type));
	assert_behind(&type);
	assert_true(fb_read_vector(reader, field, FIELD_CHILDREN, 4, &children));
	for (uint32_t i = 0; i < children.count; i++) {
		assert_true(fb_read_element(reader, &children, i, &child));
		check_field(reader, &child);
	}
}

static void vtables_stand_behind_their_tables(void **state)
{
	const struct ipc_origin origin = {"detector", "run-7", "fast"};
	struct ipc_template *template;
	struct fb_vector fields;
	struct fb_table field;
	uint32_t count;
	size_t batch_count;
	void *bytes;

	(void)state;
	assert_int_equal(ipc_encode_schema(sample_schema(), &origin, &bytes, &count, NULL), 0);
	struct ipc_head head = read_message(bytes, count);
	assert_true(fb_read_vector(&head.reader, &head.header, SCHEMA_FIELDS, 4, &fields));
	assert_int_equal(fields.count, SAMPLE_COLUMNS);
	for (uint32_t i = 0; i < fields.count; i++) {
		assert_true(fb_read_element(&head.reader, &fields, i, &field));
		check_field(&head.reader, &field);
	}
	check_keys(&head.reader, &head.header, SCHEMA_KEYS, 1);
	check_keys(&head.reader, &head.message, MESSAGE_KEYS, 1);
	free(bytes);
	assert_int_equal(ipc_template_create(sample_schema(), &origin, &template, NULL), 0);
	uint8_t *batch = sample_message(template, 3, 1, false, &batch_count);
	head = read_message(batch, batch_count);
	check_keys(&head.reader, &head.message, MESSAGE_KEYS, 9);
	free(batch);
	ipc_template_destroy(template);
}

/* More kinds of tables than are remembered at a time. */
static void many_kinds_of_tables_are_built(void **state)
{
	enum { KINDS = 3 * FB_VTABLES_MAX };
	static const uint8_t root_sizes[1] = {4};
	struct fb_builder builder;
	uint32_t root[1], fields[FB_FIELDS_MAX];
	struct fb_table top, table;
	struct fb_vector tables;

	(void)state;
	fb_init(&builder);
	fb_add_table(&builder, 1, root_sizes, root);
	uint32_t first = fb_add_vector(&builder, root[0], 2 * KINDS, 4, 4);
	for (uint32_t i = 0; i < 2 * KINDS; i++) {
		uint8_t sizes[FB_FIELDS_MAX] = {4};
		for (uint32_t bit = 1; bit < FB_FIELDS_MAX; bit++)
			sizes[bit] = (uint8_t)(i % KINDS >> (bit - 1) & 1);
		fb_link(&builder, first + 4 * i, fb_add_table(&builder, FB_FIELDS_MAX, sizes, fields));
		fb_put(&builder, fields[0], &i, sizeof(i));
	}
	fb_finish(&builder);
	assert_false(builder.is_failed);
	struct fb_reader reader = {.bytes = builder.bytes, .count = builder.count};
	assert_true(fb_read_root(&reader, &top));
	assert_behind(&top);
	assert_true(fb_read_vector(&reader, &top, 0, 4, &tables));
	for (uint32_t i = 0; i < tables.count; i++) {
		assert_true(fb_read_element(&reader, &tables, i, &table));
		assert_behind(&table);
		assert_int_equal(fb_read_number(&reader, &table, 0, 4, 0), i);
		for (uint32_t bit = 1; bit < FB_FIELDS_MAX; bit++)
			assert_int_equal(fb_find_field(&reader, &table, bit, 1) != 0, i % KINDS >> (bit - 1) & 1);
	}
	assert_false(reader.is_bad);
	fb_fini(&builder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtables_stand_behind_their_tables),
		cmocka_unit_test(many_kinds_of_tables_are_built),
	};
	return cmocka_run_group_tests_name("arrow.flatbuffer", tests, NULL, NULL);
}
