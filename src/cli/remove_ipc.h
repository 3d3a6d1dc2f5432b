/* remove_ipc.h: does logind remove what a user has in /dev/shm when the last session ends? Command `doctor`. */
#ifndef CLI_REMOVE_IPC_H
#define CLI_REMOVE_IPC_H

#include <stdbool.h>
#include <sys/types.h>

/* The setting RemoveIPC in the text of a logind.conf: 1, 0, or -1 where it does not say. */
int remove_ipc_parse(const char *text);
/* In /etc/systemd/logind.conf and its folders; true where nobody says otherwise. */
bool remove_ipc_is_on(void);
/* Does it concern files of that user in that folder: a login user, below /dev/shm, under logind, without lingering? */
bool remove_ipc_concerns(uid_t user, const char *folder);

#endif
