/* alarms_commands.h: `alarm.ack` and `alarm.mute`. Process: supervisor, main thread. */
#ifndef SUPERVISOR_ALARMS_COMMANDS_H
#define SUPERVISOR_ALARMS_COMMANDS_H

#include "supervisor/alarms.h"
#include "supervisor/commands.h"

/* -ENOSPC. */
int alarms_add_commands(struct alarms *alarms, struct commands *commands);

#endif
