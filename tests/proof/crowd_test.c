/* crowd_test.c: two consumers of one ring, as a program for the model: the slowest counts, and each is rung. It follows
 * src/plane/stream_publish.c, consumer_wait.c and consumer.c, access by access. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proof/check.h"

static bool is_odd(uint8_t ticket)
{
	return ticket & 1u;
}

enum crowd_word {
	HEAD,
	CELL,
	PRODUCER_TICKET,
	PRODUCER_WANTED,
	PRODUCER_BELL,
	ACK, /* of each consumer: */
	TICKET = ACK + 2,
	WANTED = TICKET + 2,
	BELL = WANTED + 2,
	CROWD_WORDS = BELL + 2,
};

enum crowd_fault {
	HEAD_RELAXED = 1,
	FASTEST_COUNTS,
	FIRST_IS_RUNG,
	NO_FENCE_BEHIND_HEAD,
	NO_FENCE_BEHIND_CONSUMER_TICKET,
	NO_FENCE_BEHIND_ACK,
	NO_FENCE_BEHIND_PRODUCER_TICKET,
};

/* Who does not sleep by the protocol is woken by a wonder: with both sides asleep by it there are too many states for
 * each day. */
static bool is_sleeper[MODEL_THREADS];
static uint8_t crowd_records;

enum side_step {
	LOOK,
	LOOK_SECOND,
	MOVE,
	TELL,
	RING_FENCE,
	RING_TICKET,
	RING_WANTED,
	RING_BELL,
	RING_WAKE,
	SLEEP_BELL,
	SLEEP_WANTED,
	SLEEP_TICKET,
	SLEEP_FENCE,
	SLEEP_LOOK,
	SLEEP_LOOK_SECOND,
	SLEEP,
	SLEEP_END,
};

enum crowd_local { DONE, ACKS, WHOM = ACKS + 2, OWN_TICKET, OWN_BELL, THEIRS, RUNG };

/* Has the slowest read what lies in the cell? */
static bool can_overwrite(const struct model_thread *self, uint32_t fault)
{
	uint8_t first = self->locals[ACKS], second = self->locals[ACKS + 1];
	uint8_t slowest = (first < second) == (fault != FASTEST_COUNTS) ? first : second;

	return slowest >= self->locals[DONE];
}

static void load_ack_of(struct model *model, uint32_t consumer)
{
	model->threads[0].locals[ACKS + consumer] = model_load(model, 0, ACK + consumer, MODEL_ACQUIRE);
}

static void wait_for_ack(struct model *model)
{
	struct model_thread *self = &model->threads[0];
	uint32_t slower = self->locals[ACKS] >= self->locals[DONE];

	self->at = is_sleeper[0] ? SLEEP_BELL : LOOK;
	if (!is_sleeper[0])
		model_sleep(model, 0, ACK + slower, self->locals[ACKS + slower]);
}

/* Both looks at the acks, the one behind the ticket too. */
static void look_at_acks(struct model *model, uint32_t fault)
{
	struct model_thread *self = &model->threads[0];

	load_ack_of(model, self->at == LOOK_SECOND || self->at == SLEEP_LOOK_SECOND);
	if (self->at == LOOK || self->at == SLEEP_LOOK)
		self->at++;
	else if (self->at == LOOK_SECOND && !can_overwrite(self, fault))
		wait_for_ack(model);
	else if (self->at == LOOK_SECOND)
		self->at = MOVE;
	else
		self->at = can_overwrite(self, fault) ? SLEEP_END : SLEEP;
}

static void go_to_sleep(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint32_t bell = thread == 0 ? PRODUCER_BELL : BELL + thread - 1;
	uint32_t ticket = thread == 0 ? PRODUCER_TICKET : TICKET + thread - 1;
	uint32_t no_fence = thread == 0 ? NO_FENCE_BEHIND_PRODUCER_TICKET : NO_FENCE_BEHIND_CONSUMER_TICKET;

	switch (self->at++) {
	case SLEEP_BELL:
		self->locals[OWN_BELL] = model_load(model, thread, bell, MODEL_ACQUIRE);
		return;
	case SLEEP_WANTED:
		model_store(model, thread, thread == 0 ? PRODUCER_WANTED : WANTED + thread - 1,
			(uint8_t)(self->locals[DONE] + (thread > 0)), MODEL_RELAXED);
		return;
	case SLEEP_TICKET:
		self->locals[OWN_TICKET] = (uint8_t)((self->locals[OWN_TICKET] + 1) | 1);
		model_store(model, thread, ticket, self->locals[OWN_TICKET], MODEL_RELEASE);
		return;
	case SLEEP_FENCE:
		fence_but(model, thread, MODEL_FULL, fault == no_fence);
		return;
	case SLEEP:
		model_sleep(model, thread, bell, self->locals[OWN_BELL]);
		return;
	default:
		model_store(model, thread, ticket, ++self->locals[OWN_TICKET], MODEL_RELAXED);
		self->locals[OWN_BELL] = 0;
		self->at = LOOK;
	}
}

/* --- who has gone on rings those who sleep for it --- */

/* The producer rings one consumer after the other. */
static void ring_next(struct model_thread *self, uint32_t thread, uint32_t fault)
{
	self->at = RING_TICKET;
	self->locals[THEIRS] = 0;
	if (thread == 0 && self->locals[WHOM] == 0 && fault != FIRST_IS_RUNG) {
		self->locals[WHOM] = 1;
		return;
	}
	self->locals[WHOM] = 0;
	self->at = LOOK;
	self->is_ended = self->locals[DONE] == crowd_records;
}

