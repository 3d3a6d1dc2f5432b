/* laps_test.c: where records lie, as a program for the model: short laps, the pads that end them, the jump over what a
 * consumer that has stopped has not read (src/plane/stream_room.c), the deep ring, and an observer that is overtaken. A
 * record has two cells, a pad one and a length; each cell says whose it is, so that one that is read where something
 * else lies by then is found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proof/check.h"

enum lap_word { HEAD, ACK, CLAIMED, CELLS };

#define RING   8u /* cells */
#define RECORD 2u
#define WINDOW 2u
#define LINE   1u /* the header of a pad */

#define PAD_MARK 128u /* of a cell's value: a pad, (position mod 16) × 8 and its length */

enum lap_fault {
	HEAD_RELAXED = 1,
	REWIND_WITHOUT_ACK,
	JUMP_ONTO_PAD,
	DEEP_FOR_TWO_LAPS,
	NO_ROOM_NEEDED,
	PAD_IS_NOT_TOLD, /* to observers */
	CLAIMED_NO_FENCE,
	OBSERVER_NO_FENCE,
};

static uint8_t lap_records;
static bool is_ack_free; /* no consumer: what is published counts as read */

static uint32_t cell_of(uint8_t position)
{
	return CELLS + position % RING;
}

static uint8_t header_of(uint8_t position)
{
	return (uint8_t)(1 + 2 * position);
}

static uint8_t body_of(uint8_t position)
{
	return (uint8_t)(2 + 2 * position);
}

static uint8_t pad_of(uint8_t position, uint8_t length)
{
	return (uint8_t)(PAD_MARK + position % 16 * 8 + length);
}

/* Length of what begins there, or 0: it does not. */
static uint8_t length_of(uint8_t value, uint8_t position)
{
	if (value == header_of(position))
		return RECORD;
	return value > PAD_MARK && (value - PAD_MARK) / 8 == position % 16 ? (value - PAD_MARK) % 8 : 0;
}

/* --- the producer ------------------------------------------------------------------------------------------------- */

enum producer_local { DONE, TAIL, PUBLISHED, SEEN_ACK, PAD_AT, PAD_END, DEEP, SPILLS, PAD_BYTES, AFTER };

enum producer_step { KEEP_WINDOW, PATIENCE, REWIND, JUMP, ROOM, CLAIM, CLAIM_FENCE, HEADER, BODY, PUBLISH, PAD };

/* A pad is three accesses, from wherever one is needed; `PAD` is the first of them. */
enum { PAD_FENCE = PAD + 1, PAD_HEADER };

static uint8_t offset_of(const struct model_thread *self)
{
	return self->locals[TAIL] % RING;
}

static uint8_t lap_start(const struct model_thread *self)
{
	return (uint8_t)(self->locals[TAIL] - offset_of(self));
}

static bool is_before_pad(const struct model_thread *self)
{
	return self->locals[PAD_END] && self->locals[SEEN_ACK] <= self->locals[PAD_AT];
}

static uint8_t room_end(const struct model_thread *self)
{
	uint8_t end = (uint8_t)(self->locals[SEEN_ACK] + RING);

	return end > self->locals[DEEP] ? end : self->locals[DEEP];
}

static void load_ack(struct model *model, uint32_t thread)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t ack = self->locals[PUBLISHED];

	if (!is_ack_free)
		ack = model_load(model, thread, ACK, MODEL_ACQUIRE);
	if (ack > self->locals[SEEN_ACK])
		self->locals[SEEN_ACK] = ack;
}

/* ack_for(window − most): all of it is to be read, but for a pad that none has passed. */
static uint8_t wanted_ack(const struct model_thread *self)
{
	uint8_t low = (uint8_t)(self->locals[TAIL] - (WINDOW - RECORD)), pad;

	if (low > self->locals[PAD_END] || !is_before_pad(self))
		return low;
	pad = (uint8_t)(self->locals[PAD_END] - self->locals[PAD_AT]);
	return low > pad ? (uint8_t)(low - pad) : 0;
}

