/* access_fuzz.c: what anybody may write into a request before anybody knows who he is, and what stands in the files of
 * tokens and people. The first byte chooses the parser. Nobody without the right secret gets a role; what is written
 * down comes back the same. Runs in a fuzzer or over its corpus. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/access/origin.h"
#include "web/access/panel_token.h"
#include "web/access/peer.h"
#include "web/access/people.h"
#include "web/access/sessions.h"
#include "web/access/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_origin(const char *text)
{
	const char *const list[] = {"daq.lab", "10.1.2.3", "fe80::1", NULL}, *const origins[] = {
										     "https://eve.lab:8443", NULL};
	struct web_request request = {.method = WEB_POST, .path = "/", .server_address = "10.1.2.3", .host = text};
	struct authority authority;
	bool is_tls;

	if (!authority_parse(text, &authority)) {
		char again[300];
		struct authority back;
		bool is_long = strchr(authority.host, ':') != NULL;
		snprintf(again, sizeof(again), is_long ? "[%s]" : "%s", authority.host);
		if (authority_parse(again, &back) || strcmp(back.host, authority.host) != 0)
			abort();
	}
	(void)host_is_ours(&request, list);
	(void)origin_parse(text, &authority, &is_tls);
	request.host = "daq.lab:8000";
	request.origin = text;
	enum site site = site_find(&request, origins);
	if (site == SITE_NONE || site == SITE_LINK)
		abort(); /* a page that says where it is from is never none */
	request.origin = NULL;
	request.fetch_site = text;
	(void)site_find(&request, origins);
}

static void check_cookie(const char *text)
{
	char found[SESSION_TEXT_BYTES];
	struct cookie_name name;

	cookie_format_name(8000, false, &name);
	if (cookie_find(text, &name, found) && (!*found || strlen(found) >= sizeof(found) || !strstr(text, found)))
		abort();
}

static void check_panel_token(const char *text)
{
	struct access_who who = {0};

	/* Nobody finds the key: not even this program knows it. */
	static char secret[DIGEST_TEXT_BYTES(32)];
	uint8_t drawn[32];
	if (!*secret && !digest_draw(drawn, sizeof(drawn)))
		digest_format_text(drawn, sizeof(drawn), secret);
	if (!panel_token_check(text, secret, 1, &who) || who.role != ACCESS_NOBODY)
		abort();
	/* Signed by whoever wrote it: the claims may hold anything. */
	char signed_text[PANEL_TOKEN_BYTES_MAX + 64];
	uint8_t mac[SHA256_BYTES];
	int length = snprintf(signed_text, sizeof(signed_text), "eyJhbGciOiJIUzI1NiJ9.%.8000s", text);
	digest_sign("key", 3, signed_text, (size_t)length, mac);
	signed_text[length++] = '.';
	digest_format_text(mac, sizeof(mac), signed_text + length);
	if (!panel_token_check(signed_text, "key", 1, &who) && who.role == ACCESS_NOBODY)
		abort();
}

static void check_base64(const char *text, size_t count)
{
	unsigned char *out = malloc(count + 1);
	char *again = malloc(DIGEST_TEXT_BYTES(count + 1));
	ssize_t got = out && again ? digest_parse_text(text, count, out, count) : -1;

	if (got >= 0) {
		digest_format_text(out, (size_t)got, again);
		if (strlen(again) != count || memcmp(again, text, count) != 0)
			abort(); /* each text of bytes is one */
	}
	free(out);
	free(again);
}

static void check_tokens(char *text)
{
	struct tokens tokens;

	if (tokens_parse(text, &tokens, NULL))
		return;
	for (size_t i = 0; i < tokens.count; i++)
		if (tokens.items[i].role == ACCESS_NOBODY || !record_name_is_good(tokens.items[i].name))
			abort();
	if (tokens_find(&tokens, "enrg_guessed", 1))
		abort();
	tokens_fini(&tokens);
}

static void check_people(char *text)
{
	struct people people;

	if (people_parse(text, &people, NULL))
		return;
	for (size_t i = 0; i < people.count; i++)
		if (people.items[i].role == ACCESS_NOBODY || !password_hash_is_good(people.items[i].hash) ||
			people_find(&people, people.items[i].name) != &people.items[i])
			abort();
	people_fini(&people);
}

static void check_peer(const char *text)
{
	static const struct peer_end local = {{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}, 40000},
				     remote = {{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}, 8000};
	uint32_t user;

	(void)peer_scan(text, &local, &remote, &user);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	if (count < 1)
		return 0;
	char *text = malloc(count);
	if (!text)
		return 0;
	memcpy(text, bytes + 1, count - 1);
	text[count - 1] = '\0';
	switch (bytes[0]) {
	case 'o':
		check_origin(text);
		break;
	case 'c':
		check_cookie(text);
		break;
	case 'j':
		check_panel_token(text);
		break;
	case 'b':
		check_base64(text, count - 1);
		break;
	case 't':
		check_tokens(text);
		break;
	case 'p':
		check_people(text);
		break;
	default:
		check_peer(text);
		break;
	}
	free(text);
	return 0;
}
