/* resource_test.c: what URLs and headers mean, and what they may not mean. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "resource.h"

static const char *path_of(const char *url)
{
	static char path[RESOURCE_PATH_BYTES];

	return resource_parse_path(url, 1795867200, path) ? path : NULL; /* 2026-11-28T12:00:00Z */
}

static void paths_are_decoded(void **state)
{
	(void)state;
	assert_string_equal(path_of("/"), ".");
	assert_string_equal(path_of(""), ".");
	assert_string_equal(path_of("/a.csv"), "a.csv");
	assert_string_equal(path_of("//a//b.c/"), "a/b.c");
	assert_string_equal(path_of("/a%20b%2fc+d"), "a b/c+d");
	assert_string_equal(path_of("/%c3%a4"), "\xc3\xa4");
	assert_string_equal(path_of("/TODAY_x.csv"), "2026-11-28_x.csv");
	assert_string_equal(path_of("/YESTERDAY/TODAY"), "2026-11-27/2026-11-28");
	assert_string_equal(path_of("/%54ODAY"), "2026-11-28");
}

static void nothing_leads_out_or_to_hidden_files(void **state)
{
	static const char *const urls[] = {"/..", "/../etc/passwd", "/a/../b", "/%2e%2e/x", "/a/%2E./x", "/.ssh/id",
		"/a/.b", "/%2essh", "/.", "/a/./b", "/a%00.csv", "/a\nb", "/a%0ab", "/%", "/%4", "/%zz", "/a%7f",
		"/%2e", "//..", "/a%2f..%2fb", "/a%2f.x", "/runs_lab.sqlite", "/out/runs_lab.sqlite-wal"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (path_of(urls[i]))
			fail_msg("%s means %s", urls[i], path_of(urls[i]));
}

static void long_paths_are_refused(void **state)
{
	char url[3 * RESOURCE_PATH_BYTES];

	(void)state;
	memset(url, 'a', sizeof(url));
	url[RESOURCE_PATH_BYTES - 1] = '\0';
	assert_non_null(path_of(url));
	url[RESOURCE_PATH_BYTES - 1] = 'a';
	url[RESOURCE_PATH_BYTES] = '\0';
	assert_null(path_of(url));
	for (size_t i = 0; i + 5 < RESOURCE_PATH_BYTES; i += 5)
		memcpy(url + i, "TODAY", 5); /* each becomes longer */
	url[RESOURCE_PATH_BYTES - 6] = '\0';
	assert_null(path_of(url));
}

static void days_hold_over_changes_of_the_clock(void **state)
{
	char path[RESOURCE_PATH_BYTES];

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	/* 2026-03-29 is the day with 23 hours: half past midnight of the day behind it, in summer time */
	assert_true(resource_parse_path("/YESTERDAY/TODAY", 1774823400, path));
	assert_string_equal(path, "2026-03-29/2026-03-30");
	unsetenv("TZ");
	tzset();
}

static void names_are_encoded(void **state)
{
	char url[64], small[4];

	(void)state;
	assert_int_equal(resource_format_path("a b/\"<\xc3\xa4>%", url, sizeof(url)), 24);
	assert_string_equal(url, "a%20b/%22%3C%C3%A4%3E%25");
	assert_int_equal(resource_format_path("a b", small, sizeof(small)), 5);
	assert_int_equal(strlen(small), 3);
}

static void expect_range(const char *header, uint64_t size, enum resource_range wanted, uint64_t first, uint64_t count)
{
	uint64_t found_first = 0, found_count = 0;

	assert_int_equal(resource_parse_range(header, size, &found_first, &found_count), wanted);
	if (wanted == RESOURCE_PART) {
		assert_int_equal(found_first, first);
		assert_int_equal(found_count, count);
	}
}

static void ranges_are_found(void **state)
{
	(void)state;
	expect_range(NULL, 10, RESOURCE_WHOLE, 0, 0);
	expect_range("bytes=0-3", 10, RESOURCE_PART, 0, 4);
	expect_range("Bytes=9-", 10, RESOURCE_PART, 9, 1);
	expect_range("bytes=3-99", 10, RESOURCE_PART, 3, 7);
	expect_range("bytes=-4", 10, RESOURCE_PART, 6, 4);
	expect_range("bytes=-40", 10, RESOURCE_PART, 0, 10);
	expect_range("bytes=10-", 10, RESOURCE_OUTSIDE, 0, 0);
	expect_range("bytes=-0", 10, RESOURCE_OUTSIDE, 0, 0);
	expect_range("bytes=0-", 0, RESOURCE_OUTSIDE, 0, 0);
	expect_range("bytes=0-18446744073709551606", 10, RESOURCE_PART, 0, 10);
	static const char *const wrong[] = {"bytes=", "bytes=-", "bytes=3-1", "bytes=a-b", "bytes=0-1,4-5", "lines=0-1",
		"bytes=0-99999999999999999999", "bytes= 0-1", "bytes=0-1 ", "bytes=--1", "bytes=+1-2"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		expect_range(wrong[i], 10, RESOURCE_WHOLE, 0, 0);
}

static void conditions_are_judged(void **state)
{
	char date[RESOURCE_DATE_BYTES];
	time_t time;

	(void)state;
	assert_true(resource_has_etag("\"a-1\"", "\"a-1\""));
	assert_true(resource_has_etag("W/\"x\", \"a-1\"", "W/\"a-1\""));
	assert_true(resource_has_etag("*", "\"a-1\""));
	assert_false(resource_has_etag("\"a-12\"", "\"a-1\""));
	assert_false(resource_has_etag("\"a-1", "\"a-1\""));
	assert_false(resource_has_etag(NULL, "\"a-1\""));
	resource_format_date(1795867200, date);
	assert_string_equal(date, "Sat, 28 Nov 2026 12:00:00 GMT");
	assert_true(resource_parse_date(date, &time));
	assert_int_equal(time, 1795867200);
	assert_false(resource_parse_date("yesterday", &time));
	assert_false(resource_parse_date(NULL, &time));
}

static void other_hosts_are_others(void **state)
{
	(void)state;
	assert_true(resource_is_own("localhost:8080", "localhost"));
	assert_true(resource_is_own("127.0.0.1", "localhost"));
	assert_true(resource_is_own("[::1]:80", "localhost"));
	assert_true(resource_is_own("LAB7", "lab7"));
	assert_false(resource_is_own("evil.example", "localhost"));
	assert_false(resource_is_own("localhost.evil.example", "localhost"));
	assert_false(resource_is_own("localhost:80@evil", "localhost"));
	assert_false(resource_is_own(NULL, "localhost"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_decoded),
		cmocka_unit_test(nothing_leads_out_or_to_hidden_files),
		cmocka_unit_test(long_paths_are_refused),
		cmocka_unit_test(days_hold_over_changes_of_the_clock),
		cmocka_unit_test(names_are_encoded),
		cmocka_unit_test(ranges_are_found),
		cmocka_unit_test(conditions_are_judged),
		cmocka_unit_test(other_hosts_are_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
