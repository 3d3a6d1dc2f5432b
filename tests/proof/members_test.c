/* members_test.c: a consumer that joins a stream in use, reads a record and leaves, as a program for the model:
 * producer, consumer and supervisor. It follows src/plane/stream_publish.c, mapping.c and stream_file.c, access by
 * access. */
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

enum member_word {
	M_HEAD,
	M_CELL,
	M_KIND,
	M_CHANGES,
	M_ACK,
	M_JOINED, /* what had been published when it joined, as the entry says */
	M_TICKET,
	M_WANTED,
	M_BELL,
	M_OVER, /* the consumer's process has ended */
	MEMBER_WORDS,
};

enum kind { FREE, REQUIRED, JOINING };

enum member_fault {
	KIND_RELAXED = 1,
	KIND_BEFORE_ACK,
	ADMITTED_NOT_LISTED,
	CHANGES_BEFORE_JOINING,
	CHANGES_BEFORE_FREE,
	NO_BELL_AT_LEAVING,
};

#define MEMBER_RECORDS 3u

enum member_local { M_DONE, M_SEEN, M_IS_LISTED, M_OWN_TICKET, M_OWN_BELL, M_POSITION, M_THEIRS, M_AFTER };

/* Each look of the producer: has the list of consumers changed? */
enum member_step {
	M_LOOK,
	M_READ_KIND,
	M_ADMIT_JOINED,
	M_ADMIT_ACK,
	M_ADMIT_KIND,
	M_TELL_KIND,
	M_ROOM,
	M_WRITE,
	M_PUBLISH,
	M_FENCE,
	M_SLEEP_BELL,
	M_SLEEP_WANTED,
	M_SLEEP_TICKET,
	M_SLEEP_FENCE,
	M_SLEEP_LOOK,
	M_SLEEP,
	M_SLEEP_END,
	M_TEND,
};

static void look_at_members(struct model *model, uint32_t fault)
{
	struct model_thread *self = &model->threads[0];
	uint8_t value;

	switch (self->at) {
	case M_LOOK:
		value = model_load(model, 0, M_CHANGES, MODEL_ACQUIRE);
		self->at = value == self->locals[M_SEEN] ? self->locals[M_AFTER] : M_READ_KIND;
		self->locals[M_SEEN] = value;
		return;
	case M_READ_KIND:
		value = model_load(model, 0, M_KIND, MODEL_ACQUIRE);
		self->locals[M_IS_LISTED] = value == REQUIRED || (value == JOINING && fault != ADMITTED_NOT_LISTED);
		self->at = value == JOINING ? fault == KIND_BEFORE_ACK ? M_ADMIT_KIND : M_ADMIT_JOINED
					    : self->locals[M_AFTER];
		return;
	case M_ADMIT_JOINED:
		model_store(model, 0, M_JOINED, self->locals[M_DONE], MODEL_RELAXED);
		self->at = M_ADMIT_ACK;
		return;
	case M_ADMIT_ACK:
		model_store(model, 0, M_ACK, self->locals[M_DONE], MODEL_RELAXED);
		self->at = fault == KIND_BEFORE_ACK ? self->locals[M_AFTER] : M_ADMIT_KIND;
		return;
	case M_ADMIT_KIND:
		model_store(model, 0, M_KIND, REQUIRED, release_but(fault == KIND_RELAXED));
		self->at = M_TELL_KIND;
		return;
	default:
		model_wake(model, M_KIND);
		self->at = fault == KIND_BEFORE_ACK ? M_ADMIT_JOINED : self->locals[M_AFTER];
	}
}

static bool has_room(struct model *model)
{
	struct model_thread *self = &model->threads[0];

	return !self->locals[M_IS_LISTED] || model_load(model, 0, M_ACK, MODEL_ACQUIRE) >= self->locals[M_DONE];
}

static void look_then(struct model_thread *self, enum member_step after)
{
	self->locals[M_AFTER] = (uint8_t)after;
	self->at = M_LOOK;
}