static void put_pad(struct model_thread *self, uint8_t length, enum producer_step after)
{
	self->locals[PAD_BYTES] = length;
	self->locals[AFTER] = (uint8_t)after;
	self->at = PAD;
}

static void rewind_if_hot(struct model_thread *self, uint32_t fault)
{
	bool is_left = self->locals[SEEN_ACK] >= lap_start(self) + RECORD + LINE || fault == REWIND_WITHOUT_ACK;

	self->at = JUMP;
	if (self->locals[SPILLS] || offset_of(self) + RECORD <= WINDOW + RECORD + LINE || !is_left)
		return;
	self->locals[PAD_AT] = self->locals[TAIL];
	self->locals[PAD_END] = (uint8_t)(lap_start(self) + RING);
	put_pad(self, (uint8_t)(RING - offset_of(self)), JUMP);
}

static void jump_if_needed(struct model_thread *self, uint32_t fault)
{
	uint8_t size_end = (uint8_t)(self->locals[SEEN_ACK] + RING), offset = offset_of(self);
	uint8_t target = (uint8_t)(self->locals[PAD_AT] % RING + (fault == JUMP_ONTO_PAD ? 0 : LINE));

	self->at = ROOM;
	if (!is_before_pad(self) || lap_start(self) != self->locals[PAD_END] ||
		self->locals[TAIL] < self->locals[DEEP] || self->locals[TAIL] + RECORD + LINE <= size_end)
		return;
	if (self->locals[TAIL] + LINE > size_end || offset + LINE > target || target + RECORD > RING)
		return;
	self->locals[DEEP] = (uint8_t)(lap_start(self) + (fault == DEEP_FOR_TWO_LAPS ? 2 : 1) * RING);
	put_pad(self, (uint8_t)(target - offset), ROOM);
}

static void step_pad(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t tail = self->locals[TAIL];

	if (self->at == PAD) {
		if (fault != PAD_IS_NOT_TOLD)
			model_store(model, thread, CLAIMED, (uint8_t)(tail + LINE), MODEL_RELAXED);
		self->at = PAD_FENCE;
	} else if (self->at == PAD_FENCE) {
		fence_but(model, thread, MODEL_RELEASE, fault == CLAIMED_NO_FENCE);
		self->at = PAD_HEADER;
	} else {
		model_store(model, thread, cell_of(tail), pad_of(tail, self->locals[PAD_BYTES]), MODEL_RELAXED);
		self->locals[TAIL] = (uint8_t)(tail + self->locals[PAD_BYTES]);
		self->at = self->locals[AFTER];
	}
}

/* Until there is room; what is not published is, before it waits. */
static void find_room(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];

	if (self->locals[TAIL] + RECORD <= room_end(self) || fault == NO_ROOM_NEEDED) {
		self->at = CLAIM;
	} else if (self->locals[PUBLISHED] != self->locals[TAIL]) {
		self->locals[PUBLISHED] = self->locals[TAIL];
		model_store(model, thread, HEAD, self->locals[TAIL], release_but(fault == HEAD_RELAXED));
	} else {
		load_ack(model, thread);
	}
}

static void write_record(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t tail = self->locals[TAIL];

	switch (self->at++) {
	case CLAIM:
		model_store(model, thread, CLAIMED, (uint8_t)(tail + RECORD), MODEL_RELAXED);
		return;
	case CLAIM_FENCE:
		fence_but(model, thread, MODEL_RELEASE, fault == CLAIMED_NO_FENCE);
		return;
	case HEADER:
		model_store(model, thread, cell_of(tail), header_of(tail), MODEL_RELAXED);
		return;
	case BODY:
		model_store(model, thread, cell_of((uint8_t)(tail + 1)), body_of(tail), MODEL_RELAXED);
		return;
	default:
		self->locals[TAIL] = self->locals[PUBLISHED] = (uint8_t)(tail + RECORD);
		model_store(model, thread, HEAD, self->locals[TAIL], release_but(fault == HEAD_RELAXED));
		self->at = KEEP_WINDOW;
		self->is_ended = ++self->locals[DONE] == lap_records;
	}
}

