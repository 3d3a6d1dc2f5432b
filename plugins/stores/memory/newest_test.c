/* newest_test.c: the newest table of each tag, and disposal. */
#include "newest.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static void newest_of_each_tag_is_kept(void **state)
{
	struct newest newest;
	struct newest_entry *a, *b, *again;

	(void)state;
	newest_init(&newest, 0);
	assert_int_equal(newest_add(&newest, "a", &a, NULL), 0);
	assert_int_equal(newest_add(&newest, "", &b, NULL), 0);
	assert_int_equal(newest_add(&newest, "a", &again, NULL), 0);
	assert_ptr_equal(a, again);
	assert_int_equal(newest_put(&newest, a, &(struct newest_table){"older and longer", 16, 4, 1}, NULL), 0);
	assert_int_equal(newest_put(&newest, a, &(struct newest_table){"newer", 5, 2, 2}, NULL), 0);
	assert_int_equal(newest_put(&newest, b, &(struct newest_table){"", 0, 0, 1}, NULL), 0);
	assert_int_equal(newest.kept, 2);
	assert_int_equal(a->byte_count, 5);
	assert_int_equal(a->rows, 2);
	assert_int_equal(a->sequence, 2);
	assert_memory_equal(a->bytes, "newer", 5);
	newest_fini(&newest);
}

static void copy_is_private_and_grows(void **state)
{
	struct newest newest;
	struct newest_entry *a;
	char bytes[100000];

	(void)state;
	newest_init(&newest, 0);
	assert_int_equal(newest_add(&newest, "a", &a, NULL), 0);
	for (size_t count = 1; count <= sizeof(bytes); count *= 10) {
		memset(bytes, (int)count % 251, count);
		assert_int_equal(newest_put(&newest, a, &(struct newest_table){bytes, count, 1, count}, NULL), 0);
		memset(bytes, 0xEE, count);
		assert_int_equal(((unsigned char *)a->bytes)[count - 1], count % 251);
	}
	newest_fini(&newest);
}

static void all_is_disposed_of_after_n(void **state)
{
	struct newest newest;
	struct newest_entry *a, *b;

	(void)state;
	newest_init(&newest, 3);
	assert_int_equal(newest_add(&newest, "a", &a, NULL), 0);
	assert_int_equal(newest_add(&newest, "b", &b, NULL), 0);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(newest_put(&newest, i == 1 ? a : b, &(struct newest_table){"x", 1, 1, i}, NULL), 0);
	assert_int_equal(newest.kept, 2);
	assert_int_equal(newest_put(&newest, b, &(struct newest_table){"y", 1, 1, 4}, NULL), 0);
	assert_int_equal(newest.kept, 1);
	assert_null(a->bytes);
	assert_int_equal(newest.disposals, 1);
	newest_fini(&newest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_of_each_tag_is_kept),
		cmocka_unit_test(copy_is_private_and_grows),
		cmocka_unit_test(all_is_disposed_of_after_n),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
