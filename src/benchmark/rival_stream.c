/* rival_stream.c: ENRGDAQ's own link: a stream a producer, all read by one consumer. Prepared by the caller, ends used
 * by its children. */
#include "benchmark/rival.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/copy_tuner.h"
#include "plane/stream.h"

#define RING_BYTES_MIN (UINT64_C(4) << 20)
#define RING_RECORDS   8u
#define TARGET_NS      UINT64_C(1000000) /* latency_target_ms of a folder that names none */

struct rings {
	const struct rival_params *params;
	char paths[RIVAL_PRODUCERS_MAX][64];
	/* the consumer's own */
	struct consumer *consumers[RIVAL_PRODUCERS_MAX];
	unsigned current; /* whose record is being read */
};

struct writing {
	struct stream *stream;
	uint64_t payload_bytes;
	struct copy_tuner copies;
};

static void end(void *context)
{
	struct rings *self = context;

	for (unsigned i = 0; i < self->params->producers; i++)
		unlink(self->paths[i]);
	free(self);
}

static int prepare(const struct rival_params *params, void **ret_self, struct enrg_error *err)
{
	struct rings *self = calloc(1, sizeof(*self));
	uint64_t ring_bytes = params->payload_bytes * RING_RECORDS;
	int rc = 0;

	if (!self)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->params = params;
	for (unsigned i = 0; rc == 0 && i < params->producers; i++) {
		struct stream_params stream = {
			.path = self->paths[i],
			.source = "bench",
			.run = "bench",
			.supervisor = "bench",
			.data_bytes = ring_bytes > RING_BYTES_MIN ? ring_bytes : RING_BYTES_MIN,
			.record_bytes_max = params->payload_bytes + 2 * SEGMENT_PAGE,
			.checks = true,
		};
		snprintf(
			self->paths[i], sizeof(self->paths[i]), "/dev/shm/enrgdaq-bench-%d-%u.rival", (int)getpid(), i);
		rc = stream_create(&stream, err);
		if (rc == 0)
			rc = stream_add_consumer(self->paths[i], "reader", err);
	}
	if (rc < 0)
		end(self);
	else
		*ret_self = self;
	return rc;
}

static void close_producer(void *context)
{
	struct writing *writing = context;

	stream_close(writing->stream, true);
	free(writing);
}

static int open_producer(void *context, unsigned producer, void **ret_end)
{
	const struct rings *self = context;
	struct writing *writing = calloc(1, sizeof(*writing));
	uint16_t route;
	int rc;

	if (!writing)
		return -ENOMEM;
	writing->payload_bytes = self->params->payload_bytes;
	rc = stream_open(self->paths[producer], 0, &writing->stream, NULL);
	if (rc == 0)
		rc = stream_add_route(writing->stream,
			&(struct stream_route){.tag = "", .schema = "bench", .schema_bytes = 5}, &route, NULL);
	if (rc < 0) {
		close_producer(writing);
		return rc;
	}
	stream_govern(writing->stream, TARGET_NS, self->params->producers);
	copy_tuner_init(&writing->copies, self->params->producers);
	*ret_end = writing;
	return 0;
}

/* As a job sends its batches. */
static int send_message(void *context, const struct rival_header *header, const uint8_t *payload)
{
	struct writing *writing = context;
	bool is_tuned = writing->payload_bytes >= COPY_TUNER_BYTES_MIN;
	uint64_t begin_ns = is_tuned ? clock_mono_ns() : 0, written, acknowledged;
	struct stream_claim claim;
	int rc = stream_claim(writing->stream, writing->payload_bytes, UINT64_MAX, &claim);

	if (rc < 0)
		return rc;
	if (is_tuned)
		copy_set_method(copy_tuner_begin(&writing->copies, writing->payload_bytes, begin_ns));
	struct stream_commit commit = {
		.type = RECORD_DATA,
		.rows = header->is_last ? 2 : 1,
		.body_bytes = writing->payload_bytes,
		.acquired_ns = header->sent_ns,
		.body_crc = copy_bytes_crc(claim.payload, payload, writing->payload_bytes, 0),
		.has_crc = true,
	};
	stream_commit(writing->stream, &commit);
	if (is_tuned) {
		stream_read_progress(writing->stream, &written, &acknowledged);
		copy_tuner_end(&writing->copies, written, acknowledged, clock_mono_ns());
	}
	return 0;
}

static void close_consumer(void *context)
{
	struct rings *self = context;

	for (unsigned i = 0; i < self->params->producers; i++)
		consumer_close(self->consumers[i]);
}

static int open_consumer(void *context, void **ret_end)
{
	struct rings *self = context;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < self->params->producers; i++)
		rc = consumer_open(self->paths[i], "reader", UINT64_MAX, &self->consumers[i], NULL);
	*ret_end = self;
	if (rc < 0)
		close_consumer(self);
	return rc;
}

static int receive(void *context, struct rival_header *ret_header, const uint8_t **ret_payload, bool *ret_is_checked)
{
	struct rings *self = context;
	unsigned count = self->params->producers;
	struct consumer_record record;

	for (;;) {
		for (unsigned i = 1; i <= count; i++) {
			unsigned at = (self->current + i) % count;
			int rc = consumer_acquire(self->consumers[at], &record, NULL);
			if (rc == 0)
				continue;
			if (rc == 1)
				rc = consumer_check(self->consumers[at], &record, NULL);
			if (rc < 0)
				return rc;
			self->current = at;
			*ret_header = (struct rival_header){.sequence = record.header->sequence,
				.sent_ns = record.header->acquired_ns,
				.producer = at,
				.is_last = record.header->rows == 2};
			*ret_payload = record.payload;
			*ret_is_checked = true;
			return 0;
		}
		consumer_wait(self->consumers, count, NULL, 0, UINT64_MAX);
	}
}

static void release(void *context)
{
	struct rings *self = context;
	struct consumer *consumer = self->consumers[self->current];

	consumer_release(consumer, consumer_position(consumer), 0);
}

const struct rival rival_stream = {
	.name = "ENRGDAQ",
	.prepare = prepare,
	.end = end,
	.open_producer = open_producer,
	.send = send_message,
	.close_producer = close_producer,
	.open_consumer = open_consumer,
	.receive = receive,
	.release = release,
	.close_consumer = close_consumer,
};