static void step_producer(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];

	switch (self->at) {
	case KEEP_WINDOW:
		if (self->locals[SEEN_ACK] < wanted_ack(self))
			load_ack(model, thread);
		self->at = PATIENCE;
		return;
	case PATIENCE:
		self->at = REWIND;
		if (self->locals[SEEN_ACK] >= wanted_ack(self)) {
			self->locals[SPILLS] = 0;
			return;
		}
		/* A consumer that makes no progress: is it waited for, or does the producer go deeper? Or was it
		 * interrupted, and takes what room there is? */
		model->choices = 3;
		if (model->choice == 0)
			self->at = KEEP_WINDOW;
		else if (model->choice == 1)
			self->locals[SPILLS] = 1;
		return;
	case REWIND:
		rewind_if_hot(self, fault);
		return;
	case JUMP:
		jump_if_needed(self, fault);
		return;
	case ROOM:
		find_room(model, thread, fault);
		return;
	default:
		if (self->at >= PAD)
			step_pad(model, thread, fault);
		else
			write_record(model, thread, fault);
	}
}

/* --- a consumer: where it stands, and what it has acknowledged ---------------------------------------------------- */

enum reader_local { TAKEN, POSITION, END, LENGTH, FIRST, SECOND };
enum reader_step { READ_HEAD, READ_HEADER, READ_BODY, ACKNOWLEDGE, BEHIND };

static void step_consumer(struct model *model, uint32_t thread)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t *locals = self->locals;

	switch (self->at) {
	case READ_HEAD:
		locals[END] = model_load(model, thread, HEAD, MODEL_ACQUIRE);
		self->at = locals[END] > locals[POSITION] ? READ_HEADER : READ_HEAD;
		return;
	case READ_HEADER:
		locals[FIRST] = model_load(model, thread, cell_of(locals[POSITION]), MODEL_RELAXED);
		locals[LENGTH] = length_of(locals[FIRST], locals[POSITION]);
		if (!locals[LENGTH])
			model->violation = "something else lies where a consumer reads a header";
		self->at = READ_BODY;
		if (locals[FIRST] != header_of(locals[POSITION])) {
			/* It steps over a pad, and acknowledges it with what comes behind it. */
			locals[POSITION] = (uint8_t)(locals[POSITION] + locals[LENGTH]);
			self->at = locals[END] > locals[POSITION] ? READ_HEADER : READ_HEAD;
		}
		return;
	case READ_BODY:
		if (model_load(model, thread, cell_of((uint8_t)(locals[POSITION] + 1)), MODEL_RELAXED) !=
			body_of(locals[POSITION]))
			model->violation = "something else lies where a consumer reads a record";
		self->at = ACKNOWLEDGE;
		return;
	default:
		locals[POSITION] = (uint8_t)(locals[POSITION] + RECORD);
		model_store(model, thread, ACK, locals[POSITION], MODEL_RELEASE);
		self->is_ended = ++locals[TAKEN] == lap_records;
		self->at = locals[END] > locals[POSITION] ? READ_HEADER : READ_HEAD;
	}
}

/* --- an observer: copies, then looks whether it was overtaken ----------------------------------------------------- */

static void judge_copy(struct model *model, uint32_t thread, uint8_t claimed)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t *locals = self->locals;

	self->at = READ_HEAD;
	if (claimed > locals[POSITION] + RING) {
		locals[POSITION] = locals[END]; /* the newest; that is where a record begins, or nothing yet */
		locals[END] = 0;
		return;
	}
	if (!locals[LENGTH] || (locals[LENGTH] == RECORD && locals[FIRST] == header_of(locals[POSITION]) &&
				       locals[SECOND] != body_of(locals[POSITION])))
		model->violation = "a copy that was overwritten is taken for whole";
	locals[POSITION] = (uint8_t)(locals[POSITION] + locals[LENGTH]);
}

