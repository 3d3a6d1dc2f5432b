/* model.h: small programs of a few threads on shared words, run through every order in which their steps can interleave
 * and every value that a load may see under the rules of C11 atomics, whatever the machine.
 *
 * A word keeps all that was ever stored in it. Each thread has a *view*: of each word, the oldest store that it may
 * still see. A load takes any store from there on. A release store, or a store behind a release fence, carries the view
 * of its thread along; an acquire load, or an acquire fence behind a load, takes it over. Full fences stand in one
 * order and hand their views on. Not in the model: a load that is delayed behind a later store of its thread, which
 * C11 allows for relaxed accesses to different words. */
#ifndef PROOF_MODEL_H
#define PROOF_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_WORDS   16u
#define MODEL_THREADS 3u
#define MODEL_STORES  16u /* into one word */
#define MODEL_LOCALS  12u

enum model_order { MODEL_RELAXED, MODEL_ACQUIRE, MODEL_RELEASE, MODEL_FULL };

struct model_view {
	uint8_t first[MODEL_WORDS];
};

struct model_store {
	uint8_t value;
	struct model_view view;
};

struct model_word {
	uint8_t count;
	struct model_store stores[MODEL_STORES];
};

struct model_thread {
	uint8_t at;       /* the next step; what they are is the program's */
	uint8_t sleeps;   /* 0, or 1 + the word it sleeps on */
	uint8_t is_ended; /* it has done all */
	uint8_t locals[MODEL_LOCALS];
	struct model_view now, loaded, released;
};

struct model {
	struct model_word words[MODEL_WORDS];
	struct model_thread threads[MODEL_THREADS];
	struct model_view fences;
	/* Of the step that is being made; not part of the state. A step that loads nothing may set `choices` itself:
	 * it is made as often, with each `choice` below that. */
	const char *violation;
	uint32_t choice, choices;
};

struct model_program {
	uint32_t threads;
	/* One step of a thread, with one access to a shared word at the most. */
	void (*step)(struct model *model, uint32_t thread, uint32_t fault);
	/* What must hold between any two steps; NULL: nothing. */
	bool (*holds)(const struct model *model);
	uint32_t words; /* used ones; 0: all */
};

struct model_result {
	const char *violation; /* NULL: none */
	uint64_t states;
	bool has_end; /* there is a run in which all threads have ended */
};

/* All runs of a program. `fault`: what is broken in it, 0 = nothing. Words begin with 0. */
struct model_result model_check(const struct model_program *program, uint32_t fault);

/* --- for steps ---------------------------------------------------------------------------------------------------- */

uint8_t model_load(struct model *model, uint32_t thread, uint32_t word, enum model_order order);
void model_store(struct model *model, uint32_t thread, uint32_t word, uint8_t value, enum model_order order);
/* With release order. */
void model_increment(struct model *model, uint32_t thread, uint32_t word);
void model_fence(struct model *model, uint32_t thread, enum model_order order);
/* As futex(2): sleeps where the word has that value; the kernel looks at the newest. */
void model_sleep(struct model *model, uint32_t thread, uint32_t word, uint8_t value);
void model_wake(struct model *model, uint32_t word);
/* The thread was killed, and its successor is there: it has seen all that was stored, and knows nothing else. */
void model_succeed(struct model *model, uint32_t thread);
/* The newest value: for `holds`, and for who comes after a death. */
uint8_t model_newest(const struct model *model, uint32_t word);

#endif
