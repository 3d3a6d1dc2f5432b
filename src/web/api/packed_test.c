/* packed_test.c: what was packed is unpacked by gzip. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "web/api/packed.h"

static void unpacks(const unsigned char *data, size_t count, size_t packed_max)
{
	char path[] = "/dev/shm/enrg-packed-XXXXXX", line[100];
	int descriptor = mkstemp(path);
	struct web_bytes *packed = packed_create(data, count);
	unsigned char *back = malloc(count + 1);

	assert_true(descriptor >= 0);
	assert_non_null(packed);
	assert_non_null(back);
	assert_true(packed->count <= packed_max);
	assert_int_equal(write(descriptor, packed->data, packed->count), (ssize_t)packed->count);
	close(descriptor);
	snprintf(line, sizeof(line), "gzip -dc <%s", path);
	FILE *stream = popen(line, "r");
	assert_non_null(stream);
	assert_int_equal(fread(back, 1, count + 1, stream), count);
	assert_int_equal(pclose(stream), 0);
	assert_memory_equal(back, data, count);
	unlink(path);
	free(back);
	web_bytes_release(packed);
}

static void test_packed(void **state)
{
	enum { COUNT = 300000 };
	unsigned char *data = calloc(1, COUNT);
	uint32_t random = 1;

	(void)state;
	assert_non_null(data);
	unpacks(data, 0, 1000);
	unpacks((const unsigned char *)"{}", 2, 1000);
	unpacks(data, COUNT, COUNT / 10);
	for (size_t i = 0; i < COUNT; i++) {
		random = random * 1664525u + 1013904223u;
		data[i] = (unsigned char)(random >> 24);
	}
	unpacks(data, COUNT, COUNT + 2000); /* nothing is to be gained */
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_packed)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
