/* control_socket.h: where commands come in from outside: a SOCK_SEQPACKET socket `control` in the runtime folder, of
 * mode 0600. Whoever connects is known to the kernel: this user and root are heard, others are told why not. Nothing
 * blocks; clients, and what may wait for one, are bounded; bytes that are no command are answered once, and that client
 * is hung up on. Process: supervisor, main thread. */
#ifndef SUPERVISOR_CONTROL_SOCKET_H
#define SUPERVISOR_CONTROL_SOCKET_H

#include "handover/command.h"

#define CONTROL_CLIENTS_MAX  64u
#define CONTROL_MESSAGES_MAX 64u /* taken in one go, before the rest of the supervisor gets its turn */

struct control_socket;

/* `client` names who is to get the answer; it stays valid, and means nobody any more, when the client has gone. */
typedef void control_socket_command(void *context, uint64_t client, const struct command *command);

int control_socket_open(const char *folder, control_socket_command *on_command, void *context,
	struct control_socket **ret_socket, struct enrg_error *err);
void control_socket_close(struct control_socket *socket); /* removes the name; NULL is allowed */
/* Readable while there is something to take. */
int control_socket_descriptor(const struct control_socket *socket);
void control_socket_take(struct control_socket *socket);
/* A client that does not take its answers is hung up on. */
void control_socket_send(struct control_socket *socket, uint64_t client, const struct command_answer *answer);
/* Once a second: binds the name anew where somebody has removed it. 0, -errno: it can't be. */
int control_socket_look(struct control_socket *socket);

#endif
