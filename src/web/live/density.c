/* density.c: see the header. */
#include "web/live/density.h"

#include <math.h>

#define FREE_PART 0.1f

uint32_t density_add(const struct density_map *map, const float *values, uint32_t count, uint16_t *counts)
{
	float rows_a_unit = (float)map->height / (map->high - map->low);
	uint32_t outside = 0;

	for (uint32_t i = 0; i < count; i++) {
		float row = floorf((values[i] - map->low) * rows_a_unit);

		if (isnan(row))
			continue;
		if (row < 0 || row >= (float)map->height) {
			outside++;
			continue;
		}
		uint16_t *cell = &counts[(uint32_t)row * map->width + (uint64_t)i * map->width / count];
		*cell = (uint16_t)(*cell + (*cell < UINT16_MAX));
	}
	return outside;
}

void density_range(const float *values, uint32_t count, float *ret_low, float *ret_high)
{
	float low = INFINITY, high = -INFINITY;

	for (uint32_t i = 0; i < count; i++) {
		if (!isfinite(values[i]))
			continue;
		low = values[i] < low ? values[i] : low;
		high = values[i] > high ? values[i] : high;
	}
	if (low > high)
		low = high = 0;
	float spread = high - low > 0 ? (high - low) * FREE_PART : 1.0f;
	*ret_low = low - spread;
	*ret_high = high + spread;
}
