/* command_link.h: the asking end of a supervisor's control socket: a SOCK_SEQPACKET socket `control` in its runtime
 * folder, where each message is one command or one answer. Library code of clients; one object belongs to one thread.
 */
#ifndef HANDOVER_COMMAND_LINK_H
#define HANDOVER_COMMAND_LINK_H

#include "handover/command.h"

#define COMMAND_SOCKET_NAME "control"

/* Connects to the supervisor of that runtime folder; *ret_socket does not block and is close-on-exec. -ENOENT and
 * -ECONNREFUSED: nobody listens there; -EACCES: the folder is another user's; err says so. */
int command_link_open(const char *folder, int *ret_socket, struct enrg_error *err);
void command_link_close(int socket); /* -1 is allowed */
/* 0; -EAGAIN: the supervisor does not take messages at the moment; -EPIPE: it is gone. */
int command_link_send(int socket, const struct command *command, struct enrg_error *err);
/* Waits until an answer comes, at most `timeout_ns`. 1: one came; 0: none yet; -EPIPE: the supervisor has hung up;
 * ENRG_E_PROTOCOL: what came is no answer. */
int command_link_recv(int socket, uint64_t timeout_ns, struct command_answer *ret_answer, struct enrg_error *err);

/* The whole of it: connects, sends, waits at most `timeout_ns` for the answer to this command. Where none came,
 * COMMAND_UNKNOWN: it may have been done or not. A negative code: it was not sent; err says why. */
int command_link_ask(const char *folder, const struct command *command, uint64_t timeout_ns,
	struct command_answer *ret_answer, struct enrg_error *err);

/* For both ends: a message of COMMAND_BYTES_MAX finds room. */
void command_link_widen(int socket);
/* For both ends: the address of the socket in `folder`, however long its path is. `folder_descriptor` must stay open
 * while the address is used. Its length. */
struct sockaddr_un;
unsigned command_link_address(int folder_descriptor, struct sockaddr_un *ret_address);

#endif
