/* deferred.c: see the header. Process: supervisor, main thread. */
#include "supervisor/deferred.h"

#include <string.h>

bool deferred_put(struct deferred *deferred, const struct command *command, bool is_answered)
{
	if (deferred->count == DEFERRED_MAX)
		return false;
	deferred->items[deferred->count] = *command;
	if (is_answered)
		deferred->items[deferred->count].expires_ns = UINT64_MAX;
	json_incref(deferred->items[deferred->count++].body);
	return true;
}

bool deferred_take(struct deferred *deferred, struct command *ret_command)
{
	if (!deferred->count)
		return false;
	*ret_command = deferred->items[0];
	memmove(deferred->items, deferred->items + 1, --deferred->count * sizeof(deferred->items[0]));
	return true;
}

void deferred_fini(struct deferred *deferred)
{
	while (deferred->count)
		command_fini(&deferred->items[--deferred->count]);
}