static void step_observer(struct model *model, uint32_t thread, uint32_t fault)
{
	struct model_thread *self = &model->threads[thread];
	uint8_t *locals = self->locals;

	switch (self->at) {
	case READ_HEAD:
		locals[END] = model_load(model, thread, HEAD, MODEL_ACQUIRE);
		locals[FIRST] = locals[SECOND] = locals[LENGTH] = 0;
		if (locals[END] > locals[POSITION])
			self->at = READ_HEADER;
		else
			self->is_ended =
				true; /* it may come at any time, so what it sees later it sees in another run */
		return;
	case READ_HEADER:
		locals[FIRST] = model_load(model, thread, cell_of(locals[POSITION]), MODEL_RELAXED);
		locals[LENGTH] = length_of(locals[FIRST], locals[POSITION]);
		self->at = locals[FIRST] == header_of(locals[POSITION]) ? READ_BODY : ACKNOWLEDGE;
		return;
	case READ_BODY:
		locals[SECOND] = model_load(model, thread, cell_of((uint8_t)(locals[POSITION] + 1)), MODEL_RELAXED);
		self->at = ACKNOWLEDGE;
		return;
	case ACKNOWLEDGE:
		fence_but(model, thread, MODEL_ACQUIRE, fault == OBSERVER_NO_FENCE);
		self->at = BEHIND;
		return;
	default:
		judge_copy(model, thread, model_load(model, thread, CLAIMED, MODEL_RELAXED));
	}
}

/* --- programs ----------------------------------------------------------------------------------------------------- */

static void step_with_consumer(struct model *model, uint32_t thread, uint32_t fault)
{
	if (thread == 0)
		step_producer(model, thread, fault);
	else if (thread == 1)
		step_consumer(model, thread);
	else
		step_observer(model, thread, fault);
}

static void step_with_observer(struct model *model, uint32_t thread, uint32_t fault)
{
	if (thread == 0)
		step_producer(model, thread, fault);
	else
		step_observer(model, thread, fault);
}

static void a_consumer_finds_each_record_where_it_stands(void **state)
{
	static const char *const faults[] = {
		"as it is",
		"head stored with release",
		"waiting for the start of the ring before a rewind",
		"the line of the pad that is jumped over",
		"the end of the lap as the end of a jump's room",
		"waiting for room",
		NULL,
	};
	const struct model_program program = {.threads = 2, .step = step_with_consumer, .words = CELLS + RING};

	(void)state;
	is_ack_free = false;
	lap_records = check_is_whole() ? 12 : 8;
	check_program(&program, faults);
}

static void an_observer_knows_that_it_was_overtaken(void **state)
{
	static const char *const faults[] = {"as it is", "head stored with release", NULL};
	static const char *const others[] = {"", "claimed raised before a pad is written",
		"the release fence behind claimed", "the observer's acquire fence"};
	const struct model_program program = {.threads = 2, .step = step_with_observer, .words = CELLS + RING};

	(void)state;
	is_ack_free = true;
	lap_records = check_is_whole() ? 10 : 8;
	check_program(&program, faults);
	for (uint32_t i = 1; i < sizeof(others) / sizeof(others[0]); i++)
		check_fault(&program, PAD_IS_NOT_TOLD + i - 1, others[i]);
}

/* A ring in which a consumer has stopped is where an observer meets jumps. */
static void nor_does_a_jump_deceive_an_observer(void **state)
{
	const struct model_program program = {.threads = 3, .step = step_with_consumer, .words = CELLS + RING};

	(void)state;
	is_ack_free = false;
	lap_records = check_is_whole() ? 5 : 4;
	check_fault(&program, 0, "as it is");
	check_fault(&program, PAD_IS_NOT_TOLD, "claimed raised before a pad is written");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_consumer_finds_each_record_where_it_stands),
		cmocka_unit_test(an_observer_knows_that_it_was_overtaken),
		cmocka_unit_test(nor_does_a_jump_deceive_an_observer),
	};

	return cmocka_run_group_tests_name("proof.laps", tests, NULL, NULL);
}
