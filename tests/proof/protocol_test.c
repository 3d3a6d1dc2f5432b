/* protocol_test.c: the protocol of a stream (docs/stream-format.md, "Rules") as programs for the model: no wake-up is
 * lost, no cell is read before it is written or while it is written anew, figures and copies that are taken for whole
 * are whole. What each order and each fence is for is shown by leaving it out: then the model must find a run that goes
 * wrong. The programs follow src/plane/stream_publish.c, consumer_wait.c, consumer.c, mapping.c and observer.c, access
 * by access. */
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

/* --- a producer and a consumer, a ring, and sleep on both sides --------------------------------------------------- */

enum stream_word {
	HEAD,
	ACK,
	CELLS, /* one or two */
	CONSUMER_TICKET = CELLS + 2,
	CONSUMER_WANTED,
	CONSUMER_BELL,
	PRODUCER_TICKET,
	PRODUCER_WANTED,
	PRODUCER_BELL,
};

enum stream_fault {
	NO_FENCE_BEHIND_HEAD = 1,
	NO_FENCE_BEHIND_CONSUMER_TICKET,
	NO_FENCE_BEHIND_ACK,
	NO_FENCE_BEHIND_PRODUCER_TICKET,
	HEAD_RELAXED,
	NO_SECOND_LOOK_OF_CONSUMER,
	NO_SECOND_LOOK_OF_PRODUCER,
	TICKETS_REPEAT,
	BELL_READ_LATE,
	NO_ROOM_NEEDED,
};

static uint8_t ring_cells, ring_records;

enum stream_local { DONE, TICKET, RUNG, BELL, THEIRS };

/* What both sides do when they have gone on: look whether the other one sleeps for that, and ring. */
enum ring_step { RING_FENCE, RING_TICKET, RING_WANTED, RING_BELL, RING_WAKE, RING_STEPS };
/* And when they can't: */
enum sleep_step { SLEEP_BELL, SLEEP_WANTED, SLEEP_TICKET, SLEEP_FENCE, SLEEP_LOOK, SLEEP, SLEEP_END, SLEEP_STEPS };

enum side_step { LOOK, MOVE, TELL, RING, SLEEPING = RING + RING_STEPS };

struct side {
	uint32_t own_ticket, own_wanted, own_bell, their_ticket, their_wanted, their_bell;
	uint32_t no_fence, no_sleep_fence, no_second_look;
};

static const struct side sides[] = {
	{PRODUCER_TICKET, PRODUCER_WANTED, PRODUCER_BELL, CONSUMER_TICKET, CONSUMER_WANTED, CONSUMER_BELL,
		NO_FENCE_BEHIND_HEAD, NO_FENCE_BEHIND_PRODUCER_TICKET, NO_SECOND_LOOK_OF_PRODUCER},
	{CONSUMER_TICKET, CONSUMER_WANTED, CONSUMER_BELL, PRODUCER_TICKET, PRODUCER_WANTED, PRODUCER_BELL,
		NO_FENCE_BEHIND_ACK, NO_FENCE_BEHIND_CONSUMER_TICKET, NO_SECOND_LOOK_OF_CONSUMER},
};

static void end_move(struct model_thread *self)
{
	self->at = LOOK;
	self->locals[THEIRS] = 0;
	self->is_ended = self->locals[DONE] == ring_records;
}

static void step_ring(struct model *model, uint32_t thread, enum ring_step step, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	const struct side *side = &sides[thread];

	self->at++;
	switch (step) {
	case RING_FENCE:
		fence_but(model, thread, MODEL_FULL, fault == side->no_fence);
		return;
	case RING_TICKET:
		self->locals[THEIRS] = model_load(model, thread, side->their_ticket, MODEL_ACQUIRE);
		if (!is_odd(self->locals[THEIRS]) || self->locals[THEIRS] == self->locals[RUNG])
			end_move(self);
		return;
	case RING_WANTED:
		if (model_load(model, thread, side->their_wanted, MODEL_RELAXED) > self->locals[DONE])
			end_move(self);
		else
			self->locals[RUNG] = self->locals[THEIRS];
		return;
	case RING_BELL:
		model_increment(model, thread, side->their_bell);
		return;
	case RING_WAKE:
	case RING_STEPS:
		model_wake(model, side->their_bell);
		end_move(self);
		return;
	}
}

/* Both wait for the other one's position: the producer's is `ring_cells` behind what it wants to write. */
static uint8_t wanted_of(const struct model_thread *self, uint32_t thread)
{
	uint8_t next = (uint8_t)(self->locals[DONE] + 1);

	return thread == 1 ? next : next > ring_cells ? (uint8_t)(next - ring_cells) : 0;
}

