/* strip.h: the last values of columns of numbers, as they came. One thread. Process: enrgdaq-web. */
#ifndef WEB_LIVE_STRIP_H
#define WEB_LIVE_STRIP_H

#include "web/live/feed.h"

struct strip; /* of a table */

void strip_destroy(struct strip *strip); /* takes NULL */
/* Columns that a strip of this request shows; returns how many: none where one that was asked for is not there or no
 * number. */
uint32_t strip_find(
	const struct feed_request *request, const struct enrg_schema *schema, uint32_t ret_columns[ASK_COLUMNS_MAX]);
/* The batch's rows; the oldest fall out. 0, -ENOMEM. */
int strip_add(struct feed *feed, const struct enrg_batch *batch);
/* NULL: nothing yet. Fills the members of values and times of a frame, which live until the next strip_add. */
bool strip_show(struct feed *feed, struct scope_frame *frame, struct scope_channel channels[ASK_COLUMNS_MAX]);

#endif
