/* reduce.h: no more points than a screen has: the least and the greatest of what falls into each of its columns; means
 * of many events. Pure functions on the caller's arrays. Process: enrgdaq-web. */
#ifndef WEB_LIVE_REDUCE_H
#define WEB_LIVE_REDUCE_H

#include <stdint.h>

/* Column i of `width` takes the values from i * count / width to (i + 1) * count / width: min and max of each, one
 * after the other, 2 * width values. NANs are passed over; a column of nothing else is NAN. 1 <= width <= count. */
void reduce_pairs(const float *values, uint32_t count, uint32_t width, float *ret_pairs);

/* One more event into a mean that moves: the last `of` events count, older ones ever less; while there are fewer it is
 * the plain mean. `seen`: how many are in it. Values that are shifted to where none is leave the mean as it is. */
void reduce_average(float *mean, const float *values, uint32_t count, int32_t shift, uint32_t seen, uint32_t of);

#endif