static bool can_go_on(struct model *model, uint32_t thread)
{
	return model_load(model, thread, thread == 0 ? ACK : HEAD, MODEL_ACQUIRE) >=
	       wanted_of(&model->threads[thread], thread);
}

static void step_sleep(struct model *model, uint32_t thread, enum sleep_step step, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	const struct side *side = &sides[thread];

	self->at++;
	switch (step) {
	case SLEEP_BELL:
		if (fault != BELL_READ_LATE)
			self->locals[BELL] = model_load(model, thread, side->own_bell, MODEL_ACQUIRE);
		return;
	case SLEEP_WANTED:
		model_store(model, thread, side->own_wanted, wanted_of(self, thread), MODEL_RELAXED);
		return;
	case SLEEP_TICKET:
		self->locals[TICKET] = fault == TICKETS_REPEAT ? 1 : (uint8_t)((self->locals[TICKET] + 1) | 1);
		model_store(model, thread, side->own_ticket, self->locals[TICKET], MODEL_RELEASE);
		return;
	case SLEEP_FENCE:
		fence_but(model, thread, MODEL_FULL, fault == side->no_sleep_fence);
		return;
	case SLEEP_LOOK:
		if (fault != side->no_second_look && can_go_on(model, thread))
			self->at = SLEEPING + SLEEP_END;
		return;
	case SLEEP:
		model_sleep(model, thread, side->own_bell,
			fault == BELL_READ_LATE ? model_newest(model, side->own_bell) : self->locals[BELL]);
		return;
	case SLEEP_END:
	case SLEEP_STEPS:
		self->locals[TICKET] = fault == TICKETS_REPEAT ? 0 : self->locals[TICKET] + 1;
		model_store(model, thread, side->own_ticket, self->locals[TICKET], MODEL_RELAXED);
		self->locals[BELL] = 0;
		self->at = LOOK;
		return;
	}
}

static uint32_t cell_of(uint8_t record)
{
	return CELLS + record % ring_cells;
}

static void step_stream(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t next = (uint8_t)(self->locals[DONE] + 1);

	if (self->at >= SLEEPING) {
		step_sleep(model, thread, (enum sleep_step)(self->at - SLEEPING), fault);
	} else if (self->at >= RING) {
		step_ring(model, thread, (enum ring_step)(self->at - RING), fault);
	} else if (self->at == LOOK) {
		bool goes_on = can_go_on(model, thread) || (fault == NO_ROOM_NEEDED && thread == 0);
		self->at = goes_on ? MOVE : SLEEPING;
	} else if (self->at == MOVE) {
		if (thread == 0)
			model_store(model, thread, cell_of(next), next, MODEL_RELAXED);
		else if (model_load(model, thread, cell_of(next), MODEL_RELAXED) != next)
			model->violation = "a cell is read that does not hold the record";
		self->at = TELL;
	} else {
		self->locals[DONE] = next;
		model_store(model, thread, thread == 0 ? HEAD : ACK, next,
			release_but(fault == HEAD_RELAXED && thread == 0));
		self->at = RING;
	}
}

static void no_wake_up_is_lost_and_no_cell_misread(void **state)
{
	static const char *const faults[] = {
		"as it is",
		"the full fence behind head",
		"the full fence behind the consumer's ticket",
		"the full fence behind ack",
		"the full fence behind the producer's ticket",
		"head stored with release",
		"the consumer's look behind its ticket",
		"the producer's look behind its ticket",
		"tickets that do not come again",
		"the bell read before the look",
		"waiting for room",
		NULL,
	};
	const struct model_program program = {.threads = 2, .step = step_stream};

	(void)state;
	for (ring_cells = 1; ring_cells <= 2; ring_cells++) {
		ring_records = (uint8_t)(ring_cells + 2);
		check_program(&program, faults);
	}
}

/* --- tallies ------------------------------------------------------------------------------------------------------ */

enum tally_word { TALLY_HEAD, TALLY_POSITION, TALLY_ROWS = TALLY_POSITION + 2, TALLY_BYTES = TALLY_ROWS + 2 };
enum tally_fault {
	TALLY_NO_FULL_FENCE = 1,
	TALLY_NO_RELEASE_FENCE,
	TALLY_NO_ACQUIRE_FENCE,
	TALLY_ALL_RELAXED,
	TALLY_NO_SECOND_LOOK,
	TALLY_VALID_ONE,
};

#define TALLY_PUBLISHED 4
#define TALLY_NONE      200 /* a position beyond any head */

