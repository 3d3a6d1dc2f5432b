/* sample_test.c: latency of late and of all batches, from a page that this process plays. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "supervisor/member_page.h"
#include "supervisor/sample.h"

#define MS 1000000ull
#define S  1000000000ull

static uint64_t p50(const struct histogram *histogram)
{
	return histogram_quantile(histogram, 0.5);
}

static void latency_is_that_of_the_last_seconds(void **state)
{
	char path[] = "/dev/shm/sample_test.XXXXXX";
	struct plan plan = {.name = "csv", .page_path = path, .is_store = true};
	struct member member = {.plan = &plan, .state = MEMBER_RUNNING, .child = {.pid = getpid()}, .page_file = -1};
	struct roster roster = {.count = 1, .members = &member};
	struct page *page;

	(void)state;
	close(mkstemp(path));
	assert_int_equal(page_create(path, &page, NULL), 0);
	for (int i = 0; i < 1000; i++)
		histogram_add(&page->latency, 6 * S);
	sample_take(&roster, 10 * S);
	assert_true(p50(&member.latency->recent) >= 6 * S);
	sample_take(&roster, 12 * S);
	for (int i = 0; i < 10; i++)
		histogram_add(&page->latency, MS);
	sample_take(&roster, 14 * S);
	assert_in_range(p50(&member.latency->recent), MS, 2 * MS);
	assert_int_equal(atomic_load(&member.latency->recent.count), 10);
	assert_true(p50(&member.latency->all) >= 6 * S);
	sample_take(&roster, 16 * S);
	sample_take(&roster, 18 * S);
	assert_int_equal(atomic_load(&member.latency->recent.count), 0); /* nothing came */
	page_set_reason(page, "a\nb");
	member_page_end_life(&member, getpid());
	assert_string_equal(member.last_reason, "a b");
	assert_int_equal(atomic_load(&member.latency->all.count), 1010);
	free(member.latency);
	page_close(page);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(latency_is_that_of_the_last_seconds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
