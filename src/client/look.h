/* look.h: what can be found out about a running system beside what its supervisor writes: the files that stores have
 * open, their disks, and whether the program was replaced. No process of the run is asked. Process: whoever looks from
 * outside. */
#ifndef CLIENT_LOOK_H
#define CLIENT_LOOK_H

#include <jansson.h>
#include <stdint.h>

/* Adds "files", "disks" and "program" to the status of the supervisor `pid` with that runtime folder. */
void look_add(json_t *status, const char *folder, int64_t pid);

#endif