enum writer_local { W_DONE, W_WHICH, W_WAS_KILLED };

static uint32_t choose(uint8_t head, uint8_t first, uint8_t second)
{
	return first > head || (second <= head && second > first);
}

static uint32_t valid_tally(const struct model *model)
{
	return choose(model_newest(model, TALLY_HEAD), model_newest(model, TALLY_POSITION),
		model_newest(model, TALLY_POSITION + 1));
}

/* Once, before any step: killed. Its successor continues with what head and the valid tally say. */
static bool is_killed(struct model *model, uint32_t thread)
{
	struct model_thread *self = &model->threads[thread];

	if (self->locals[W_WAS_KILLED])
		return false;
	model->choices = 2;
	if (!model->choice)
		return false;
	model_succeed(model, thread);
	self->locals[W_WAS_KILLED] = 1;
	self->locals[W_DONE] = model_newest(model, TALLY_HEAD);
	self->is_ended = self->locals[W_DONE] == TALLY_PUBLISHED;
	return true;
}

static void write_tally(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t next = (uint8_t)(self->locals[W_DONE] + 1);
	uint32_t which = self->locals[W_WHICH];

	if (is_killed(model, thread))
		return;
	switch (self->at++) {
	case 0:
		which = fault == TALLY_VALID_ONE ? valid_tally(model) : !valid_tally(model);
		self->locals[W_WHICH] = (uint8_t)which;
		model_store(model, thread, TALLY_POSITION + which, TALLY_NONE, MODEL_RELAXED);
		return;
	case 1:
		fence_but(model, thread, MODEL_RELEASE, fault == TALLY_NO_RELEASE_FENCE);
		return;
	case 2:
		model_store(model, thread, TALLY_ROWS + which, next, MODEL_RELAXED);
		return;
	case 3:
		model_store(model, thread, TALLY_BYTES + which, next, MODEL_RELAXED);
		return;
	case 4:
		model_store(model, thread, TALLY_POSITION + which, next, release_but(fault == TALLY_ALL_RELAXED));
		return;
	case 5:
		model_store(model, thread, TALLY_HEAD, next, release_but(fault == TALLY_ALL_RELAXED));
		return;
	default:
		fence_but(model, thread, MODEL_FULL, fault == TALLY_NO_FULL_FENCE);
		self->locals[W_DONE] = next;
		self->at = 0;
		self->is_ended = next == TALLY_PUBLISHED;
	}
}

enum reader_local { R_HEAD, R_FIRST, R_SECOND, R_WHICH, R_ROWS, R_BYTES };

static void take_tally(struct model *model, uint32_t thread)
{
	const uint8_t *locals = model->threads[thread].locals;

	model->threads[thread].is_ended = true;
	if (locals[R_ROWS] != locals[R_HEAD] || locals[R_BYTES] != locals[R_HEAD])
		model->violation = "figures that do not belong to head are taken";
}

/* What is taken: the tally of head, where its position is the same behind the reading of its values, or head is. */
static void read_tally(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t *locals = self->locals;
	bool is_same;

	switch (self->at++) {
	case 0:
		locals[R_HEAD] = model_load(model, thread, TALLY_HEAD, MODEL_ACQUIRE);
		return;
	case 1:
		locals[R_FIRST] = model_load(model, thread, TALLY_POSITION, MODEL_ACQUIRE);
		return;
	case 2:
		locals[R_SECOND] = model_load(model, thread, TALLY_POSITION + 1, MODEL_ACQUIRE);
		locals[R_WHICH] = (uint8_t)choose(locals[R_HEAD], locals[R_FIRST], locals[R_SECOND]);
		return;
	case 3:
		locals[R_ROWS] = model_load(model, thread, TALLY_ROWS + locals[R_WHICH], MODEL_RELAXED);
		return;
	case 4:
		locals[R_BYTES] = model_load(model, thread, TALLY_BYTES + locals[R_WHICH], MODEL_RELAXED);
		return;
	case 5:
		fence_but(model, thread, MODEL_ACQUIRE, fault == TALLY_NO_ACQUIRE_FENCE);
		return;
	case 6:
		is_same = fault == TALLY_NO_SECOND_LOOK ||
			  model_load(model, thread, TALLY_POSITION + locals[R_WHICH], MODEL_RELAXED) == locals[R_HEAD];
		if (is_same && locals[R_FIRST + locals[R_WHICH]] == locals[R_HEAD])
			take_tally(model, thread);
		return;
	default:
		self->is_ended = true;
		if (model_load(model, thread, TALLY_HEAD, MODEL_RELAXED) == locals[R_HEAD])
			take_tally(model, thread);
	}
}

