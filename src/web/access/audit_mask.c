/* audit_mask.c: no secret in the audit: values that were declared secret (base/secret.h), values of members and keys
 * whose names say it, and whatever looks like a token of ours. A second fence: who audits a configuration hides its
 * secrets by its tables first. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "web/access/audit.h"
#include "web/access/tokens.h"

enum {
	DEPTH_MAX = 32,
	TOKEN_PART_BYTES = 16, /* of a token that was cut, too; no word of ours goes on for so long */
};

static json_t *mask(json_t *json, unsigned depth);

static bool is_secret_name(const char *name, size_t bytes)
{
	static const char *const words[] = {"password", "passwd", "passphrase", "secret", "token", "authorization",
		"api_key", "apikey", "private_key", "credential", "webhook_url"};
	char lower[80] = {0};

	for (size_t i = 0; i < bytes && i < sizeof(lower) - 1; i++)
		lower[i] = name[i] == '-' ? '_' : (char)tolower((unsigned char)name[i]);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(lower, words[i]))
			return true;
	return false;
}

/* The value behind `name =` or `name:`, to the end of the line. In place, since the mask is shorter than what it takes
 * the place of, or there is none. */
static void mask_lines(char *text)
{
	char *to = text;

	for (char *line = text; *line;) {
		size_t length = strcspn(line, "\n"), key = strcspn(line, "=\n");
		bool is_secret = key < length && is_secret_name(line, key);
		size_t kept = is_secret ? key + 1 : length;
		memmove(to, line, kept);
		to += kept;
		if (is_secret && length - kept >= 6) {
			memcpy(to, " \"***\"", 6);
			to += 6;
		}
		line += length;
		if (*line == '\n')
			*to++ = *line++;
	}
	*to = '\0';
}

/* A token stands where it should not when a proxy leaves its prefix before `/t/TOKEN`, or somebody mistypes it. */
static void mask_tokens(char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

	while ((text = strstr(text, TOKEN_PREFIX)) != NULL) {
		text += sizeof(TOKEN_PREFIX) - 1;
		size_t bytes = strspn(text, letters);
		if (bytes < TOKEN_PART_BYTES)
			continue;
		memcpy(text, SECRET_MASK, sizeof(SECRET_MASK) - 1);
		memmove(text + sizeof(SECRET_MASK) - 1, text + bytes, strlen(text + bytes) + 1);
	}
}

static json_t *mask_text(const char *text, unsigned depth)
{
	char *copy;

	if (*text == '{' || *text == '[') { /* the payload of a message is JSON as text */
		json_t *inner = json_loads(text, 0, NULL);
		copy = inner ? json_dumps(inner = mask(inner, depth + 1), JSON_COMPACT) : strdup(text);
		json_decref(inner);
	} else {
		copy = strdup(text);
	}
	if (!copy)
		return json_null();
	secret_hide(copy);
	mask_tokens(copy);
	if (strchr(copy, '='))
		mask_lines(copy);
	json_t *json = json_string(copy);
	free(copy);
	return json ? json : json_null();
}

/* Takes one, gives one. */
static json_t *mask(json_t *json, unsigned depth)
{
	const char *key;
	json_t *value;
	size_t index;
	void *next;

	if (depth > DEPTH_MAX) {
		json_decref(json);
		return json_string(SECRET_MASK);
	}
	if (json_is_string(json)) {
		json_t *masked = mask_text(json_string_value(json), depth);
		json_decref(json);
		return masked;
	}
	json_object_foreach_safe(json, next, key, value)
	{
		bool is_secret = is_secret_name(key, strlen(key)) && !json_is_boolean(value) && !json_is_null(value);
		json_object_set_new(
			json, key, is_secret ? json_string(SECRET_MASK) : mask(json_incref(value), depth + 1));
	}
	json_array_foreach(json, index, value) json_array_set_new(json, index, mask(json_incref(value), depth + 1));
	return json;
}

void audit_mask(json_t *json)
{
	json_decref(mask(json_incref(json), 0));
}
