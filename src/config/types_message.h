/* types_message.h: what a type of jobs hears from others. */
#ifndef CONFIG_TYPES_MESSAGE_H
#define CONFIG_TYPES_MESSAGE_H

#include "enrgdaq/message.h"

/* Does such a job hear anything from others? One without `poll` lives by that alone: it is a service. */
bool types_hears(const struct enrg_job_type *type);
/* The command of that kind which such a job takes, or NULL. */
const struct enrg_message_type *types_find_message(const struct enrg_job_type *type, const char *kind);

#endif
