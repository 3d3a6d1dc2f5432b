/* protocol.c: see the header. Job's thread; keeps no state beside what it is given. */
#include "protocol.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* --- bytes to lines ---------------------------------------------------------------------------------------------- */

void lines_init(struct lines *lines, const char *end, size_t end_bytes)
{
	*lines = (struct lines){.end_bytes = end_bytes < LINE_END_BYTES_MAX ? end_bytes : LINE_END_BYTES_MAX};
	memcpy(lines->end, end, lines->end_bytes);
}

void lines_reset(struct lines *lines, bool is_partial)
{
	lines->used = 0;
	lines->is_skipping = false;
	lines->is_partial = is_partial;
}

static bool has_ended(const struct lines *lines)
{
	return lines->used >= lines->end_bytes &&
	       memcmp(lines->buffer + lines->used - lines->end_bytes, lines->end, lines->end_bytes) == 0;
}

/* Of a line that is too long only what may be the beginning of its end is kept. */
static void keep_tail(struct lines *lines)
{
	size_t keep = lines->end_bytes - 1;

	memmove(lines->buffer, lines->buffer + lines->used - keep, keep);
	lines->used = keep;
	lines->is_skipping = true;
}

/* The line in the buffer is whole; NULL: it is left out, and counted. */
static char *take_line(struct lines *lines, size_t *ret_length)
{
	bool is_left_out = lines->is_skipping || lines->is_partial;
	size_t length = lines->used - lines->end_bytes;

	lines->too_long += lines->is_skipping;
	lines->partial += lines->is_partial && !lines->is_skipping;
	lines_reset(lines, false);
	if (is_left_out)
		return NULL;
	if (length && lines->end[0] == '\n' && lines->buffer[length - 1] == '\r')
		length--;
	lines->buffer[length] = '\0';
	*ret_length = length;
	return lines->buffer;
}

char *lines_next(struct lines *lines, const char **bytes, size_t *count, size_t *ret_length)
{
	while (*count) {
		lines->buffer[lines->used++] = **bytes;
		(*bytes)++;
		(*count)--;
		if (has_ended(lines)) {
			char *line = take_line(lines, ret_length);
			if (line)
				return line;
		} else if (lines->used >= LINE_BYTES_MAX + lines->end_bytes) {
			keep_tail(lines);
		}
	}
	return NULL;
}

void line_quote(const char *line, size_t length, char *ret_text, size_t text_bytes)
{
	static const char digits[] = "0123456789abcdef", more[] = "...";
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)line[i];
		if (at + 4 + sizeof(more) > text_bytes) {
			memcpy(ret_text + at, more, sizeof(more) - 1);
			at += sizeof(more) - 1;
			break;
		}
		if (byte >= 0x20 && byte < 0x7f) {
			ret_text[at++] = (char)byte;
			continue;
		}
		ret_text[at++] = '\\';
		ret_text[at++] = 'x';
		ret_text[at++] = digits[byte >> 4];
		ret_text[at++] = digits[byte & 15];
	}
	ret_text[at] = '\0';
}

/* --- the pattern ------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum enrg_type type;
} type_names[] = {{"f64", ENRG_F64}, {"f32", ENRG_F32}, {"i64", ENRG_I64}, {"i32", ENRG_I32}, {"i16", ENRG_I16},
	{"i8", ENRG_I8}, {"u64", ENRG_U64}, {"u32", ENRG_U32}, {"u16", ENRG_U16}, {"u8", ENRG_U8},
	{"string", ENRG_STRING}};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool find_type(const char *name, enum enrg_type *ret_type)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (strcmp(type_names[i].name, name) == 0) {
			*ret_type = type_names[i].type;
			return true;
		}
	}
	return false;
}

/* The next item; NULL: there are too many. */
static struct pattern_item *add_item(struct pattern *pattern, enum pattern_kind kind)
{
	if (pattern->item_count == sizeof(pattern->items) / sizeof(pattern->items[0]))
		return NULL;
	struct pattern_item *item = &pattern->items[pattern->item_count++];
	*item = (struct pattern_item){.kind = kind};
	return item;
}

static bool takes_all(const struct pattern_item *item)
{
	return item->kind == PATTERN_COLUMN || item->kind == PATTERN_REST;
}

