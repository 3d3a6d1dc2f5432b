/* types_message.c: what a type of jobs hears from others. */
#include "config/types_message.h"

#include <string.h>

bool types_hears(const struct enrg_job_type *type)
{
	return (type->messages && type->messages[0]) || type->on_alert || type->on_stats || type->on_started ||
	       type->on_stopped || type->on_trace || type->on_combined_stats || type->on_message;
}

void types_listen(const struct type_entry *type, struct enrg_job_type *ret_listener)
{
	const struct enrg_processor_type *processor = type->processor;

	*ret_listener = (struct enrg_job_type){.name = type->name};
	if (type->job)
		*ret_listener = *type->job;
	if (!processor)
		return;
	ret_listener->messages = processor->messages;
	ret_listener->on_alert = processor->on_alert;
	ret_listener->on_stats = processor->on_stats;
	ret_listener->on_started = processor->on_started;
	ret_listener->on_stopped = processor->on_stopped;
	ret_listener->on_message = processor->on_message;
	ret_listener->on_trace = processor->on_trace;
	ret_listener->on_combined_stats = processor->on_combined_stats;
}

const struct enrg_message_type *types_find_message(const struct enrg_message_type *const *messages, const char *kind)
{
	for (size_t i = 0; messages && messages[i]; i++)
		if (!strcmp(messages[i]->kind, kind))
			return messages[i];
	return NULL;
}
