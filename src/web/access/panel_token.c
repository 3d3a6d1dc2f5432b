/* panel_token.c: see the header. */
#include "web/access/panel_token.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "web/access/digest.h"

static json_t *read_part(const char *text, size_t length)
{
	char *bytes = malloc(length + 1);
	ssize_t count = bytes ? digest_parse_text(text, length, bytes, length) : -ENOMEM;
	json_t *json = count > 0 ? json_loadb(bytes, (size_t)count, JSON_REJECT_DUPLICATES, NULL) : NULL;

	free(bytes);
	return json;
}

/* The algorithm is ours, not the token's: "none", RS256 with our secret as its key and the like are refused. */
static bool is_head(const char *text, size_t length)
{
	json_t *head = read_part(text, length);
	const char *algorithm = json_string_value(json_object_get(head, "alg"));
	bool is_it = algorithm && !strcmp(algorithm, "HS256") && !json_object_get(head, "crit");

	json_decref(head);
	return is_it;
}

static bool is_signed(const char *text, size_t length, const char *signature, const char *secret)
{
	uint8_t given[SHA256_BYTES], made[SHA256_BYTES];

	if (digest_parse_text(signature, strlen(signature), given, sizeof(given)) != SHA256_BYTES)
		return false;
	digest_sign(secret, strlen(secret), text, length, made);
	return digest_is_equal(given, made, sizeof(made));
}

static bool is_in_time(const json_t *claims, int64_t now_s)
{
	const json_t *end = json_object_get(claims, "exp"), *begin = json_object_get(claims, "nbf");

	if (!json_is_number(end) || !((double)now_s < json_number_value(end)))
		return false;
	return !begin || (json_is_number(begin) && json_number_value(begin) <= (double)now_s + 60);
}

static enum access_role find_role(const json_t *info)
{
	static const struct {
		const char *name;
		enum access_role role;
	} known[] = {{"enrgdaq-control-visitor", ACCESS_VISITOR}, {"enrgdaq-control", ACCESS_USER},
		{"enrgdaq-control-superadmin", ACCESS_ADMIN}};
	enum access_role role = ACCESS_NOBODY;
	const json_t *one;
	size_t index;

	json_array_foreach(json_object_get(info, "roles"), index, one)
	{
		const char *name = json_is_string(one) ? json_string_value(one) : "";
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!strcmp(name, known[i].name) && known[i].role > role)
				role = known[i].role;
	}
	return role;
}

static int read_claims(const char *text, size_t length, int64_t now_s, struct access_who *ret_who)
{
	json_t *claims = read_part(text, length);
	const json_t *info = json_object_get(claims, "user_info");
	const char *email = json_string_value(json_object_get(info, "email")),
		   *name = json_string_value(json_object_get(info, "name"));
	enum access_role role = is_in_time(claims, now_s) ? find_role(info) : ACCESS_NOBODY;

	if (role != ACCESS_NOBODY) {
		ret_who->role = role;
		text_copy(ret_who->name, sizeof(ret_who->name), email && *email ? email : name ? name : "");
	}
	json_decref(claims);
	return role == ACCESS_NOBODY ? -EACCES : 0;
}

int panel_token_check(const char *text, const char *secret, int64_t now_s, struct access_who *ret_who)
{
	const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;

	if (!second || !secret || !*secret || strnlen(text, PANEL_TOKEN_BYTES_MAX) == PANEL_TOKEN_BYTES_MAX)
		return -EACCES;
	if (!is_signed(text, (size_t)(second - text), second + 1, secret) || !is_head(text, (size_t)(first - text)))
		return -EACCES;
	return read_claims(first + 1, (size_t)(second - first - 1), now_s, ret_who);
}