/* `field`: what stands between braces, "name:type:unit", in memory of the pattern. */
static int add_column(struct pattern *pattern, char *field, struct enrg_error *err)
{
	char *type = strchr(field, ':'), *unit = type ? strchr(type + 1, ':') : NULL;
	struct enrg_column *column = &pattern->columns[pattern->column_count];

	if (pattern->column_count == PATTERN_COLUMNS_MAX)
		return enrg_error_set(err, -EINVAL, "more than %u columns", PATTERN_COLUMNS_MAX);
	if (type)
		*type++ = '\0';
	if (unit)
		*unit++ = '\0';
	*column = (struct enrg_column){.name = field, .type = ENRG_F64, .unit = unit};
	if (!field[0])
		return enrg_error_set(err, -EINVAL, "a column without a name ({} alone stands for what is left out)");
	if (type && !find_type(type, &column->type))
		return enrg_error_set(err, -EINVAL,
			"column %s: expected a type f64, f32, i64, i32, i16, i8, u64, u32, u16, u8 or string, found "
			"\"%s\"",
			field, type);
	add_item(pattern, PATTERN_COLUMN)->column = pattern->column_count++;
	return 0;
}

/* From "{" on; *at is behind "}" then. */
static int add_field(struct pattern *pattern, char **at, struct enrg_error *err)
{
	char *field = *at + 1, *end = strchr(field, '}');

	if (!end)
		return enrg_error_set(
			err, -EINVAL, "\"%.40s\": \"}\" is missing (a brace itself is written twice)", *at);
	*end = '\0';
	*at = end + 1;
	if (pattern->item_count && takes_all(&pattern->items[pattern->item_count - 1]))
		return enrg_error_set(err, -EINVAL, "{%.40s}: something must stand between two fields", field);
	if (pattern->item_count + 2 > sizeof(pattern->items) / sizeof(pattern->items[0]))
		return enrg_error_set(err, -EINVAL, "more than %u columns", PATTERN_COLUMNS_MAX);
	if (field[0])
		return add_column(pattern, field, err);
	add_item(pattern, PATTERN_REST);
	return 0;
}

/* Text up to a blank or a field; braces that are written twice are moved together. */
static int add_text(struct pattern *pattern, char **at, struct enrg_error *err)
{
	struct pattern_item *item = add_item(pattern, PATTERN_TEXT);
	char *from = *at, *to = *at;

	if (!item)
		return enrg_error_set(err, -EINVAL, "more than %u columns", PATTERN_COLUMNS_MAX);
	item->text = from;
	while (*from && !is_blank(*from)) {
		bool is_brace = *from == '{' || *from == '}';
		if (is_brace && from[1] != *from) {
			if (*from == '{')
				break;
			return enrg_error_set(
				err, -EINVAL, "\"%.40s\": \"}\" without \"{\" (a brace itself is written twice)", from);
		}
		from += is_brace;
		*to++ = *from++;
	}
	item->text_bytes = (size_t)(to - item->text);
	*at = from;
	return 0;
}

static int parse(struct pattern *pattern, struct enrg_error *err)
{
	char *at = pattern->memory;
	int rc = 0;

	while (*at && rc == 0) {
		if (is_blank(*at)) {
			while (is_blank(*at))
				at++;
			if (pattern->item_count && *at && !add_item(pattern, PATTERN_BLANKS))
				rc = enrg_error_set(err, -EINVAL, "more than %u columns", PATTERN_COLUMNS_MAX);
		} else if (*at == '{' && at[1] != '{') {
			rc = add_field(pattern, &at, err);
		} else {
			rc = add_text(pattern, &at, err);
		}
	}
	if (rc == 0 && !pattern->column_count)
		rc = enrg_error_set(err, -EINVAL, "it names no column, such as {temperature:f64}");
	return rc;
}

int pattern_init(struct pattern *pattern, const char *text, struct enrg_error *err)
{
	*pattern = (struct pattern){.memory = strdup(text)};
	if (!pattern->memory)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = parse(pattern, err);
	const struct enrg_schema schema = {.column_count = pattern->column_count, .columns = pattern->columns};
	if (rc == 0)
		rc = enrg_schema_check(&schema, err);
	if (rc < 0)
		pattern_fini(pattern);
	return rc;
}

void pattern_fini(struct pattern *pattern)
{
	free(pattern->memory);
	*pattern = (struct pattern){0};
}

/* --- fields ------------------------------------------------------------------------------------------------------ */

/* The part of a line that has not been matched. */
struct rest {
	char *at, *end;
};

static void skip_blanks(struct rest *rest)
{
	while (rest->at < rest->end && is_blank(*rest->at))
		rest->at++;
}

/* Instruments write a point whatever the language of this process is. NULL: as that language has it. */
static locale_t number_locale(void)
{
	static locale_t locale;

	if (!locale)
		locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	return locale;
}

static bool parse_float(char *text, char **ret_end, struct enrg_value *value)
{
	const char *digits = text + (*text == '-' || *text == '+');
	locale_t locale = number_locale();

	/* strtod takes more than instruments write: blanks of all kinds before it, and hexadecimal digits */
	if (!strchr("0123456789.nNiI", *digits) || (digits[0] == '0' && (digits[1] | 32) == 'x'))
		return false;
	value->f = locale ? strtod_l(text, ret_end, locale) : strtod(text, ret_end);
	return *ret_end != text;
}

