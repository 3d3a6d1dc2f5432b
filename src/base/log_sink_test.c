/* log_sink_test.c: an output that stands still, and one that refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log_sink.h"

#define SECOND 1000000000ull

static struct output {
	pthread_mutex_t gate; /* held: the output stands still */
	int code;
	unsigned lines;
	char last[LOG_LINE_BYTES + 1], lost[200];
} out = {.gate = PTHREAD_MUTEX_INITIALIZER};

static int put(void *context, const char *line, size_t bytes)
{
	struct output *output = context;

	pthread_mutex_lock(&output->gate);
	int rc = output->code;
	if (!rc) {
		memcpy(output->last, line, bytes);
		output->last[bytes] = '\0';
		output->lines++;
	}
	pthread_mutex_unlock(&output->gate);
	return rc;
}

static size_t format_lost(void *context, uint64_t count, int rc, char *line, size_t line_bytes)
{
	struct output *output = context;
	size_t length = (size_t)snprintf(line, line_bytes, "lost %llu code %d\n", (unsigned long long)count, -rc);

	snprintf(output->lost, sizeof(output->lost), "%s", line);
	return length;
}

static const struct log_sink_type type = {.put = put, .format_lost = format_lost};

static int set_up(void **state)
{
	out.code = 0;
	out.lines = 0;
	out.lost[0] = '\0';
	*state = log_sink_create(&type, &out);
	return *state == NULL;
}

static void a_line_is_out_at_once(void **state)
{
	struct log_sink *sink = *state;

	for (unsigned i = 1; i <= 2000; i++) {
		log_sink_add(sink, "one\n", 4, 20 * SECOND);
		assert_int_equal(out.lines, i);
	}
	assert_string_equal(out.last, "one\n");
	assert_true(log_sink_destroy(sink, SECOND));
}

static void nobody_waits_for_an_output_that_stands_still(void **state)
{
	struct log_sink *sink = *state;
	char line[1000];

	memset(line, 'x', sizeof(line));
	pthread_mutex_lock(&out.gate);
	uint64_t begin = clock_mono_ns();
	for (int i = 0; i < 200; i++)
		log_sink_add(sink, line, sizeof(line), 1000000);
	assert_true(clock_mono_ns() - begin < 10 * SECOND); /* 1 ms once, but this machine may be busy */
	assert_false(log_sink_flush(sink, SECOND / 100));
	pthread_mutex_unlock(&out.gate);
	assert_true(log_sink_flush(sink, 20 * SECOND));
	assert_true(log_sink_destroy(sink, SECOND));
	/* 65 fit into 64 KiB, one is in the thread's hands */
	assert_in_range(out.lines, 65, 68);
	assert_string_equal(out.lost, out.lines == 67 ? "lost 134 code 0\n" : "lost 135 code 0\n");
}

static void what_can_t_be_written_is_said_when_it_can(void **state)
{
	struct log_sink *sink = *state;

	out.code = -ENOSPC;
	log_sink_add(sink, "a\n", 2, 20 * SECOND);
	log_sink_add(sink, "b\n", 2, 20 * SECOND);
	pthread_mutex_lock(&out.gate);
	out.code = 0;
	pthread_mutex_unlock(&out.gate);
	log_sink_add(sink, "c\n", 2, 20 * SECOND);
	assert_true(log_sink_destroy(sink, SECOND));
	assert_int_equal(out.lines, 2);
	assert_string_equal(out.last, "lost 2 code 28\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_is_out_at_once, set_up),
		cmocka_unit_test_setup(nobody_waits_for_an_output_that_stands_still, set_up),
		cmocka_unit_test_setup(what_can_t_be_written_is_said_when_it_can, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