static void ring(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint32_t whom = self->locals[WHOM];
	uint8_t *theirs = &self->locals[THEIRS];

	switch (self->at++) {
	case RING_FENCE:
		fence_but(
			model, thread, MODEL_FULL, fault == (thread == 0 ? NO_FENCE_BEHIND_HEAD : NO_FENCE_BEHIND_ACK));
		return;
	case RING_TICKET:
		*theirs = model_load(model, thread, thread == 0 ? TICKET + whom : PRODUCER_TICKET, MODEL_ACQUIRE);
		if (!is_odd(*theirs) || *theirs == self->locals[RUNG + whom])
			ring_next(self, thread, fault);
		return;
	case RING_WANTED:
		if (model_load(model, thread, thread == 0 ? WANTED + whom : PRODUCER_WANTED, MODEL_RELAXED) >
			self->locals[DONE])
			ring_next(self, thread, fault);
		else
			self->locals[RUNG + whom] = *theirs;
		return;
	case RING_BELL:
		model_increment(model, thread, thread == 0 ? BELL + whom : PRODUCER_BELL);
		return;
	default:
		model_wake(model, thread == 0 ? BELL + whom : PRODUCER_BELL);
		ring_next(self, thread, fault);
	}
}

static void tell(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t done = ++self->locals[DONE];

	model_store(model, thread, thread == 0 ? HEAD : ACK + thread - 1, done,
		release_but(thread == 0 && fault == HEAD_RELAXED));
	model_wake(model, thread == 0 ? HEAD : ACK + thread - 1); /* the wonder */
	self->at = RING_FENCE;
	if (thread == 0 ? is_sleeper[1] || is_sleeper[2] : is_sleeper[0])
		return;
	self->at = LOOK;
	self->is_ended = done == crowd_records;
}

static void step_of_producer(struct model *model, uint32_t fault)
{
	struct model_thread *self = &model->threads[0];

	switch (self->at) {
	case LOOK:
	case LOOK_SECOND:
	case SLEEP_LOOK:
	case SLEEP_LOOK_SECOND:
		look_at_acks(model, fault);
		return;
	case MOVE:
		model_store(model, 0, CELL, (uint8_t)(self->locals[DONE] + 1), MODEL_RELAXED);
		self->at = TELL;
		return;
	default:
		if (self->at >= SLEEP_BELL)
			go_to_sleep(model, 0, fault);
		else
			ring(model, 0, fault);
	}
}

static void step_of_consumer(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t next = (uint8_t)(self->locals[DONE] + 1), head;

	switch (self->at) {
	case LOOK:
		head = model_load(model, thread, HEAD, MODEL_ACQUIRE);
		self->at = head >= next ? MOVE : is_sleeper[thread] ? SLEEP_BELL : LOOK;
		if (self->at == LOOK)
			model_sleep(model, thread, HEAD, head);
		return;
	case SLEEP_LOOK:
		self->at = model_load(model, thread, HEAD, MODEL_ACQUIRE) >= next ? SLEEP_END : SLEEP;
		return;
	case MOVE:
		if (model_load(model, thread, CELL, MODEL_RELAXED) != next)
			model->violation = "a cell is read that does not hold the record";
		self->at = TELL;
		return;
	default:
		if (self->at >= SLEEP_BELL)
			go_to_sleep(model, thread, fault);
		else
			ring(model, thread, fault);
	}
}

static void step_crowd(struct model *model, uint32_t thread, uint32_t fault)
{
	if (model->threads[thread].at == TELL)
		tell(model, thread, fault);
	else if (thread == 0)
		step_of_producer(model, fault);
	else
		step_of_consumer(model, thread, fault);
}

static const struct model_program crowd = {.threads = 3, .step = step_crowd, .words = CROWD_WORDS};

static void sleep_by_protocol(bool producer, bool first, bool second)
{
	is_sleeper[0] = producer;
	is_sleeper[1] = first;
	is_sleeper[2] = second;
}

static void no_consumer_is_forgotten(void **state)
{
	(void)state;
	crowd_records = 2;
	sleep_by_protocol(false, check_is_whole(), true);
	check_fault(&crowd, 0, "consumers sleep");
	check_fault(&crowd, HEAD_RELAXED, "head stored with release");
	check_fault(&crowd, FASTEST_COUNTS, "the slowest consumer's ack");
	check_fault(&crowd, FIRST_IS_RUNG, "ringing the second consumer");
	check_fault(&crowd, NO_FENCE_BEHIND_HEAD, "the full fence behind head");
	check_fault(&crowd, NO_FENCE_BEHIND_CONSUMER_TICKET, "the full fence behind a consumer's ticket");
}

static void no_consumer_forgets_the_producer(void **state)
{
	(void)state;
	crowd_records = check_is_whole() ? 3 : 2;
	sleep_by_protocol(true, false, false);
	check_fault(&crowd, 0, "the producer sleeps");
	check_fault(&crowd, FASTEST_COUNTS, "the slowest consumer's ack");
	check_fault(&crowd, NO_FENCE_BEHIND_ACK, "the full fence behind ack");
	check_fault(&crowd, NO_FENCE_BEHIND_PRODUCER_TICKET, "the full fence behind the producer's ticket");
}

static void producer_and_consumer_may_sleep(void **state)
{
	(void)state;
	if (!check_is_whole())
		skip();
	crowd_records = 2;
	sleep_by_protocol(true, false, true);
	check_fault(&crowd, 0, "producer and one of two consumers sleep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_consumer_is_forgotten),
		cmocka_unit_test(no_consumer_forgets_the_producer),
		cmocka_unit_test(producer_and_consumer_may_sleep),
	};

	return cmocka_run_group_tests_name("proof.crowd", tests, NULL, NULL);
}
