/* tail_test.c: whole, torn and foreign files, plain and compressed. */
#include "tail.h"

#include <stdarg.h>
#include <setjmp.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

static struct text header = {"a,b\n", 4, 4};

static void check_bytes(const void *bytes, size_t count, enum tail_form form, enum tail wanted, uint64_t wanted_good)
{
	int descriptor = memfd_create("ending", MFD_CLOEXEC);
	enum tail tail;
	uint64_t good;

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, bytes, count), count);
	assert_int_equal(tail_find(&(struct tail_file){descriptor, count, form}, &header, &tail, &good, NULL), 0);
	assert_int_equal(tail, wanted);
	if (tail != TAIL_FOREIGN)
		assert_int_equal(good, wanted_good);
	close(descriptor);
}

static void check(const char *text, enum tail wanted, uint64_t wanted_good)
{
	check_bytes(text, strlen(text), TAIL_OF_TEXT, wanted, wanted_good);
}

static void whole_files(void **state)
{
	(void)state;
	check("", TAIL_WHOLE, 0);
	check("a,b\n", TAIL_WHOLE, 4);
	check("a,b\n1,2\n", TAIL_WHOLE, 8);
	check("a,b\r\n1,2\r\n", TAIL_WHOLE, 10);
}

static void torn_files_end_at_a_line(void **state)
{
	(void)state;
	check("a,b\n1,2\n3", TAIL_TORN, 8);
	check("a,b\n1,\"x\n", TAIL_TORN, 4);
	check("a,b\n1", TAIL_TORN, 4);
	check("a,", TAIL_TORN, 0);
	check("a,b", TAIL_TORN, 0);
	check("a,b\r", TAIL_TORN, 0);
	check("a,b\n1,\"x\ny\"\n3,\"two\nlin", TAIL_TORN, 12);
}

/* Longer than what is looked at in one step. Each row has a line end inside of its quotes. */
static void long_files_end_at_a_line(void **state)
{
	static const char row[] = "1,\"x\ny\"\n", torn[] = "3,\"two\nlines\n";
	static char text[20000];
	size_t count = 4;

	(void)state;
	memcpy(text, "a,b\n", count);
	while (count < sizeof(text) - 100) {
		strcpy(text + count, row);
		count += strlen(row);
		if (count % 7 == 0) {
			check(text, TAIL_WHOLE, count);
			strcpy(text + count, torn);
			check(text, TAIL_TORN, count);
		}
	}
}

static void foreign_files_are_left_alone(void **state)
{
	(void)state;
	check("my notes, without a line end", TAIL_FOREIGN, 0);
	check("a,b,c\n1,2,3\n", TAIL_FOREIGN, 0);
	check("a\n", TAIL_FOREIGN, 0);
	check("a,b\rx", TAIL_FOREIGN, 0);
	check_bytes("a,b\n1,2\n", 8, TAIL_OF_FRAMES, TAIL_FOREIGN, 0);
}

static size_t add_frame(char *bytes, size_t at, const char *text)
{
	size_t count = ZSTD_compress(bytes + at, 1000, text, strlen(text), 3);

	assert_false(ZSTD_isError(count));
	return at + count;
}

static void compressed_files_end_at_a_frame(void **state)
{
	char bytes[4000];
	size_t first = add_frame(bytes, 0, "a,b\n1,2\n"), second = add_frame(bytes, first, "3,4\n");

	(void)state;
	check_bytes(bytes, second, TAIL_OF_FRAMES, TAIL_WHOLE, second);
	for (size_t count = first + 1; count < second; count++)
		check_bytes(bytes, count, TAIL_OF_FRAMES, TAIL_TORN, first);
	check_bytes(bytes, first, TAIL_OF_FRAMES, TAIL_WHOLE, first);
	for (size_t count = 1; count < first; count++)
		check_bytes(bytes, count, TAIL_OF_FRAMES, TAIL_TORN, 0);
	memset(bytes + first, 0, 100);
	check_bytes(bytes, first + 100, TAIL_OF_FRAMES, TAIL_TORN, first);
	check_bytes(bytes, add_frame(bytes, 0, "x,y\n1,2\n"), TAIL_OF_FRAMES, TAIL_FOREIGN, 0);
	check_bytes(bytes, add_frame(bytes, 0, "a,"), TAIL_OF_FRAMES, TAIL_FOREIGN, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files),
		cmocka_unit_test(torn_files_end_at_a_line),
		cmocka_unit_test(long_files_end_at_a_line),
		cmocka_unit_test(foreign_files_are_left_alone),
		cmocka_unit_test(compressed_files_end_at_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
