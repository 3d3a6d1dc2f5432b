/* types_message.h: what a type of jobs hears from others. */
#ifndef CONFIG_TYPES_MESSAGE_H
#define CONFIG_TYPES_MESSAGE_H

#include "config/types.h"
#include "enrgdaq/message.h"

/* Does such a job hear anything from others? One without `poll` lives by that alone: it is a service. */
bool types_hears(const struct enrg_job_type *type);
/* What a type hears, of whatever kind it is: a job type that says nothing but its name and that. */
void types_listen(const struct type_entry *type, struct enrg_job_type *ret_listener);
/* The command of that kind which a type takes, or NULL. */
const struct enrg_message_type *types_find_message(const struct enrg_message_type *const *messages, const char *kind);

#endif
