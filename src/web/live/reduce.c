/* reduce.c: see the header. */
#include "web/live/reduce.h"

#include <math.h>

void reduce_pairs(const float *values, uint32_t count, uint32_t width, float *ret_pairs)
{
	for (uint32_t column = 0; column < width; column++) {
		uint32_t from = (uint32_t)((uint64_t)column * count / width);
		uint32_t until = (uint32_t)((uint64_t)(column + 1) * count / width);
		float least = values[from], greatest = values[from];

		for (uint32_t i = from + 1; i < until; i++) {
			/* what is no number compares with nothing */
			least = values[i] < least || isnan(least) ? values[i] : least;
			greatest = values[i] > greatest || isnan(greatest) ? values[i] : greatest;
		}
		ret_pairs[2 * column] = least;
		ret_pairs[2 * column + 1] = greatest;
	}
}

void reduce_average(float *mean, const float *values, uint32_t count, int32_t shift, uint32_t seen, uint32_t of)
{
	float weight = 1.0f / (float)(seen + 1 < of ? seen + 1 : of);

	for (uint32_t i = 0; i < count; i++) {
		int64_t from = (int64_t)i + shift;

		if (from >= 0 && from < (int64_t)count)
			mean[i] += weight * (values[from] - mean[i]);
		else if (!seen)
			mean[i] = values[from < 0 ? 0 : count - 1];
	}
}
