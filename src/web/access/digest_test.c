/* digest_test.c: test vectors; text that no encoder writes is refused; secrets are compared in constant time. */
#include "web/access/sample.h"

#include <errno.h>
#include <glob.h>

#include "base/text.h"
#include "web/access/digest.h"

/* RFC 4231, cases 1, 2 and 6. */
static void signatures_are_those_of_the_standard(void **state)
{
	uint8_t mac[SHA256_BYTES], key[131];
	char hex[SHA256_HEX_BYTES];

	(void)state;
	memset(key, 0x0b, 20);
	digest_sign(key, 20, "Hi There", 8, mac);
	text_format_hex(mac, sizeof(mac), hex);
	assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	digest_sign("Jefe", 4, "what do ya want for nothing?", 28, mac);
	text_format_hex(mac, sizeof(mac), hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	digest_sign(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
	text_format_hex(mac, sizeof(mac), hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void text_comes_back(void **state)
{
	uint8_t bytes[40], back[40];
	char text[DIGEST_TEXT_BYTES(40)];

	(void)state;
	for (size_t count = 0; count <= sizeof(bytes); count++) {
		assert_int_equal(digest_draw(bytes, count), 0);
		digest_format_text(bytes, count, text);
		assert_int_equal(strlen(text) + 1, DIGEST_TEXT_BYTES(count));
		assert_int_equal(digest_parse_text(text, strlen(text), back, sizeof(back)), (int)count);
		assert_memory_equal(bytes, back, count);
	}
	digest_format_text("\xfb\xff\xfe", 3, text);
	assert_string_equal(text, "-__-");
}

static void other_text_is_refused(void **state)
{
	static const char *const texts[] = {"a", "aaaaa", "aa==", "a+aa", "a/aa", "aa a", "ab", "aab", "aa\n"};
	uint8_t bytes[8];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(digest_parse_text(texts[i], strlen(texts[i]), bytes, sizeof(bytes)), -EINVAL);
	assert_int_equal(digest_parse_text("aa\0a", 4, bytes, sizeof(bytes)), -EINVAL);
	assert_int_equal(digest_parse_text("AAAAAAAAAAAA", 12, bytes, sizeof(bytes)), -EMSGSIZE);
	assert_int_equal(digest_parse_text("AA", 2, bytes, sizeof(bytes)), 1);
}

static void each_byte_counts(void **state)
{
	uint8_t one[32] = {0}, other[32] = {0};

	(void)state;
	assert_true(digest_is_equal(one, other, sizeof(one)));
	for (size_t i = 0; i < 256; i++) {
		other[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_false(digest_is_equal(one, other, sizeof(one)));
		other[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

/* A comparison that ends at the first difference says how much of a guess was right. In this room memcmp looks at
 * addresses alone, and strcmp at names. */
static void nothing_secret_is_compared_otherwise(void **state)
{
	static const char *const secret[] = {"digest", "proof", "secret", "hash", "mac", "password", "signature"};
	char line[512];
	glob_t files = {0};

	(void)state;
	assert_int_equal(glob(ENRG_SOURCE_DIR "/src/web/access/*.c", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		FILE *stream = strstr(files.gl_pathv[i], "_test.c") ? NULL : fopen(files.gl_pathv[i], "r");
		while (stream && fgets(line, sizeof(line), stream)) {
			bool compares = strstr(line, "memcmp(") || strstr(line, "strcmp(") || strstr(line, "strncmp(");
			for (size_t k = 0; compares && k < sizeof(secret) / sizeof(secret[0]); k++)
				if (strstr(line, secret[k]))
					fail_msg("%s: %s", files.gl_pathv[i], line);
		}
		if (stream)
			fclose(stream);
	}
	assert_true(files.gl_pathc > 10);
	globfree(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_are_those_of_the_standard),
		cmocka_unit_test(text_comes_back),
		cmocka_unit_test(other_text_is_refused),
		cmocka_unit_test(each_byte_counts),
		cmocka_unit_test(nothing_secret_is_compared_otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