static void sleep_of_producer(struct model *model)
{
	struct model_thread *self = &model->threads[0];

	switch (self->at++) {
	case M_SLEEP_BELL:
		self->locals[M_OWN_BELL] = model_load(model, 0, M_BELL, MODEL_ACQUIRE);
		return;
	case M_SLEEP_WANTED:
		model_store(model, 0, M_WANTED, self->locals[M_DONE], MODEL_RELAXED);
		return;
	case M_SLEEP_TICKET:
		self->locals[M_OWN_TICKET] = (uint8_t)((self->locals[M_OWN_TICKET] + 1) | 1);
		model_store(model, 0, M_TICKET, self->locals[M_OWN_TICKET], MODEL_RELEASE);
		return;
	case M_SLEEP_FENCE:
		model_fence(model, 0, MODEL_FULL);
		look_then(self, M_SLEEP_LOOK);
		return;
	case M_SLEEP_LOOK:
		self->at = has_room(model) ? M_SLEEP_END : M_SLEEP;
		return;
	case M_SLEEP:
		model_sleep(model, 0, M_BELL, self->locals[M_OWN_BELL]);
		return;
	default:
		model_store(model, 0, M_TICKET, ++self->locals[M_OWN_TICKET], MODEL_RELAXED);
		self->locals[M_OWN_BELL] = 0;
		look_then(self, M_ROOM);
	}
}

/* It writes its records, then looks now and then (tends) until the consumer has come and gone. */
static void step_giver(struct model *model, uint32_t fault)
{
	struct model_thread *self = &model->threads[0];

	switch (self->at) {
	case M_ROOM:
		self->at = has_room(model) ? M_WRITE : M_SLEEP_BELL;
		return;
	case M_WRITE:
		self->locals[M_DONE]++;
		model_store(model, 0, M_CELL, self->locals[M_DONE], MODEL_RELAXED);
		self->at = M_PUBLISH;
		return;
	case M_PUBLISH:
		model_store(model, 0, M_HEAD, self->locals[M_DONE], MODEL_RELEASE);
		self->at = M_FENCE;
		return;
	case M_FENCE:
		model_fence(model, 0, MODEL_FULL);
		look_then(self, self->locals[M_DONE] < MEMBER_RECORDS ? M_ROOM : M_TEND);
		return;
	case M_TEND:
		/* In place of a clock: it sleeps until something has changed. */
		model_sleep(model, 0, M_CHANGES, self->locals[M_SEEN]);
		look_then(self, M_TEND);
		self->is_ended = self->locals[M_SEEN] == 2;
		return;
	default:
		if (self->at < M_ROOM)
			look_at_members(model, fault);
		else
			sleep_of_producer(model);
	}
}

enum joiner_step {
	J_KIND,
	J_JOINED,
	J_ACK,
	J_HEAD,
	J_CELL,
	J_RELEASE,
	J_FENCE,
	J_TICKET,
	J_WANTED,
	J_RING,
	J_WAKE,
	J_OVER,
	J_TOLD
};

