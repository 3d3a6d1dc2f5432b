/* query.c: see the header. */
#include "web/api/query.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define PIECE_BYTES 2048u

/* 0; -1: too long, or not a text. */
static int decode(const char *from, size_t bytes, char ret_text[PIECE_BYTES])
{
	size_t used = 0;

	for (size_t i = 0; i < bytes; i++) {
		char character = from[i] == '+' ? ' ' : from[i];
		if (character == '%') {
			int high = i + 2 < bytes ? text_hex_digit(from[i + 1]) : -1;
			int low = i + 2 < bytes ? text_hex_digit(from[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -1;
			character = (char)(16 * high + low);
			i += 2;
		}
		if (!character || used + 1 == PIECE_BYTES)
			return -1;
		ret_text[used++] = character;
	}
	ret_text[used] = '\0';
	for (size_t at = 0, step; at < used; at += step) {
		step = text_character(ret_text + at, used - at);
		if (!step)
			return -1;
	}
	return 0;
}

static const struct enrg_option *find_option(const struct enrg_table *table, const char *key)
{
	for (const struct enrg_option *option = table ? table->options : NULL; option && option->key; option++)
		if (option->kind != ENRG_OPTION_INCLUDE && !strcmp(option->key, key))
			return option;
	return NULL;
}

static json_t *parse_integer(const char *text)
{
	char *end;

	errno = 0;
	long long number = strtoll(text, &end, 10);
	bool is_number = (*text == '-' || (*text >= '0' && *text <= '9')) && !*end && !errno;
	return is_number ? json_integer(number) : NULL;
}

static json_t *parse_number(const char *text)
{
	char *end;
	bool is_plain = *text && strspn(text, "0123456789+-.eE") == strlen(text);
	double number = strtod(text, &end);

	return is_plain && !*end && isfinite(number) ? json_real(number) : NULL;
}

/* NULL: it is none of that kind. */
static json_t *parse_value(const struct enrg_option *option, const char *text)
{
	switch (option ? option->kind : ENRG_OPTION_STRING) {
	case ENRG_OPTION_BOOL:
		if (!strcmp(text, "true"))
			return json_true();
		return !strcmp(text, "false") ? json_false() : NULL;
	case ENRG_OPTION_INT:
	case ENRG_OPTION_INT_LIST:
		return parse_integer(text);
	case ENRG_OPTION_FLOAT:
		return parse_number(text);
	case ENRG_OPTION_STRING:
	case ENRG_OPTION_CHOICE:
	case ENRG_OPTION_STRING_LIST:
	case ENRG_OPTION_TABLE: /* no query has these: what comes is refused where it is filled */
	case ENRG_OPTION_TABLE_LIST:
	case ENRG_OPTION_MAP:
	case ENRG_OPTION_INCLUDE:
		return json_string(text);
	}
	return NULL;
}

static const char *expected(const struct enrg_option *option)
{
	bool is_integer = option && (option->kind == ENRG_OPTION_INT || option->kind == ENRG_OPTION_INT_LIST);

	if (option && option->kind == ENRG_OPTION_BOOL)
		return "true or false";
	return is_integer ? "an integer" : "a number";
}

/* 0; -1: ret_wrong says why. */
static int add(json_t *query, const struct enrg_option *option, const char *key, json_t *value)
{
	bool is_list = option && (option->kind == ENRG_OPTION_INT_LIST || option->kind == ENRG_OPTION_STRING_LIST);
	json_t *list = json_object_get(query, key);

	if (!is_list)
		return list ? -1 : json_object_set(query, key, value);
	if (!list) {
		json_object_set_new(query, key, json_array());
		list = json_object_get(query, key);
	}
	return json_array_append(list, value);
}

static int take(json_t *query, const struct enrg_table *table, const char *piece, size_t bytes, char *ret_wrong,
	size_t wrong_bytes)
{
	const char *sign = memchr(piece, '=', bytes);
	size_t key_bytes = sign ? (size_t)(sign - piece) : bytes;
	char key[PIECE_BYTES], text[PIECE_BYTES];

	if (decode(piece, key_bytes, key) || decode(sign ? sign + 1 : "", sign ? bytes - key_bytes - 1 : 0, text)) {
		snprintf(ret_wrong, wrong_bytes, "the query is not plain UTF-8 text, or a part of it is too long");
		return -1;
	}
	const struct enrg_option *option = find_option(table, key);
	json_t *value = parse_value(option, text);
	int rc = value ? add(query, option, key, value) : -1;
	if (!value)
		snprintf(ret_wrong, wrong_bytes, "%.100s: %s was expected", key, expected(option));
	else if (rc)
		snprintf(ret_wrong, wrong_bytes, "%.100s: stands in the query twice", key);
	text_make_safe(ret_wrong, strlen(ret_wrong));
	json_decref(value);
	return rc;
}

json_t *query_parse(const char *query, const struct enrg_table *table, char *ret_wrong, size_t wrong_bytes)
{
	json_t *json = json_object();
	int rc = json ? 0 : -1;

	ret_wrong[0] = '\0';
	while (rc == 0 && *query) {
		size_t bytes = strcspn(query, "&");
		if (bytes)
			rc = take(json, table, query, bytes, ret_wrong, wrong_bytes);
		query += bytes + (query[bytes] == '&');
	}
	if (rc == 0)
		return json;
	json_decref(json);
	return NULL;
}
