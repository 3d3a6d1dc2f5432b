/* sha256_test.c: examples of FIPS 180-4, and that it does not matter in which pieces bytes come. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/sha256.h"
#include "base/text.h"

static void examples_of_the_standard_are_met(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
			"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char hex[SHA256_HEX_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		sha256_format(cases[i].text, strlen(cases[i].text), hex);
		assert_string_equal(hex, cases[i].hex);
	}
}

static void pieces_of_any_size_make_the_same(void **state)
{
	uint8_t bytes[300], digest[SHA256_BYTES];
	char whole[SHA256_HEX_BYTES], hex[SHA256_HEX_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	for (size_t count = 0; count <= sizeof(bytes); count++) {
		size_t piece = count % 70 + 1;
		struct sha256 sha256;

		sha256_format(bytes, count, whole);
		sha256_init(&sha256);
		for (size_t at = 0; at < count; at += piece)
			sha256_add(&sha256, bytes + at, count - at < piece ? count - at : piece);
		sha256_finish(&sha256, digest);
		text_format_hex(digest, sizeof(digest), hex);
		assert_string_equal(hex, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_standard_are_met),
		cmocka_unit_test(pieces_of_any_size_make_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
