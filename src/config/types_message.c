/* types_message.c: what a type of jobs hears from others. */
#include "config/types_message.h"

#include <string.h>

bool types_hears(const struct enrg_job_type *type)
{
	return (type->messages && type->messages[0]) || type->on_alert || type->on_stats || type->on_started ||
	       type->on_stopped || type->on_message;
}

const struct enrg_message_type *types_find_message(const struct enrg_job_type *type, const char *kind)
{
	for (size_t i = 0; type->messages && type->messages[i]; i++)
		if (!strcmp(type->messages[i]->kind, kind))
			return type->messages[i];
	return NULL;
}
