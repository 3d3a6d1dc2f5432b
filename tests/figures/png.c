/* png.c: a strict reader of the kind of PNG that the figures are. In the process of the test, one thread. */
#include "png.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define COLORS_MAX 16

struct reader {
	struct png *png;
	uint32_t pixel_bytes;
	uint8_t *packed; /* all IDAT chunks */
	size_t packed_count;
	bool has_header, has_end;
};

static uint32_t read_u32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static const char *read_header(struct reader *reader, const uint8_t *body, size_t count)
{
	if (count != 13)
		return "IHDR has another length";
	reader->png->width = read_u32(body);
	reader->png->height = read_u32(body + 4);
	if (body[8] != 8 || (body[9] != 2 && body[9] != 6) || body[10] || body[11] || body[12])
		return "not 8-bit RGB or RGBA without interlace";
	if (!reader->png->width || !reader->png->height || reader->png->width > 20000 || reader->png->height > 20000)
		return "no plausible size";
	reader->pixel_bytes = body[9] == 2 ? 3 : 4;
	reader->has_header = true;
	return NULL;
}

static const char *read_chunk(struct reader *reader, const uint8_t *chunk, size_t count)
{
	const uint8_t *body = chunk + 8;

	if (read_u32(body + count) != crc32(0, chunk + 4, (uInt)count + 4))
		return "a chunk has a wrong CRC";
	if (memcmp(chunk + 4, "IHDR", 4) == 0)
		return reader->has_header ? "two headers" : read_header(reader, body, count);
	if (!reader->has_header)
		return "a chunk ahead of the header";
	if (memcmp(chunk + 4, "IDAT", 4) == 0) {
		memcpy(reader->packed + reader->packed_count, body, count);
		reader->packed_count += count;
	} else if (memcmp(chunk + 4, "pHYs", 4) == 0 && count == 9 && body[8] == 1) {
		reader->png->points_per_metre = read_u32(body);
	} else if (memcmp(chunk + 4, "IEND", 4) == 0) {
		reader->has_end = true;
	}
	return NULL;
}

static int paeth(int left, int above, int corner)
{
	int guess = left + above - corner;
	int to_left = abs(guess - left), to_above = abs(guess - above), to_corner = abs(guess - corner);

	if (to_left <= to_above && to_left <= to_corner)
		return left;
	return to_above <= to_corner ? above : corner;
}

/* Undoes the filter of one row in place. `row` and `above` point behind their filter bytes. */
static bool unfilter(uint8_t *row, const uint8_t *above, size_t row_bytes, size_t pixel_bytes, int filter)
{
	for (size_t i = 0; i < row_bytes; i++) {
		int left = i >= pixel_bytes ? row[i - pixel_bytes] : 0, up = above ? above[i] : 0;
		int corner = above && i >= pixel_bytes ? above[i - pixel_bytes] : 0;
		int by[] = {0, left, up, (left + up) / 2, paeth(left, up, corner)};
		if (filter > 4)
			return false;
		row[i] = (uint8_t)(row[i] + by[filter]);
	}
	return true;
}

static void count_colors(struct png *png, const uint8_t *row, size_t pixel_bytes, uint32_t *colors)
{
	for (size_t i = 0; i < png->width && png->colors < COLORS_MAX; i++) {
		uint32_t color = read_u32(
			(const uint8_t[]){0, row[i * pixel_bytes], row[i * pixel_bytes + 1], row[i * pixel_bytes + 2]});
		size_t k = 0;
		while (k < png->colors && colors[k] != color)
			k++;
		if (k == png->colors)
			colors[png->colors++] = color;
	}
}

static const char *read_pixels(struct reader *reader)
{
	size_t row_bytes = (size_t)reader->png->width * reader->pixel_bytes;
	uLongf wanted = (uLongf)((row_bytes + 1) * reader->png->height), got = wanted;
	uint32_t colors[COLORS_MAX];
	uint8_t *pixels = malloc(wanted), *above = NULL;
	const char *problem = NULL;

	if (!pixels || uncompress(pixels, &got, reader->packed, (uLong)reader->packed_count) != Z_OK || got != wanted)
		problem = "the pixels do not inflate to the size of the picture";
	for (size_t y = 0; !problem && y < reader->png->height; y++) {
		uint8_t *row = pixels + y * (row_bytes + 1);
		if (!unfilter(row + 1, above, row_bytes, reader->pixel_bytes, row[0]))
			problem = "a row has an unknown filter";
		else
			count_colors(reader->png, row + 1, reader->pixel_bytes, colors);
		above = row + 1;
	}
	free(pixels);
	return problem;
}

const char *png_check(const uint8_t *bytes, size_t count, struct png *ret_png)
{
	struct reader reader = {.png = ret_png};
	const char *problem = NULL;
	size_t at = 8;

	memset(ret_png, 0, sizeof(*ret_png));
	if (count < 8 || memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) != 0)
		return "no signature";
	reader.packed = malloc(count);
	while (!problem && !reader.has_end) {
		if (!reader.packed || count - at < 12 || read_u32(bytes + at) > count - at - 12) {
			problem = "the file ends within a chunk or without IEND";
			break;
		}
		size_t length = read_u32(bytes + at);
		problem = read_chunk(&reader, bytes + at, length);
		at += length + 12;
	}
	if (!problem && at != count)
		problem = "something follows IEND";
	if (!problem)
		problem = read_pixels(&reader);
	free(reader.packed);
	return problem;
}
