/* address_test.c: what an address may do, and what the table forgets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "web/http/address.h"

#define SECOND_NS UINT64_C(1000000000)

static struct address_table table;

static struct address *find(const char *text, uint64_t now_ns)
{
	struct sockaddr_storage socket;

	assert_true(address_parse(text, &socket));
	return address_find(&table, &socket, now_ns);
}

static void init(uint32_t gets, uint32_t posts, uint32_t burst)
{
	address_table_init(&table, &(struct address_limits){gets, posts, burst});
}

static unsigned take(struct address *address, bool is_get, uint64_t now_ns)
{
	unsigned taken = 0;

	while (taken < 10000 && address_take(&table, address, is_get, now_ns))
		taken++;
	return taken;
}

static void buckets_fill_by_the_second(void **state)
{
	struct address *address;

	(void)state;
	init(200, 20, 100);
	address = find("192.0.2.1", SECOND_NS);
	assert_int_equal(take(address, true, SECOND_NS), 200);
	assert_int_equal(take(address, false, SECOND_NS), 100);
	assert_int_equal(take(address, true, SECOND_NS * 3 / 2), 100);
	assert_int_equal(take(address, false, SECOND_NS * 2), 20);
	assert_int_equal(take(address, true, SECOND_NS * 1000), 200);
	assert_int_equal(take(address, false, SECOND_NS * 1000), 100);
	/* time that goes back gives nothing */
	assert_int_equal(take(address, true, SECOND_NS), 0);
	init(0, 0, 0);
	assert_int_equal(take(find("192.0.2.1", SECOND_NS), false, SECOND_NS), 10000);
}

static void addresses_are_told_apart(void **state)
{
	(void)state;
	init(200, 20, 100);
	assert_ptr_equal(find("192.0.2.1", 1), find("192.0.2.1:4711", 1));
	assert_ptr_equal(find("192.0.2.1", 1), find("::ffff:192.0.2.1", 1));
	assert_ptr_not_equal(find("192.0.2.1", 1), find("192.0.2.2", 1));
	assert_ptr_equal(find("2001:db8::1", 1), find("[2001:db8::ffff:1]:80", 1));
	assert_ptr_not_equal(find("2001:db8::1", 1), find("2001:db8:0:1::1", 1));
	assert_ptr_not_equal(find("::1", 1), find("::2", 1));
}

static void the_table_forgets_the_oldest_without_connections(void **state)
{
	char text[32];

	(void)state;
	init(200, 20, 100);
	struct address *kept = find("192.0.2.1", 1);
	kept->connections = 1;
	assert_int_equal(take(kept, true, 1), 200);
	struct address *other = find("192.0.2.2", 2);
	assert_int_equal(take(other, true, 2), 200);
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "10.%d.%d.%d", i >> 16, (i >> 8) & 255, i & 255);
		assert_non_null(find(text, 3 + (uint64_t)i));
	}
	assert_ptr_equal(find("192.0.2.1", 4), kept);
	assert_false(address_take(&table, kept, true, 4));
	assert_true(address_take(&table, find("192.0.2.2", 4), true, 4)); /* begins anew */
	for (int i = 0; i < ADDRESS_PLACES; i++)
		table.places[i].connections = 1;
	assert_null(find("203.0.113.1", 5));
}

static void texts_are_read_and_written(void **state)
{
	static const struct {
		const char *text, *again;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1:80", "192.0.2.1"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"[2001:DB8::1]:80", "2001:db8::1"},
		{"2001:db8::1", "2001:db8::1"},
		{"", NULL},
		{"unknown", NULL},
		{"192.0.2", NULL},
		{"[::1", NULL},
		{"1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6", NULL},
	};
	struct sockaddr_storage socket;
	char text[46];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(address_parse(cases[i].text, &socket), cases[i].again != NULL);
		if (!cases[i].again)
			continue;
		address_format(&socket, text);
		assert_string_equal(text, cases[i].again);
	}
	assert_true(address_parse("127.8.8.8", &socket) && address_is_loopback(&socket));
	assert_true(address_parse("::1", &socket) && address_is_loopback(&socket));
	assert_true(address_parse("::ffff:127.0.0.1", &socket) && address_is_loopback(&socket));
	assert_true(address_parse("128.0.0.1", &socket) && !address_is_loopback(&socket));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_fill_by_the_second),
		cmocka_unit_test(addresses_are_told_apart),
		cmocka_unit_test(the_table_forgets_the_oldest_without_connections),
		cmocka_unit_test(texts_are_read_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
