#include "web/http/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

/* What OpenSSL has to say, in words. */
static const char *say_why(char ret_text[256])
{
	unsigned long code = ERR_peek_last_error();

	if (code)
		ERR_error_string_n(code, ret_text, 256);
	else
		snprintf(ret_text, 256, "no PEM data in it");
	ERR_clear_error();
	return ret_text;
}

static int open_file(const char *path, const char *what, FILE **ret_file, struct enrg_error *err)
{
	*ret_file = fopen(path, "re");
	if (*ret_file)
		return 0;
	return enrg_error_set(err, ENRG_E_CONFIG, "%s '%s' can't be read: %s", what, path, strerror(errno));
}

static int read_certificates(const char *path, X509 **ret_own, STACK_OF(X509) * *ret_others, struct enrg_error *err)
{
	FILE *file = NULL;
	char why[256];
	int rc = open_file(path, "web.tls_certificate", &file, err);

	if (rc)
		return rc;
	*ret_own = PEM_read_X509_AUX(file, NULL, NULL, NULL);
	*ret_others = sk_X509_new_null();
	for (X509 *next; *ret_own && *ret_others && (next = PEM_read_X509(file, NULL, NULL, NULL));)
		if (!sk_X509_push(*ret_others, next))
			X509_free(next);
	fclose(file);
	if (*ret_own && *ret_others) {
		ERR_clear_error(); /* the end of the file */
		return 0;
	}
	return enrg_error_set(err, ENRG_E_CONFIG,
		"web.tls_certificate '%s' holds no certificate as PEM (\"-----BEGIN CERTIFICATE-----\"): %s", path,
		say_why(why));
}

/* Never asks a terminal for a password. */
static int give_no_password(char *buffer, int bytes, int is_writing, void *context)
{
	(void)buffer, (void)bytes, (void)is_writing, (void)context;
	return 0;
}

static int read_key(const char *path, EVP_PKEY **ret_key, struct enrg_error *err)
{
	FILE *file = NULL;
	char why[256];
	int rc = open_file(path, "web.tls_key", &file, err);

	if (rc)
		return rc;
	*ret_key = PEM_read_PrivateKey(file, NULL, give_no_password, NULL);
	fclose(file);
	if (*ret_key)
		return 0;
	return enrg_error_set(err, ENRG_E_CONFIG, "web.tls_key '%s' holds no private key as PEM without a password: %s",
		path, say_why(why));
}

static void look(const char *path, struct stat *ret_seen)
{
	if (stat(path, ret_seen))
		memset(ret_seen, 0, sizeof(*ret_seen));
}

int certificate_load(struct certificate *certificate, SSL_CTX *context, struct enrg_error *err)
{
	X509 *own = NULL;
	STACK_OF(X509) *others = NULL;
	EVP_PKEY *key = NULL;
	char why[256];

	/* before they are read: a change while they are is seen the next time */
	look(certificate->path, &certificate->seen);
	look(certificate->key_path, &certificate->key_seen);
	int rc = read_certificates(certificate->path, &own, &others, err);
	if (!rc)
		rc = read_key(certificate->key_path, &key, err);
	/* replaces all or nothing, and only what belongs together */
	if (!rc && SSL_CTX_use_cert_and_key(context, own, key, others, 1) != 1)
		rc = enrg_error_set(err, ENRG_E_CONFIG,
			"web.tls_certificate '%s' and web.tls_key '%s' do not belong together: %s", certificate->path,
			certificate->key_path, say_why(why));
	if (!rc && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		rc = enrg_error_set(err, -EINVAL, "this OpenSSL has no TLS 1.2");
	X509_free(own);
	sk_X509_pop_free(others, X509_free);
	EVP_PKEY_free(key);
	return rc;
}

static bool differs(const char *path, const struct stat *seen)
{
	struct stat now;

	look(path, &now);
	return now.st_ino != seen->st_ino || now.st_dev != seen->st_dev || now.st_size != seen->st_size ||
	       now.st_mtim.tv_sec != seen->st_mtim.tv_sec || now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}

bool certificate_has_changed(const struct certificate *certificate)
{
	return differs(certificate->path, &certificate->seen) || differs(certificate->key_path, &certificate->key_seen);
}
