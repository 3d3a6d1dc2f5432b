/* root_streamer_test.c: the byte counts of the class descriptions nest as they must, and nothing is left over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "classes.h"

static struct bytes list;
static size_t at;

static int set_up(void **state)
{
	(void)state;
	streamer_put_list(&list, classes, CLASSES);
	at = 0;
	return list.is_short;
}

static int tear_down(void **state)
{
	(void)state;
	bytes_fini(&list);
	return 0;
}

static uint32_t take32(void)
{
	uint32_t value = 0;

	assert_true(at + 4 <= list.count);
	for (unsigned i = 0; i < 4; i++)
		value = value << 8 | list.data[at++];
	return value;
}

static uint32_t take16(void)
{
	uint32_t value = (uint32_t)list.data[at] << 8 | list.data[at + 1];

	at += 2;
	return value;
}

/* Where the object ends. */
static size_t take_count(void)
{
	uint32_t count = take32();

	assert_int_equal(count & 0xC0000000u, 0x40000000u);
	assert_true(at + (count & 0x3FFFFFFFu) <= list.count);
	return at + (count & 0x3FFFFFFFu);
}

static void take_text(char *ret_text)
{
	size_t count = list.data[at++];

	memcpy(ret_text, list.data + at, count);
	ret_text[count] = '\0';
	at += count;
}

static void take_named(char *ret_name)
{
	char title[256];
	size_t end = take_count();

	assert_int_equal(take16(), 1);
	assert_int_equal(take16(), 1); /* TObject */
	at += 8;
	take_text(ret_name);
	take_text(title);
	assert_int_equal(at, end);
}

static void take_class(const char *prefix)
{
	assert_int_equal(take32(), 0xFFFFFFFFu);
	assert_memory_equal(list.data + at, prefix, strlen(prefix));
	at += strlen((const char *)list.data + at) + 1;
}

static void take_element(void)
{
	size_t end = take_count();
	char name[256];

	take_class("TStreamer");
	assert_int_equal(take_count(), end);
	take16();
	size_t inner = take_count();
	assert_int_equal(take16(), 4);
	take_named(name);
	assert_true(*name);
	at = inner;
	assert_true(at <= end);
	at = end;
}

static void take_info(char *ret_name)
{
	size_t end = take_count();

	take_class("TStreamerInfo");
	assert_int_equal(take_count(), end);
	assert_int_equal(take16(), 9);
	take_named(ret_name);
	take32(); /* check sum */
	take32(); /* version */
	assert_int_equal(take_count(), end);
	take_class("TObjArray");
	assert_int_equal(take_count(), end);
	assert_int_equal(take16(), 3);
	at += 10 + 1; /* TObject, name */
	uint32_t count = take32();
	take32();
	for (uint32_t i = 0; i < count; i++)
		take_element();
	assert_int_equal(at, end);
	assert_int_equal(list.data[at++], 0); /* option */
}

static void all_classes_are_described(void **state)
{
	static const char *const wanted[] = {
		"TTree", "TBranch", "TLeafD", "TLeafC", "TObjArray", "ROOT::TIOFeatures", "ROOT::RNTuple", "TNamed"};
	size_t found = 0, end = take_count();
	char name[256];

	(void)state;
	assert_int_equal(take16(), 5);
	at += 10 + 1;
	uint32_t count = take32();
	for (uint32_t i = 0; i < count; i++) {
		take_info(name);
		for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++)
			found += strcmp(name, wanted[k]) == 0;
	}
	assert_int_equal(at, end);
	assert_int_equal(at, list.count);
	assert_int_equal(found, sizeof(wanted) / sizeof(wanted[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_classes_are_described, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
