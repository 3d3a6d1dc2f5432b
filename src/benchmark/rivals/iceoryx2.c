/* iceoryx2.c: iceoryx2's publisher and subscriber, as its C examples use them: each message is written into memory that
 * is shared, and read there. A module of its own, so that `enrgdaq` links nothing of it. Prepared by the caller, ends
 * used by its children. Two ways to wait: for an event, which the publisher sends behind every message, or polling. */
#include <errno.h>
#include <iox2/iceoryx2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/copy_tuner.h"
#include "benchmark/rival_module.h"

/* In front of the payload, which begins at a line of the cache. */
#define HEADER_BYTES 64u
#define ALIGNMENT    64u

/* Messages that may wait, of all producers together, as of ENRGDAQ's own link; at least two of each. */
#define WAITING_BYTES (UINT64_C(16) << 20)
#define WAITING_MAX   1000u

struct service {
	const struct rival_params *params;
	bool is_polled;
	char name[64];
};

struct service_end {
	const struct service *service;
	iox2_node_h node;
	iox2_port_factory_pub_sub_h messages;
	iox2_port_factory_event_h events;
	/* of a producer */
	iox2_publisher_h publisher;
	iox2_notifier_h notifier;
	struct copy_tuner copies;
	uint64_t written;
	/* of the consumer */
	iox2_subscriber_h subscriber;
	iox2_listener_h listener;
	iox2_sample_t storage;
	iox2_sample_h sample;
};

static int prepare(const struct rival_params *params, bool is_polled, void **ret_self, struct enrg_error *err)
{
	struct service *self = calloc(1, sizeof(*self));

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->params = params;
	self->is_polled = is_polled;
	snprintf(self->name, sizeof(self->name), "enrgdaq-bench-%d", (int)getpid());
	*ret_self = self;
	return 0;
}

static int prepare_waiting(const struct rival_params *params, void **ret_self, struct enrg_error *err)
{
	return prepare(params, false, ret_self, err);
}

static int prepare_polled(const struct rival_params *params, void **ret_self, struct enrg_error *err)
{
	return prepare(params, true, ret_self, err);
}

static void end(void *context)
{
	free(context); /* the last end of a service has removed what it had in /dev/shm and /tmp */
}

/* --- both ends ---------------------------------------------------------------------------------------------------- */

static void close_end(void *context)
{
	struct service_end *self = context;

	if (self->publisher)
		iox2_publisher_drop(self->publisher);
	if (self->subscriber)
		iox2_subscriber_drop(self->subscriber);
	if (self->notifier)
		iox2_notifier_drop(self->notifier);
	if (self->listener)
		iox2_listener_drop(self->listener);
	if (self->messages)
		iox2_port_factory_pub_sub_drop(self->messages);
	if (self->events)
		iox2_port_factory_event_drop(self->events);
	if (self->node)
		iox2_node_drop(self->node);
	free(self);
}

static size_t buffer_messages(const struct rival_params *params)
{
	uint64_t fits = WAITING_BYTES / params->producers / params->payload_bytes;

	return fits < 2 ? 2 : fits > WAITING_MAX ? WAITING_MAX : fits;
}