/* Reads one record where there is one; the process may end before. */
static void step_joiner(struct model *model)
{
	struct model_thread *self = &model->threads[1];
	uint8_t *position = &self->locals[M_POSITION], value;

	switch (self->at++) {
	case J_KIND:
		value = model_load(model, 1, M_KIND, MODEL_ACQUIRE);
		if (value == REQUIRED)
			return;
		self->at = J_KIND;
		model_sleep(model, 1, M_KIND, value);
		return;
	case J_JOINED:
		self->locals[M_THEIRS] = model_load(model, 1, M_JOINED, MODEL_RELAXED);
		return;
	case J_ACK:
		*position = model_load(model, 1, M_ACK, MODEL_ACQUIRE);
		if (self->locals[M_THEIRS] != *position)
			model->violation = "a consumer takes counts of another moment than that it joined at";
		return;
	case J_HEAD:
		value = model_load(model, 1, M_HEAD, MODEL_ACQUIRE);
		if (value < *position)
			model->violation = "a consumer begins behind what is published";
		if (value == *position)
			self->at = J_OVER;
		return;
	case J_CELL:
		if (model_load(model, 1, M_CELL, MODEL_RELAXED) != *position + 1)
			model->violation = "a cell is read that does not hold the record";
		return;
	case J_RELEASE:
		model_store(model, 1, M_ACK, ++*position, MODEL_RELEASE);
		return;
	case J_FENCE:
		model_fence(model, 1, MODEL_FULL);
		return;
	case J_TICKET:
		if (!is_odd(model_load(model, 1, M_TICKET, MODEL_ACQUIRE)))
			self->at = J_OVER;
		return;
	case J_WANTED:
		if (model_load(model, 1, M_WANTED, MODEL_RELAXED) > *position)
			self->at = J_OVER;
		return;
	case J_RING:
		model_increment(model, 1, M_BELL);
		return;
	case J_WAKE:
		model_wake(model, M_BELL);
		return;
	case J_OVER:
		model_store(model, 1, M_OVER, 1, MODEL_RELEASE);
		return;
	default:
		model_wake(model, M_OVER);
		self->is_ended = true;
	}
}

enum keeper_step { K_KIND, K_CHANGES, K_TELL, K_BELL, K_WAKE, K_OVER };

/* Twice: it joins the consumer, and takes its entry back when its process has ended. */
static void step_keeper(struct model *model, uint32_t fault)
{
	struct model_thread *self = &model->threads[2];
	bool is_leaving = self->locals[M_DONE] == 1;
	bool is_late = fault == (is_leaving ? CHANGES_BEFORE_FREE : CHANGES_BEFORE_JOINING);

	switch (self->at++) {
	case K_KIND:
	case K_CHANGES:
		if ((self->at == K_KIND + 1) != is_late)
			model_store(model, 2, M_KIND, is_leaving ? FREE : JOINING, MODEL_RELEASE);
		else
			model_increment(model, 2, M_CHANGES);
		return;
	case K_TELL:
		model_wake(model, M_CHANGES);
		return;
	case K_BELL:
		if (fault != NO_BELL_AT_LEAVING)
			model_increment(model, 2, M_BELL);
		return;
	case K_WAKE:
		if (fault != NO_BELL_AT_LEAVING)
			model_wake(model, M_BELL);
		self->is_ended = is_leaving;
		return;
	default:
		if (model_load(model, 2, M_OVER, MODEL_ACQUIRE)) {
			self->locals[M_DONE] = 1;
			self->at = K_KIND;
			return;
		}
		self->at = K_OVER;
		model_sleep(model, 2, M_OVER, 0);
	}
}

static void step_members(struct model *model, uint32_t thread, uint32_t fault)
{
	if (thread == 0 && model->threads[0].at == M_LOOK && !model->threads[0].locals[M_AFTER])
		model->threads[0].locals[M_AFTER] = M_ROOM;
	if (thread == 0)
		step_giver(model, fault);
	else if (thread == 1)
		step_joiner(model);
	else
		step_keeper(model, fault);
}

static void who_joins_is_waited_for_until_it_leaves(void **state)
{
	static const char *const faults[] = {
		"as it is",
		"REQUIRED stored with release",
		"ack written before REQUIRED",
		"who is admitted in the list",
		"changes raised behind JOINING",
		"changes raised behind FREE",
		"the bell for who waits when a consumer leaves",
		NULL,
	};
	static const struct model_program program = {.threads = 3, .step = step_members, .words = MEMBER_WORDS};

	(void)state;
	check_program(&program, faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_joins_is_waited_for_until_it_leaves),
	};

	return cmocka_run_group_tests_name("proof.members", tests, NULL, NULL);
}
