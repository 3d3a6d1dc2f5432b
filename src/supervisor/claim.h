/* claim.h: a claim on a runtime folder that stays when the folder is removed: a socket in the abstract name space,
 * which the kernel frees when the process ends. It stands beside the lock, for the seconds in which there is no lock.
 * Process: supervisor.
 *
 * Any user may take such a name. So a taken one counts only where one of this user's processes that sees the same files
 * has it: another user can take the protection away (that is told), and never keep a run from starting.
 */
#ifndef SUPERVISOR_CLAIM_H
#define SUPERVISOR_CLAIM_H

#include "enrgdaq/error.h"

/* 0: *ret_descriptor is the claim, or -1 where it could not be had. -EBUSY: a supervisor of this user has it; err names
 * its pid. The folder exists. */
int claim_take(const char *folder, const char *supervisor, int *ret_descriptor, struct enrg_error *err);

#endif
