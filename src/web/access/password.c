/* password.c: see the header. */
#include "web/access/password.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/access/digest.h"

#ifdef ENRG_HAS_CRYPT
#include <crypt.h>

/* Memory of a yescrypt is 16 MB: one at a time is also a bound of that. */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static int check_length(const char *password, struct enrg_error *err)
{
	size_t length = strlen(password);

	if (length < PASSWORD_BYTES_MIN || length > PASSWORD_BYTES_MAX)
		return enrg_error_set(err, -EINVAL, "a password has %d to %d bytes, not %zu: a few words do well",
			PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX, length);
	return 0;
}

static int hash_with(const char *password, const char *setting, char ret_hash[PASSWORD_HASH_BYTES])
{
	struct crypt_data *data = calloc(1, sizeof(*data));

	if (!data)
		return -ENOMEM;
	pthread_mutex_lock(&turn);
	const char *hash = crypt_r(password, setting, data);
	pthread_mutex_unlock(&turn);
	int rc = hash && *hash != '*' && strlen(hash) < PASSWORD_HASH_BYTES ? 0 : -EINVAL;
	if (rc == 0)
		strcpy(ret_hash, hash);
	explicit_bzero(data, sizeof(*data));
	free(data);
	return rc;
}

int password_hash(const char *password, char ret_hash[PASSWORD_HASH_BYTES], struct enrg_error *err)
{
	char salt[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];

	int rc = check_length(password, err);
	if (rc)
		return rc;
	rc = digest_draw(salt, sizeof(salt));
	if (rc)
		return enrg_error_set(err, rc, "no random bytes of the kernel: %s", enrg_error_name(rc));
	if (!crypt_gensalt_rn("$y$", 0, salt, sizeof(salt), setting, sizeof(setting)))
		return enrg_error_set(
			err, -ENOTSUP, "libcrypt of this machine knows no yescrypt; use tokens instead of passwords");
	rc = hash_with(password, setting, ret_hash);
	return rc ? enrg_error_set(err, rc, "the password could not be hashed: %s", enrg_error_name(rc)) : 0;
}

bool password_hash_is_good(const char *hash)
{
	int kind = crypt_checksalt(hash);

	return strlen(hash) < PASSWORD_HASH_BYTES && (kind == CRYPT_SALT_OK || kind == CRYPT_SALT_TOO_CHEAP);
}

bool password_is(const char *password, const char *hash)
{
	static const char nobody[] = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC";
	char made[PASSWORD_HASH_BYTES] = {0}, wanted[PASSWORD_HASH_BYTES] = {0};

	snprintf(wanted, sizeof(wanted), "%s", hash ? hash : nobody);
	if (strlen(password) > PASSWORD_BYTES_MAX || hash_with(password, wanted, made))
		return false;
	bool is_it = digest_is_equal(made, wanted, sizeof(made));
	return is_it && hash;
}
#else
int password_hash(const char *password, char ret_hash[PASSWORD_HASH_BYTES], struct enrg_error *err)
{
	(void)password, (void)ret_hash;
	return enrg_error_set(
		err, -ENOTSUP, "this ENRGDAQ was built without libcrypt: use tokens instead of passwords");
}

bool password_hash_is_good(const char *hash)
{
	(void)hash;
	return false;
}

bool password_is(const char *password, const char *hash)
{
	(void)password, (void)hash;
	return false;
}
#endif