/* Nothing may be lost: a publisher waits for the subscriber, and messages do not overwrite each other. */
static int open_messages(struct service_end *self, iox2_service_name_ptr name)
{
	static const char type[] = "enrgdaq-bench";
	const struct rival_params *params = self->service->params;
	iox2_service_builder_pub_sub_h builder =
		iox2_service_builder_pub_sub(iox2_node_service_builder(&self->node, NULL, name));
	uint64_t bytes = (HEADER_BYTES + params->payload_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

	if (iox2_service_builder_pub_sub_set_payload_type_details(
		    &builder, iox2_type_variant_e_FIXED_SIZE, type, sizeof(type) - 1, bytes, ALIGNMENT) != IOX2_OK)
		return -EINVAL;
	iox2_service_builder_pub_sub_set_enable_safe_overflow(&builder, false);
	iox2_service_builder_pub_sub_set_max_publishers(&builder, params->producers);
	iox2_service_builder_pub_sub_set_max_subscribers(&builder, 1);
	iox2_service_builder_pub_sub_set_subscriber_max_buffer_size(&builder, buffer_messages(params));
	iox2_service_builder_pub_sub_set_subscriber_max_borrowed_samples(&builder, 1);
	iox2_service_builder_pub_sub_set_history_size(&builder, 0);
	return iox2_service_builder_pub_sub_open_or_create(builder, NULL, &self->messages) == IOX2_OK ? 0
												      : -ECONNREFUSED;
}

static int open_events(struct service_end *self, iox2_service_name_ptr name)
{
	iox2_service_builder_event_h builder =
		iox2_service_builder_event(iox2_node_service_builder(&self->node, NULL, name));

	return iox2_service_builder_event_open_or_create(builder, NULL, &self->events) == IOX2_OK ? 0 : -ECONNREFUSED;
}

static int open_services(struct service_end *self)
{
	iox2_node_builder_h builder = iox2_node_builder_new(NULL);
	iox2_service_name_h name;
	const char *text = self->service->name;

	iox2_set_log_level(iox2_log_level_e_ERROR);
	iox2_node_builder_set_signal_handling_mode(&builder, iox2_signal_handling_mode_e_DISABLED);
	if (iox2_node_builder_create(builder, NULL, iox2_service_type_e_IPC, &self->node) != IOX2_OK)
		return -ECONNREFUSED;
	if (iox2_service_name_new(NULL, text, strlen(text), &name) != IOX2_OK)
		return -EINVAL;
	int rc = open_messages(self, iox2_cast_service_name_ptr(name));
	if (rc == 0)
		rc = open_events(self, iox2_cast_service_name_ptr(name));
	iox2_service_name_drop(name);
	return rc;
}

static int open_end(void *context, int (*open_ports)(struct service_end *self), void **ret_end)
{
	struct service_end *self = calloc(1, sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->service = context;
	rc = open_services(self);
	if (rc == 0)
		rc = open_ports(self);
	if (rc == 0)
		*ret_end = self;
	else
		close_end(self);
	return rc;
}

/* --- producer ----------------------------------------------------------------------------------------------------- */

static int open_publisher(struct service_end *self)
{
	iox2_port_factory_publisher_builder_h publisher =
		iox2_port_factory_pub_sub_publisher_builder(&self->messages, NULL);

	iox2_port_factory_publisher_builder_backpressure_strategy(
		&publisher, iox2_backpressure_strategy_e_RETRY_UNTIL_DELIVERED);
	if (iox2_port_factory_publisher_builder_create(publisher, NULL, &self->publisher) != IOX2_OK)
		return -ECONNREFUSED;
	if (iox2_port_factory_notifier_builder_create(
		    iox2_port_factory_event_notifier_builder(&self->events, NULL), NULL, &self->notifier) != IOX2_OK)
		return -ECONNREFUSED;
	copy_tuner_init(&self->copies, self->service->params->producers);
	return 0;
}

static int open_producer(void *context, unsigned producer, void **ret_end)
{
	(void)producer;
	return open_end(context, open_publisher, ret_end);
}

/* `ret_recipients` 0: the subscriber has not yet seen this publisher, and its buffer is full. */
static int publish(
	struct service_end *self, const struct rival_header *header, const uint8_t *payload, size_t *ret_recipients)
{
	struct rival_header sent = *header;
	iox2_sample_mut_t storage;
	iox2_sample_mut_h sample;
	void *memory;

	if (iox2_publisher_loan_slice_uninit(&self->publisher, &storage, &sample, 1) != IOX2_OK)
		return -ENOBUFS;
	iox2_sample_mut_payload_mut(&sample, &memory, NULL);
	sent.crc = copy_bytes_crc((uint8_t *)memory + HEADER_BYTES, payload, self->service->params->payload_bytes, 0);
	memcpy(memory, &sent, sizeof(sent));
	if (iox2_sample_mut_send(sample, ret_recipients) != IOX2_OK)
		return -EPIPE;
	if (!self->service->is_polled && iox2_notifier_notify(&self->notifier, NULL) != IOX2_OK)
		return -EPIPE;
	return 0;
}

/* With the copy that ENRGDAQ's own link has, tried in the same way: only the ways from process to process differ. What
 * is in flight has a limit here too, so that as much comes out as goes in. */
static int send_message(void *context, const struct rival_header *header, const uint8_t *payload)
{
	struct service_end *self = context;
	uint64_t bytes = self->service->params->payload_bytes;
	bool is_tuned = bytes >= COPY_TUNER_BYTES_MIN;
	size_t recipients = 0;
	int rc;

	if (is_tuned)
		copy_set_method(copy_tuner_begin(&self->copies, bytes, clock_mono_ns()));
	/* Although it shall retry until a message is delivered, it drops what a subscriber that has seen no message of
	 * this publisher yet has no room for. That is not counted as delivered, and is sent again. */
	while ((rc = publish(self, header, payload, &recipients)) == 0 && recipients == 0)
		sched_yield();
	self->written += bytes;
	if (is_tuned && rc == 0)
		copy_tuner_end(&self->copies, self->written, self->written, clock_mono_ns());
	return rc;
}

/* --- consumer ----------------------------------------------------------------------------------------------------- */

static int open_subscriber(struct service_end *self)
{
	iox2_port_factory_subscriber_builder_h subscriber =
		iox2_port_factory_pub_sub_subscriber_builder(&self->messages, NULL);

	if (iox2_port_factory_subscriber_builder_create(subscriber, NULL, &self->subscriber) != IOX2_OK)
		return -ECONNREFUSED;
	return iox2_port_factory_listener_builder_create(
		       iox2_port_factory_event_listener_builder(&self->events, NULL), NULL, &self->listener) == IOX2_OK
		       ? 0
		       : -ECONNREFUSED;
}

static int open_consumer(void *context, void **ret_end)
{
	return open_end(context, open_subscriber, ret_end);
}

static void ignore_event(const iox2_event_id_t *event, uint64_t count, iox2_callback_context context)
{
	(void)event;
	(void)count;
	(void)context;
}

static int receive(void *context, struct rival_header *ret_header, const uint8_t **ret_payload, bool *ret_is_checked)
{
	struct service_end *self = context;
	const void *memory;
	uint64_t events;

	for (;;) {
		if (iox2_subscriber_receive(&self->subscriber, &self->storage, &self->sample) != IOX2_OK)
			return -EPIPE;
		if (self->sample)
			break;
		if (self->service->is_polled)
			sched_yield();
		else if (iox2_listener_blocking_wait(&self->listener, &events, ignore_event, NULL) != IOX2_OK)
			return -EPIPE;
	}
	iox2_sample_payload(&self->sample, &memory, NULL);
	memcpy(ret_header, memory, sizeof(*ret_header));
	*ret_payload = (const uint8_t *)memory + HEADER_BYTES;
	*ret_is_checked = false;
	return 0;
}

static void release(void *context)
{
	struct service_end *self = context;

	iox2_sample_drop(self->sample);
	self->sample = NULL;
}

#define RIVAL(name_, prepare_)                                                                                         \
	{                                                                                                              \
		.name = (name_), .prepare = (prepare_), .end = end, .open_producer = open_producer,                    \
		.send = send_message, .close_producer = close_end, .open_consumer = open_consumer, .receive = receive, \
		.release = release, .close_consumer = close_end                                                        \
	}

static const struct rival waiting = RIVAL("iceoryx2", prepare_waiting);
static const struct rival polled = RIVAL("iceoryx2 polled", prepare_polled);

const struct rival *const enrg_rivals_1[] = {&waiting, &polled, NULL};
