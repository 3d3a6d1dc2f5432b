/* connection.h: one connection to a Redis server, and transactions on it.
 *
 * A hash of marks, one for each store, says up to which sequence the batches of each target are on the server. It
 * changes in the transaction that adds the values. The connection watches it, so that a transaction of an earlier
 * connection that the server carries out late makes ours fail, and not come twice.
 */
#ifndef REDIS_CONNECTION_H
#define REDIS_CONNECTION_H

#include <hiredis.h>

#include "enrgdaq/store.h"
#include "sql/names.h"
#include "request.h"
#include "undo.h"

struct server {
	const char *host, *password; /* NULL: none */
	int port, db;
};

struct connection {
	redisContext *redis;
	const struct server *server;
	char marks[300];  /* the key of the hash */
	char pruned[300]; /* the source whose old marks were looked for last */
	bool has_begun;   /* a transaction is on its way: every command is a part of it */
	struct undo undo; /* of that transaction */
};

/* Errors name the server and the key to look at. */
int connection_open(
	const struct server *server, const char *store, struct connection **ret_connection, struct enrg_error *err);
void connection_close(struct connection *connection); /* takes NULL */

/* `doing`: "text"; adds what to change. `reply` NULL: the connection is broken. */
int connection_fail(
	const struct connection *connection, const char *doing, const redisReply *reply, struct enrg_error *err);
/* Sends at once; one reply, which may be an error. NULL with err set: the connection is broken. */
redisReply *connection_ask(struct connection *connection, struct enrg_error *err, const char *format, ...);
/* The next reply to what was appended to connection->redis; NULL with err set. */
redisReply *connection_next(struct connection *connection, struct enrg_error *err);

int connection_get_mark(
	struct connection *connection, const char *field, uint64_t *ret_sequence, struct enrg_error *err);

/* The fields of marks that other runs of this source, which began long ago, have left: adds the command that removes
 * them. */
int connection_prune_marks(struct connection *connection, const char *source, const char *run, struct request *request,
	struct enrg_error *err);

/* The first commands of a transaction, ahead of the others: the server reads them while the store makes the next. */
int connection_send(struct connection *connection, struct request *request, struct enrg_error *err);
/* Carries the commands out in one step, or none of them. *ret_reply: the replies of all, in order; freeReplyObject().
 */
int connection_execute(
	struct connection *connection, struct request *request, redisReply **ret_reply, struct enrg_error *err);

#endif
