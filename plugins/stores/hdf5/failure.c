/* failure.c: turns libhdf5's error stack into one line. Runs in the store's job process, on its main thread. */
#include "failure.h"

#include <errno.h>
#include <hdf5.h>
#include <stdio.h>

struct reason {
	char text[300];
};

/* The innermost entry says what went wrong; libhdf5 hands it over first. */
static herr_t keep_first(unsigned position, const H5E_error2_t *entry, void *context)
{
	struct reason *reason = context;

	if (position == 0)
		snprintf(reason->text, sizeof(reason->text), "%s (%s)", entry->desc, entry->func_name);
	return 0;
}

static struct reason kept;

void failure_keep(void)
{
	kept.text[0] = '\0';
	H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &kept);
}

int failure_set(struct enrg_error *err, const struct shadow *shadow, const char *verb)
{
	struct reason reason = {""};

	H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
	if (!*reason.text)
		reason = kept;
	kept.text[0] = '\0';
	if (shadow->failure < 0)
		return enrg_error_set(
			err, shadow->failure, "%s: can't %s: %s", shadow->path, verb, enrg_error_name(shadow->failure));
	return enrg_error_set(err, -EIO, "%s: can't %s: libhdf5: %s", shadow->path, verb,
		*reason.text ? reason.text : "no reason was given");
}
