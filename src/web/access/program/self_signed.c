/* self_signed.c: by OpenSSL's library. ECDSA with P-256: every browser has it, and a handshake costs little. */
#include "web/access/program/self_signed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef ENRG_HAS_CRYPTO
#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

static int add_names(X509 *certificate, const char *const *names)
{
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
	unsigned char address[16];

	for (; list && *names; names++) {
		GENERAL_NAME *name = GENERAL_NAME_new();
		int family = strchr(*names, ':') ? AF_INET6 : AF_INET;
		bool is_address = inet_pton(family, *names, address) == 1;
		ASN1_STRING *text = is_address ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
		if (!name || !text || !sk_GENERAL_NAME_push(list, name))
			return -ENOMEM;
		if (is_address)
			ASN1_STRING_set(text, address, family == AF_INET ? 4 : 16);
		else
			ASN1_STRING_set(text, *names, -1);
		GENERAL_NAME_set0_value(name, is_address ? GEN_IPADD : GEN_DNS, text);
	}
	int rc = list && X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0) == 1 ? 0 : -EINVAL;
	GENERAL_NAMES_free(list);
	return rc;
}

static int add_extension(X509 *certificate, int kind, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	int rc = extension && X509_add_ext(certificate, extension, -1) == 1 ? 0 : -EINVAL;
	X509_EXTENSION_free(extension);
	return rc;
}

static int set_serial(X509 *certificate)
{
	BIGNUM *number = BN_new();
	int rc = number && BN_rand(number, 159, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
				 BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate))
			 ? 0
			 : -EINVAL;

	BN_free(number);
	return rc;
}

static int set_subject(X509 *certificate, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	char common[65]; /* RFC 5280 has no longer ones; what counts are the alternative names */

	snprintf(common, sizeof(common), "%.64s", name);
	if (X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const unsigned char *)"ENRGDAQ", -1, -1, 0) != 1 ||
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0) != 1)
		return -EINVAL;
	return X509_set_issuer_name(certificate, subject) == 1 ? 0 : -EINVAL;
}

static int fill(X509 *certificate, EVP_PKEY *key, const struct self_signed_params *params)
{
	if (X509_set_version(certificate, 2) != 1 || set_serial(certificate) ||
		set_subject(certificate, params->names[0]) ||
		!X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) || /* clocks of browsers differ */
		!X509_gmtime_adj(X509_getm_notAfter(certificate), (long)params->days * 86400) ||
		X509_set_pubkey(certificate, key) != 1)
		return -EINVAL;
	if (add_names(certificate, params->names) ||
		add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") ||
		add_extension(certificate, NID_key_usage, "critical,digitalSignature") ||
		add_extension(certificate, NID_ext_key_usage, "serverAuth") ||
		add_extension(certificate, NID_subject_key_identifier, "hash"))
		return -EINVAL;
	return X509_sign(certificate, key, EVP_sha256()) > 0 ? 0 : -EINVAL;
}

/* malloc'ed; NULL. Frees `memory`. */
static char *take_text(BIO *memory, int is_written)
{
	char *bytes;
	long count = is_written == 1 ? BIO_get_mem_data(memory, &bytes) : 0;
	char *text = count > 0 ? strndup(bytes, (size_t)count) : NULL;

	BIO_free(memory);
	return text;
}

int self_signed_make(
	const struct self_signed_params *params, char **ret_key, char **ret_certificate, struct enrg_error *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	BIO *key_text = BIO_new(BIO_s_secmem()), *certificate_text = BIO_new(BIO_s_mem());

	int rc = key && certificate && key_text && certificate_text ? fill(certificate, key, params) : -ENOMEM;
	*ret_key = take_text(key_text, rc ? 0 : PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL));
	*ret_certificate = take_text(certificate_text, rc ? 0 : PEM_write_bio_X509(certificate_text, certificate));
	X509_free(certificate);
	EVP_PKEY_free(key);
	if (*ret_key && *ret_certificate)
		return 0;
	char reason[200];
	ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
	free(*ret_key);
	free(*ret_certificate);
	return enrg_error_set(err, rc ? rc : -ENOMEM, "OpenSSL made no certificate: %s", reason);
}
#else
int self_signed_make(
	const struct self_signed_params *params, char **ret_key, char **ret_certificate, struct enrg_error *err)
{
	(void)params, (void)ret_key, (void)ret_certificate;
	return enrg_error_set(err, -ENOTSUP,
		"this ENRGDAQ was built without OpenSSL: `openssl req -x509 -newkey ec …` makes a certificate, or your "
		"authority does");
}
#endif
