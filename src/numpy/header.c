/* header.c: see the header. In `enrgdaq cat` and `enrgdaq convert`; the bytes may be anything at all. Source: NumPy's
 * documentation of its format, numpy.lib.format. */
#include "numpy/header.h"

#include <stdbool.h>
#include <string.h>

#define MAGIC       "\x93NUMPY"
#define MAGIC_BYTES 6u

struct scanner {
	const uint8_t *at, *end;
};

struct piece {
	const uint8_t *bytes;
	size_t count;
};

static bool is_text(const struct piece *piece, const char *text)
{
	return piece->count == strlen(text) && !memcmp(piece->bytes, text, piece->count);
}

static void skip_spaces(struct scanner *scanner)
{
	while (scanner->at < scanner->end && (*scanner->at == ' ' || *scanner->at == '\n'))
		scanner->at++;
}

static bool take(struct scanner *scanner, char letter)
{
	skip_spaces(scanner);
	if (scanner->at == scanner->end || *scanner->at != (uint8_t)letter)
		return false;
	scanner->at++;
	return true;
}

/* From behind an opening sign up to the closing one. */
static bool take_until(struct scanner *scanner, char closing, struct piece *ret_piece)
{
	const uint8_t *end = memchr(scanner->at, closing, (size_t)(scanner->end - scanner->at));

	if (!end)
		return false;
	*ret_piece = (struct piece){scanner->at, (size_t)(end - scanner->at)};
	scanner->at = end + 1;
	return true;
}

/* A value of the header: a string, a tuple, a list or a word. */
static bool take_value(struct scanner *scanner, struct piece *ret_piece)
{
	if (take(scanner, '\''))
		return take_until(scanner, '\'', ret_piece);
	if (take(scanner, '('))
		return take_until(scanner, ')', ret_piece);
	if (take(scanner, '['))
		return take_until(scanner, ']', ret_piece);
	const uint8_t *start = scanner->at;
	while (scanner->at < scanner->end && *scanner->at >= 'A' && *scanner->at <= 'z')
		scanner->at++;
	*ret_piece = (struct piece){start, (size_t)(scanner->at - start)};
	return scanner->at > start;
}

static bool take_pair(struct scanner *scanner, struct piece *type, struct piece *shape)
{
	struct piece key, value;

	if (!take(scanner, '\'') || !take_until(scanner, '\'', &key) || !take(scanner, ':') ||
		!take_value(scanner, &value))
		return false;
	if (is_text(&key, "descr"))
		*type = value;
	if (is_text(&key, "shape"))
		*shape = value;
	return take(scanner, ',') || true;
}

static int check_literal(struct scanner *scanner, struct enrg_error *err)
{
	struct piece type = {0}, shape = {0};
	bool is_good = take(scanner, '{');

	while (is_good && !take(scanner, '}'))
		is_good = take_pair(scanner, &type, &shape);
	skip_spaces(scanner);
	if (!is_good || scanner->at != scanner->end || !type.bytes || !shape.bytes)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the header of the NumPy record is damaged");
	if (!is_text(&type, "|O") || shape.count)
		return enrg_error_set(err, ENRG_E_CORRUPT,
			"the record is one NumPy array and not a dictionary of arrays, which is what dumps are made "
			"of");
	return 0;
}

int header_parse(const uint8_t *bytes, size_t count, size_t *ret_pickle, struct enrg_error *err)
{
	size_t length = 0, width;

	if (count < 12 || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
		return enrg_error_set(err, ENRG_E_CORRUPT, "no record of NumPy is there");
	if (bytes[6] < 1 || bytes[6] > 3)
		return enrg_error_set(err, ENRG_E_CORRUPT, "version %u of NumPy's format is not known", bytes[6]);
	width = bytes[6] == 1 ? 2 : 4;
	for (size_t i = 0; i < width; i++)
		length |= (size_t)bytes[MAGIC_BYTES + 2 + i] << (8 * i);
	size_t start = MAGIC_BYTES + 2 + width;
	if (length > count - start)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the record ends inside its header");
	struct scanner scanner = {bytes + start, bytes + start + length};
	*ret_pickle = start + length;
	return check_literal(&scanner, err);
}
