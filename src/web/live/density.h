/* density.h: many waveforms as one map: how often a value was there at that time. Pure functions on the caller's
 * arrays. Process: enrgdaq-web. */
#ifndef WEB_LIVE_DENSITY_H
#define WEB_LIVE_DENSITY_H

#include <stdint.h>

struct density_map {
	uint32_t width, height; /* columns of time, rows of value */
	float low, high;        /* values of the lower edge of the first row and the upper edge of the last */
};

/* Counts each value where it belongs: counts[row * width + column], 65,535 at most. Those outside of the range are
 * counted in no row; NANs neither. Returns how many were outside. */
uint32_t density_add(const struct density_map *map, const float *values, uint32_t count, uint16_t *counts);
/* A range in which all of the values lie, with a tenth of it free above and below. */
void density_range(const float *values, uint32_t count, float *ret_low, float *ret_high);

#endif
