/* hardware.h: which instrument a job reads out, as it says itself: a small file beside its page, for the record of a
 * run. Written by the job's main thread, read by the supervisor. */
#ifndef HANDOVER_HARDWARE_H
#define HANDOVER_HARDWARE_H

#include <stdbool.h>

#include "enrgdaq/error.h"

#define HARDWARE_SUFFIX     ".hardware"
#define HARDWARE_TEXT_BYTES 128u

struct hardware { /* UTF-8; "": not known */
	char model[HARDWARE_TEXT_BYTES], serial[HARDWARE_TEXT_BYTES], firmware[HARDWARE_TEXT_BYTES];
};

/* `page_path`: "…/job.page" has "…/job.hardware" beside it. NULL is ""; longer texts are cut, what could steer a
 * terminal is blanked. */
int hardware_write(
	const char *page_path, const char *model, const char *serial, const char *firmware, struct enrg_error *err);
/* false: the job has said nothing. */
bool hardware_read(const char *page_path, struct hardware *ret_hardware);

#endif
