/* address_test.c: which addresses may be connected to, in every form that leads to them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "http/address.h"

static struct sockaddr_storage make(const char *text, socklen_t *ret_bytes)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in *four = (struct sockaddr_in *)&storage;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;

	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		*ret_bytes = sizeof(*four);
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
		six->sin6_family = AF_INET6;
		*ret_bytes = sizeof(*six);
	}
	return storage;
}

static enum address_class class_of(const char *text)
{
	socklen_t bytes;
	struct sockaddr_storage storage = make(text, &bytes);

	return address_classify((const struct sockaddr *)&storage, bytes);
}

static void addresses_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum address_class class;
	} cases[] = {
		{"93.184.216.34", ADDRESS_PUBLIC},
		{"2606:2800:220:1::1", ADDRESS_PUBLIC},
		{"127.0.0.1", ADDRESS_LOOPBACK},
		{"127.255.0.9", ADDRESS_LOOPBACK},
		{"::1", ADDRESS_LOOPBACK},
		{"10.1.2.3", ADDRESS_PRIVATE},
		{"172.16.0.1", ADDRESS_PRIVATE},
		{"172.31.255.255", ADDRESS_PRIVATE},
		{"172.32.0.1", ADDRESS_PUBLIC},
		{"192.168.0.1", ADDRESS_PRIVATE},
		{"100.64.0.1", ADDRESS_PRIVATE},
		{"fd12:3456::1", ADDRESS_PRIVATE},
		{"fec0::1", ADDRESS_PRIVATE},
		{"169.254.1.1", ADDRESS_LINK_LOCAL},
		{"fe80::1", ADDRESS_LINK_LOCAL},
		{"febf::1", ADDRESS_LINK_LOCAL},
		{"169.254.169.254", ADDRESS_METADATA},
		{"100.100.100.200", ADDRESS_METADATA},
		{"192.0.0.192", ADDRESS_METADATA},
		{"168.63.129.16", ADDRESS_METADATA},
		{"fd00:ec2::254", ADDRESS_METADATA},
		{"fd20:ce::254", ADDRESS_METADATA},
		{"0.0.0.0", ADDRESS_NONE},
		{"0.1.2.3", ADDRESS_NONE},
		{"::", ADDRESS_NONE},
		{"224.0.0.1", ADDRESS_NONE},
		{"255.255.255.255", ADDRESS_NONE},
		{"ff02::1", ADDRESS_NONE},
		{"192.0.2.1", ADDRESS_NONE},
		{"2001:db8::1", ADDRESS_NONE},
		{"2001::1", ADDRESS_NONE},
		{"4000::1", ADDRESS_NONE},
		/* one inside of another */
		{"::ffff:127.0.0.1", ADDRESS_LOOPBACK},
		{"::ffff:169.254.169.254", ADDRESS_METADATA},
		{"::ffff:10.0.0.1", ADDRESS_PRIVATE},
		{"::ffff:93.184.216.34", ADDRESS_PUBLIC},
		{"::127.0.0.1", ADDRESS_LOOPBACK},
		{"::169.254.169.254", ADDRESS_METADATA},
		{"64:ff9b::169.254.169.254", ADDRESS_METADATA},
		{"64:ff9b::10.0.0.1", ADDRESS_PRIVATE},
		{"64:ff9b:1::a9fe:a9fe", ADDRESS_METADATA},
		{"64:ff9b::93.184.216.34", ADDRESS_PUBLIC},
		{"2002:a9fe:a9fe::1", ADDRESS_METADATA},
		{"2002:7f00:1::", ADDRESS_LOOPBACK},
		{"::ffff:0:127.0.0.1", ADDRESS_LOOPBACK},
		{"::ffff:0.0.0.0", ADDRESS_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (class_of(cases[i].text) != cases[i].class)
			fail_msg("%s is taken for %s", cases[i].text, address_class_name(class_of(cases[i].text)));
	assert_int_equal(address_classify(&(const struct sockaddr){.sa_family = AF_UNIX}, sizeof(struct sockaddr)),
		ADDRESS_NONE);
}

static int judge(const char *text, const char *listed, struct enrg_error *err)
{
	const struct enrg_string_list list = {listed != NULL, &listed};
	socklen_t bytes;
	struct sockaddr_storage storage = make(text, &bytes);

	return address_judge((const struct sockaddr *)&storage, bytes, &list, err);
}

static void a_list_allows_loopback_and_private_alone(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(judge("93.184.216.34", NULL, &err), 0);
	assert_int_equal(judge("127.0.0.1", NULL, &err), -EACCES);
	assert_non_null(strstr(err.text, "127.0.0.1 is a loopback address"));
	assert_non_null(strstr(err.text, "allow_private = [\"127.0.0.1\"]"));
	assert_int_equal(judge("127.0.0.1", "127.0.0.1", &err), 0);
	assert_int_equal(judge("::ffff:127.0.0.1", "127.0.0.1", &err), 0);
	assert_int_equal(judge("127.0.0.2", "127.0.0.1", &err), -EACCES);
	assert_int_equal(judge("127.9.9.9", "127.0.0.0/8", &err), 0);
	assert_int_equal(judge("10.0.0.1", "127.0.0.0/8", &err), -EACCES);
	assert_int_equal(judge("172.20.1.255", "172.20.0.0/15", &err), 0);
	assert_int_equal(judge("172.22.0.1", "172.20.0.0/15", &err), -EACCES);
	assert_int_equal(judge("fd12::7", "fd12::/16", &err), 0);
	/* whatever the list says */
	assert_int_equal(judge("169.254.169.254", "0.0.0.0/0", &err), -EACCES);
	assert_int_equal(judge("64:ff9b::169.254.169.254", "::/0", &err), -EACCES);
	assert_non_null(strstr(err.text, "metadata"));
	assert_null(strstr(err.text, "allow_private"));
}

static int check(const char *entry, struct enrg_error *err)
{
	const struct enrg_string_list list = {1, &entry};

	return address_check_list(&list, "allow_private", err);
}

static void a_list_is_checked(void **state)
{
	static const char *const good[] = {"127.0.0.1", "127.0.0.0/8", "10.1.0.0/16", "::1", "fd00::/8", "fc00::/7"};
	static const char *const bad[] = {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1",
		"0.0.0.0/0", "::/0", "10.0.0.0/7", "169.254.169.254", "fe80::1", "8.8.8.8", "fd00:ec2::254",
		"1111111111111111111111111111111111111111111111111111111111111111111111111"};
	struct enrg_error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(check(good[i], &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(check(bad[i], &err), ENRG_E_CONFIG);
		assert_int_equal(strncmp(err.text, "allow_private: ", 15), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_told_apart),
		cmocka_unit_test(a_list_allows_loopback_and_private_alone),
		cmocka_unit_test(a_list_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