static void step_tally(struct model *model, uint32_t thread, uint32_t fault)
{
	if (thread == 0)
		write_tally(model, thread, fault);
	else
		read_tally(model, thread, fault);
}

/* Killed here, the producer leaves a tally that belongs to head. */
static bool has_tally(const struct model *model)
{
	uint8_t head = model_newest(model, TALLY_HEAD);
	uint32_t which = valid_tally(model);

	return model_newest(model, TALLY_ROWS + which) == head && model_newest(model, TALLY_BYTES + which) == head;
}

static void figures_that_are_taken_belong_to_head(void **state)
{
	static const char *const faults[] = {
		"as it is",
		"the full fence behind head",
		"the release fence before a tally changes",
		"the reader's acquire fence",
		"position and head stored with release",
		"the reader's second look at the position",
		"writing the tally that is not valid",
		NULL,
	};
	const struct model_program program = {
		.threads = 2, .step = step_tally, .holds = has_tally, .words = TALLY_BYTES + 2};

	(void)state;
	check_program(&program, faults);
}

/* --- an observer -------------------------------------------------------------------------------------------------- */

enum observed_word { OBSERVED_HEAD, CLAIMED, LEFT, RIGHT = LEFT + 2 };
enum observer_fault { CLAIMED_NO_FENCE = 1, OBSERVER_NO_FENCE, OBSERVED_HEAD_RELAXED, CLAIMED_LATE };

#define OBSERVED_RECORDS 5
#define OBSERVED_CELLS   2

static void write_record(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t next = (uint8_t)(self->locals[DONE] + 1);
	bool is_late = fault == CLAIMED_LATE;
	uint32_t cell = next % OBSERVED_CELLS;

	switch (self->at++) {
	case 0:
	case 4:
		if (is_late == (self->at == 5))
			model_store(model, thread, CLAIMED, next, MODEL_RELAXED);
		return;
	case 1:
		fence_but(model, thread, MODEL_RELEASE, fault == CLAIMED_NO_FENCE);
		return;
	case 2:
		model_store(model, thread, LEFT + cell, next, MODEL_RELAXED);
		return;
	case 3:
		model_store(model, thread, RIGHT + cell, next, MODEL_RELAXED);
		return;
	default:
		model_store(model, thread, OBSERVED_HEAD, next, release_but(fault == OBSERVED_HEAD_RELAXED));
		self->locals[DONE] = next;
		self->at = 0;
		self->is_ended = next == OBSERVED_RECORDS;
	}
}

enum observer_local { O_RECORD, O_LEFT, O_RIGHT };

static void observe(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t *locals = self->locals;

	switch (self->at++) {
	case 0:
		locals[O_RECORD] = model_load(model, thread, OBSERVED_HEAD, MODEL_ACQUIRE);
		self->is_ended = locals[O_RECORD] == 0;
		return;
	case 1:
		locals[O_LEFT] = model_load(model, thread, LEFT + locals[O_RECORD] % OBSERVED_CELLS, MODEL_RELAXED);
		return;
	case 2:
		locals[O_RIGHT] = model_load(model, thread, RIGHT + locals[O_RECORD] % OBSERVED_CELLS, MODEL_RELAXED);
		return;
	case 3:
		fence_but(model, thread, MODEL_ACQUIRE, fault == OBSERVER_NO_FENCE);
		return;
	default:
		self->is_ended = true;
		if (model_load(model, thread, CLAIMED, MODEL_RELAXED) < locals[O_RECORD] + OBSERVED_CELLS &&
			(locals[O_LEFT] != locals[O_RECORD] || locals[O_RIGHT] != locals[O_RECORD]))
			model->violation = "a copy that was overwritten is taken for whole";
	}
}

static void step_observer(struct model *model, uint32_t thread, uint32_t fault)
{
	if (thread == 0)
		write_record(model, thread, fault);
	else
		observe(model, thread, fault);
}

static void copies_that_are_taken_are_whole(void **state)
{
	static const char *const faults[] = {
		"as it is",
		"the release fence behind claimed",
		"the observer's acquire fence",
		"head stored with release",
		"claimed raised before the record is written",
		NULL,
	};
	const struct model_program program = {.threads = 2, .step = step_observer};

	(void)state;
	check_program(&program, faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wake_up_is_lost_and_no_cell_misread),
		cmocka_unit_test(figures_that_are_taken_belong_to_head),
		cmocka_unit_test(copies_that_are_taken_are_whole),
	};

	return cmocka_run_group_tests_name("proof.protocol", tests, NULL, NULL);
}
