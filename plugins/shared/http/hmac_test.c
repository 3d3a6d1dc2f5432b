/* hmac_test.c: values of FIPS 180-4 and RFC 4231. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "http/hmac.h"

static void expect(const uint8_t mac[HMAC_BYTES], const char *text)
{
	char found[HMAC_HEX_BYTES];

	hmac_format(mac, found);
	assert_string_equal(found, text);
}

static void digests_are_those_of_the_standard(void **state)
{
	uint8_t digest[HMAC_BYTES];
	char many[1000];

	(void)state;
	hmac_digest("abc", 3, digest);
	expect(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	hmac_digest("", 0, digest);
	expect(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	hmac_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest);
	expect(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(many, 'a', sizeof(many));
	hmac_digest(many, sizeof(many), digest);
	expect(digest, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

static void signatures_are_those_of_the_rfc(void **state)
{
	uint8_t mac[HMAC_BYTES], key[131];

	(void)state;
	hmac_sign("Jefe", 4, "what do ya want for nothing?", 28, mac);
	expect(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sign(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
	expect(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_standard),
		cmocka_unit_test(signatures_are_those_of_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
