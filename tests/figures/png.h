/* png.h: is a file a real PNG with a picture in it? */
#ifndef FIGURES_PNG_H
#define FIGURES_PNG_H

#include <stddef.h>
#include <stdint.h>

struct png {
	uint32_t width, height, points_per_metre;
	size_t colors; /* distinct ones, counted up to 16 */
};

/* Checks signature, order and CRC of every chunk, and inflates the pixels (8-bit RGB or RGBA, not interlaced). NULL, or
 * what is wrong. */
const char *png_check(const uint8_t *bytes, size_t count, struct png *ret_png);

#endif