static bool parse_integer(enum enrg_type type, char *text, char **ret_end, struct enrg_value *value)
{
	const char *digits = text + (*text == '-' || *text == '+');
	unsigned bits = 8 * enrg_type_bytes(type);

	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	if (enrg_type_is_signed(type)) {
		value->i = strtoll(text, ret_end, 10);
		return errno == 0 && value->i >= INT64_MIN >> (64 - bits) && value->i <= INT64_MAX >> (64 - bits);
	}
	value->u = strtoull(text, ret_end, 10);
	return errno == 0 && *text != '-' && value->u <= UINT64_MAX >> (64 - bits);
}

static bool match_number(enum enrg_type type, struct rest *rest, struct enrg_value *value)
{
	char *end = rest->at;

	skip_blanks(rest);
	/* a number ends at the NUL behind the line at the latest */
	if (rest->at == rest->end || !*rest->at)
		return false;
	bool is_one = enrg_type_is_float(type) ? parse_float(rest->at, &end, value)
					       : parse_integer(type, rest->at, &end, value);
	if (is_one)
		rest->at = end;
	return is_one;
}

/* Where what stands at rest->at ends, up to the item behind it (NULL: there is none); NULL: nowhere. */
static char *find_end(const struct rest *rest, const struct pattern_item *next)
{
	char *end = rest->at;

	if (!next)
		return rest->end;
	if (next->kind == PATTERN_TEXT)
		return memmem(rest->at, (size_t)(rest->end - rest->at), next->text, next->text_bytes);
	while (end < rest->end && !is_blank(*end))
		end++;
	return end;
}

/* Bytes of the UTF-8 sequence at `text`, 0 where it is none. NUL and other control characters are none here. */
static size_t sequence_bytes(const unsigned char *text, size_t left)
{
	size_t bytes = text[0] < 0x80 ? 1 : text[0] < 0xC2 ? 0 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;

	if (bytes == 1)
		return (text[0] >= 0x20 && text[0] != 0x7f) || text[0] == '\t';
	if (bytes == 0 || bytes > left || text[0] > 0xF4)
		return 0;
	for (size_t i = 1; i < bytes; i++)
		if ((text[i] & 0xC0) != 0x80)
			return 0;
	if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
		(text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
		return 0;
	return bytes;
}

static void make_utf8(char *text, size_t count)
{
	for (size_t at = 0, step; at < count; at += step) {
		step = sequence_bytes((const unsigned char *)text + at, count - at);
		if (step)
			continue;
		text[at] = '?';
		step = 1;
	}
}

/* `value` NULL: it is left out. */
static bool match_text(struct rest *rest, const struct pattern_item *next, struct enrg_value *value)
{
	skip_blanks(rest);
	char *end = find_end(rest, next), *begin = rest->at, *last = end;

	if (!end)
		return false;
	rest->at = end;
	if (!value)
		return true;
	while (last > begin && is_blank(last[-1]))
		last--;
	value->data = begin;
	value->count = (uint64_t)(last - begin);
	return true;
}

static bool match_item(const struct pattern *pattern, uint32_t index, struct rest *rest, struct enrg_value *values)
{
	const struct pattern_item *item = &pattern->items[index];
	const struct pattern_item *next = index + 1 < pattern->item_count ? item + 1 : NULL;
	size_t left = (size_t)(rest->end - rest->at);

	switch (item->kind) {
	case PATTERN_TEXT:
		if (left < item->text_bytes || memcmp(rest->at, item->text, item->text_bytes) != 0)
			return false;
		rest->at += item->text_bytes;
		return true;
	case PATTERN_BLANKS:
		skip_blanks(rest);
		return true;
	case PATTERN_REST:
		return match_text(rest, next, NULL);
	case PATTERN_COLUMN:
		break;
	}
	enum enrg_type type = pattern->columns[item->column].type;
	struct enrg_value *value = &values[item->column];
	return type == ENRG_STRING ? match_text(rest, next, value) : match_number(type, rest, value);
}

bool pattern_match(const struct pattern *pattern, char *line, size_t length, struct enrg_value *values)
{
	struct rest rest = {line, line + length};

	skip_blanks(&rest);
	for (uint32_t i = 0; i < pattern->item_count; i++)
		if (!match_item(pattern, i, &rest, values))
			return false;
	skip_blanks(&rest);
	if (rest.at != rest.end)
		return false;
	for (uint32_t i = 0; i < pattern->column_count; i++)
		if (pattern->columns[i].type == ENRG_STRING)
			make_utf8(line + ((const char *)values[i].data - line), values[i].count);
	return true;
}
