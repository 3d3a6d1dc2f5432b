/* bus.h: ZeroMQ: the broker of a supervisor (XSUB/XPUB on ipc://, or tcp:// for federation later) and its clients. The
 * only folder with <zmq.h>. One bus_client belongs to one thread. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "bus/envelope.h"

struct broker; /* a thread that forwards; nothing in it can be made to fail by a message */

/* Binds `publish_url` (clients publish to it: XSUB) and `subscribe_url` (clients subscribe at it: XPUB). */
int broker_start(
	const char *publish_url, const char *subscribe_url, struct broker **ret_broker, struct enrg_error *err);
/* Where the names of its ipc sockets are gone: binds them anew. Connections that stand are left alone. 0, -errno. */
int broker_bind_again(
	struct broker *broker, const char *publish_url, const char *subscribe_url, struct enrg_error *err);
void broker_stop(struct broker *broker); /* NULL is allowed */
/* Messages and subscriptions thrown away because of their size or shape. */
uint64_t broker_refused(const struct broker *broker);

struct bus_client;

struct bus_client_params {
	const char *publish_url, *subscribe_url;
	const char *supervisor, *job, *job_type; /* for "from"; copied */
};

/* Waits up to 200 ms until the broker is there; without it the client is created all the same and connects later. What
 * is sent while no broker is connected is lost; what is sent after reaches all who had subscribed before. */
int bus_client_create(const struct bus_client_params *params, struct bus_client **ret_client, struct enrg_error *err);
void bus_client_destroy(struct bus_client *client); /* lingers for 100 ms at the most */
/* Takes effect when the broker and the publishers have heard of it, some milliseconds later. */
int bus_client_subscribe(struct bus_client *client, const char *topic_prefix, struct enrg_error *err);
/* Does anybody read such a topic? As far as the broker tells: the first words of topics. */
bool bus_client_is_wanted(struct bus_client *client, const char *topic);
/* Readable when the answer may have changed (ZMQ_FD semantics: ask, and again after each send). */
int bus_client_wishes_descriptor(struct bus_client *client);
/* Publishes body (borrowed) as `kind`; never blocks. What nobody reads is not even written. */
int bus_client_send(
	struct bus_client *client, const char *topic, const char *kind, json_t *body, struct enrg_error *err);
/* 1: a message; 0: none within the timeout; ENRG_E_PROTOCOL: one that was malformed (counted, thrown away). */
int bus_client_recv(struct bus_client *client, int timeout_ms, char *ret_topic, size_t topic_bytes,
	struct envelope *ret_envelope, struct enrg_error *err);
/* Descriptor that becomes readable when something may have come (ZMQ_FD semantics: drain with recv until 0). */
int bus_client_descriptor(struct bus_client *client);
uint64_t bus_client_malformed(const struct bus_client *client);
/* Bytes published so far, topics and envelopes. */
uint64_t bus_client_sent_bytes(const struct bus_client *client);

#endif
