/* certificate_test.c: TLS with certificates that are made here, changed while the server runs, and wrong ones. */
#include "fixtures/http_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "web/http/certificate.h"

static char folder[64], certificate_path[100], key_path[100];
static struct reply reply;

static EVP_PKEY *make_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *certificate = X509_new();

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()));
	return certificate;
}

/* Each file by renaming, as a script of an authority does it. */
static FILE *open_new(char new_path[120], const char *path)
{
	snprintf(new_path, 120, "%s.new", path);
	FILE *file = fopen(new_path, "we");
	assert_non_null(file);
	return file;
}

static void write_files(const char *name)
{
	char new_path[120];
	EVP_PKEY *key = make_key();
	X509 *certificate = make_certificate(key, name);
	FILE *file = open_new(new_path, key_path);

	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	rename(new_path, key_path);
	file = open_new(new_path, certificate_path);
	PEM_write_X509(file, certificate);
	fclose(file);
	rename(new_path, certificate_path);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void write_text(const char *path, const char *text)
{
	char new_path[120];
	FILE *file = open_new(new_path, path);

	fputs(text, file);
	fclose(file);
	rename(new_path, path);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/enrg-tls-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(certificate_path, sizeof(certificate_path), "%s/certificate.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	write_files("first");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(certificate_path);
	unlink(key_path);
	return rmdir(folder);
}

/* --- a client --- */

struct tls {
	SSL_CTX *context;
	SSL *ssl;
	int client;
	bool is_open;
};

static void tls_open(struct tls *tls, int version_max)
{
	static const unsigned char protocols[] = "\x02h2\x08http/1.1";

	*tls = (struct tls){.context = SSL_CTX_new(TLS_client_method()), .client = connect_client()};
	SSL_CTX_set_security_level(tls->context, 0);
	SSL_CTX_set_min_proto_version(tls->context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(tls->context, version_max);
	SSL_CTX_set_alpn_protos(tls->context, protocols, sizeof(protocols) - 1);
	tls->ssl = SSL_new(tls->context);
	SSL_set_fd(tls->ssl, tls->client);
	tls->is_open = SSL_connect(tls->ssl) == 1;
	ERR_clear_error();
}

static void tls_close(struct tls *tls)
{
	SSL_free(tls->ssl);
	SSL_CTX_free(tls->context);
	close(tls->client);
}

static void peer_name(const struct tls *tls, char ret_name[64])
{
	X509 *certificate = SSL_get1_peer_certificate(tls->ssl);

	assert_non_null(certificate);
	X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, ret_name, 64);
	X509_free(certificate);
}

static size_t tls_ask(struct tls *tls, const char *request, char *ret_answer, size_t answer_bytes)
{
	size_t at = 0;
	int got;

	assert_int_equal(SSL_write(tls->ssl, request, (int)strlen(request)), strlen(request));
	while (at + 1 < answer_bytes && (got = SSL_read(tls->ssl, ret_answer + at, (int)(answer_bytes - at - 1))) > 0)
		at += (size_t)got;
	ret_answer[at] = '\0';
	return at;
}

/* --- tests --- */

static int serve_tls(void **state)
{
	make_folder(state);
	return serve(&(struct http_params){
		.tls_certificate = certificate_path, .tls_key = key_path, .limits = {.request_ms = 20000}});
}

static int serve_tls_no_more(void **state)
{
	serve_no_more(state);
	return remove_folder(state);
}

static void requests_come_over_tls(void **state)
{
	static char answer[5 << 20];
	const unsigned char *protocol;
	unsigned protocol_bytes;
	struct tls tls;

	(void)state;
	tls_open(&tls, 0);
	assert_true(tls.is_open);
	SSL_get0_alpn_selected(tls.ssl, &protocol, &protocol_bytes);
	assert_int_equal(protocol_bytes, 8);
	assert_memory_equal(protocol, "http/1.1", 8);
	tls_ask(&tls, GET("/a") GET("/later") GET("/large") "GET /z HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		answer, sizeof(answer));
	assert_non_null(strstr(answer, "GET /a? token= host=localhost body=0: from=127.0.0.1 proto=https loopback"));
	assert_non_null(strstr(answer, "later"));
	assert_non_null(strstr(answer, "abcdefghijklmnopqrstuvwabc"));
	assert_non_null(strstr(answer, "GET /z?"));
	/* the end is said, not only reached */
	assert_int_equal(SSL_get_shutdown(tls.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
	tls_close(&tls);
}

static void old_versions_and_plain_text_are_refused(void **state)
{
	static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
	struct tls tls;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		tls_open(&tls, versions[i]);
		assert_int_equal(tls.is_open, i >= 2);
		tls_close(&tls);
	}
	int client = connect_client();
	send_text(client, GET("/"));
	read_reply(client, true, &reply);
	assert_int_equal(reply.status, 0);
	close(client);
	wait_for_connections(0);
}

static void a_changed_certificate_is_used(void **state)
{
	char name[64] = "";
	struct tls before, tls;

	(void)state;
	tls_open(&before, 0);
	peer_name(&before, name);
	assert_string_equal(name, "first");
	write_files("second");
	for (uint64_t begin = clock_mono_ns(); strcmp(name, "second") != 0; usleep(20000)) {
		assert_true(clock_mono_ns() - begin < PATIENCE_S * UINT64_C(1000000000));
		tls_open(&tls, 0);
		assert_true(tls.is_open);
		peer_name(&tls, name);
		tls_close(&tls);
	}
	/* who is there stays */
	char answer[5000];
	tls_ask(&before, "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, "GET /x?"));
	tls_close(&before);
}

static void a_wrong_certificate_changes_nothing(void **state)
{
	struct certificate certificate = {.path = certificate_path, .key_path = key_path};
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	struct enrg_error err = {0};
	char kept_key[120];

	(void)state;
	assert_int_equal(certificate_load(&certificate, context, &err), 0);
	X509 *own = SSL_CTX_get0_certificate(context);
	assert_non_null(own);
	assert_false(certificate_has_changed(&certificate));
	write_text(certificate_path, "half a file");
	assert_true(certificate_has_changed(&certificate));
	assert_int_equal(certificate_load(&certificate, context, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, certificate_path));
	assert_non_null(strstr(err.text, "no certificate as PEM"));
	assert_false(certificate_has_changed(&certificate)); /* is said once */
	snprintf(kept_key, sizeof(kept_key), "%s.kept", key_path);
	rename(key_path, kept_key);
	write_files("other");
	rename(kept_key, key_path);
	assert_int_equal(certificate_load(&certificate, context, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "do not belong together"));
	write_text(key_path, "");
	assert_int_equal(certificate_load(&certificate, context, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "no private key"));
	unlink(key_path);
	assert_int_equal(certificate_load(&certificate, context, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "can't be read"));
	assert_ptr_equal(SSL_CTX_get0_certificate(context), own);
	write_files("third");
	assert_int_equal(certificate_load(&certificate, context, &err), 0);
	SSL_CTX_free(context);
}

static void what_can_not_be_opened_is_explained(void **state)
{
	char other[100];

	(void)state;
	snprintf(other, sizeof(other), "%s/none.pem", folder);
	assert_int_equal(serve(&(struct http_params){.tls_certificate = other, .tls_key = key_path}), ENRG_E_CONFIG);
	assert_non_null(strstr(served.err.text, "none.pem' can't be read"));
	serve_no_more(state);
	assert_int_equal(serve(&(struct http_params){.tls_certificate = certificate_path}), ENRG_E_CONFIG);
	assert_non_null(strstr(served.err.text, "web.tls_key is not"));
	serve_no_more(state);
	assert_int_equal(serve(&(struct http_params){.host = "no such name."}), ENRG_E_CONFIG);
	assert_non_null(strstr(served.err.text, "neither an address nor the name of this machine"));
	serve_no_more(state);
	assert_int_equal(serve(&(struct http_params){.host = "192.0.2.77"}), -EADDRNOTAVAIL);
	assert_non_null(strstr(served.err.text, "192.0.2.77:0: this machine has no such address"));
	serve_no_more(state);
	int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	assert_int_equal(bind(taken, (struct sockaddr *)&address, bytes) || listen(taken, 1), 0);
	getsockname(taken, (struct sockaddr *)&address, &bytes);
	assert_int_equal(serve(&(struct http_params){.port = ntohs(address.sin_port)}), -EADDRINUSE);
	assert_non_null(strstr(served.err.text, " is in use: "));
	serve_no_more(state);
	close(taken);
	assert_int_equal(serve(&(struct http_params){.limits = {.connections = 60001}}), ENRG_E_CONFIG);
	assert_non_null(strstr(served.err.text, "web.connections"));
	serve_no_more(state);
	assert_int_equal(
		serve(&(struct http_params){.proxies = (const char *const[]){"proxy.lab", NULL}}), ENRG_E_CONFIG);
	assert_non_null(strstr(served.err.text, "proxy 'proxy.lab' is not an address"));
	serve_no_more(state);
}

int main(void)
{
	const struct CMUnitTest served_tests[] = {
		cmocka_unit_test(requests_come_over_tls),
		cmocka_unit_test(old_versions_and_plain_text_are_refused),
		cmocka_unit_test(a_changed_certificate_is_used),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_wrong_certificate_changes_nothing, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(what_can_not_be_opened_is_explained, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(served_tests, serve_tls, serve_tls_no_more) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
