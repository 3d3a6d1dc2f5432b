/* digest.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>

int digest_init(struct digest *digest, struct enrg_error *err)
{
	digest->context = EVP_MD_CTX_new();
	if (digest->context && EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) == 1)
		return 0;
	digest_fini(digest);
	return enrg_error_set(err, -ENOMEM, "no SHA-256 from libcrypto");
}

int digest_add(struct digest *digest, const void *bytes, size_t count)
{
	return EVP_DigestUpdate(digest->context, bytes, count) == 1 ? 0 : -ENOMEM;
}

int digest_format(const struct digest *digest, char ret_text[DIGEST_TEXT_BYTES])
{
	unsigned char value[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	unsigned count = 0;
	int is_done =
		copy && EVP_MD_CTX_copy_ex(copy, digest->context) == 1 && EVP_DigestFinal_ex(copy, value, &count) == 1;

	EVP_MD_CTX_free(copy);
	if (!is_done || count != (DIGEST_TEXT_BYTES - 1) / 2)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		snprintf(ret_text + (size_t)2 * i, 3, "%02x", value[i]);
	return 0;
}

void digest_fini(struct digest *digest)
{
	EVP_MD_CTX_free(digest->context);
	digest->context = NULL;
}

int digest_of(const void *bytes, size_t count, char ret_text[DIGEST_TEXT_BYTES])
{
	struct digest digest = {0};
	int rc = digest_init(&digest, NULL);

	if (rc == 0)
		rc = digest_add(&digest, bytes, count);
	if (rc == 0)
		rc = digest_format(&digest, ret_text);
	digest_fini(&digest);
	return rc;
}
