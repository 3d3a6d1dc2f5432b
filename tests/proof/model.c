/* model.c: see the header. States that have been seen are known by 128 bits of a hash. */
#include "proof/model.h"

#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct seen {
	uint64_t (*keys)[2];
	uint64_t room, count;
};

struct run {
	const struct model_program *program;
	uint32_t fault, words;
	struct seen seen;
	struct model_result result;
};

/* --- views -------------------------------------------------------------------------------------------------------- */

static void join(struct model_view *into, const struct model_view *from)
{
	for (uint32_t i = 0; i < MODEL_WORDS; i++)
		if (from->first[i] > into->first[i])
			into->first[i] = from->first[i];
}

static struct model_thread *thread_of(struct model *model, uint32_t thread)
{
	return &model->threads[thread];
}

uint8_t model_newest(const struct model *model, uint32_t word)
{
	return model->words[word].stores[model->words[word].count - 1].value;
}

uint8_t model_load(struct model *model, uint32_t thread, uint32_t word, enum model_order order)
{
	struct model_thread *self = thread_of(model, thread);
	uint32_t first = self->now.first[word];

	model->choices = model->words[word].count - first;
	const struct model_store *found = &model->words[word].stores[first + model->choice];
	self->now.first[word] = (uint8_t)(first + model->choice);
	join(order == MODEL_ACQUIRE ? &self->now : &self->loaded, &found->view);
	join(&self->loaded, &self->now);
	return found->value;
}

static void append(struct model *model, uint32_t thread, uint32_t word, uint8_t value, const struct model_view *view)
{
	struct model_word *place = &model->words[word];
	struct model_thread *self = thread_of(model, thread);

	if (place->count == MODEL_STORES) {
		model->violation = "the model has no room for so many stores";
		return;
	}
	self->now.first[word] = place->count;
	struct model_store *store = &place->stores[place->count++];
	store->value = value;
	store->view = *view;
	store->view.first[word] = self->now.first[word];
}

void model_store(struct model *model, uint32_t thread, uint32_t word, uint8_t value, enum model_order order)
{
	const struct model_thread *self = thread_of(model, thread);
	const struct model_view view = order == MODEL_RELEASE ? self->now : self->released;

	append(model, thread, word, value, &view);
}

void model_increment(struct model *model, uint32_t thread, uint32_t word)
{
	struct model_thread *self = thread_of(model, thread);
	const struct model_store *last = &model->words[word].stores[model->words[word].count - 1];
	struct model_view view = last->view;

	join(&self->loaded, &last->view);
	join(&view, &self->now);
	append(model, thread, word, (uint8_t)(last->value + 1), &view);
}

void model_fence(struct model *model, uint32_t thread, enum model_order order)
{
	struct model_thread *self = thread_of(model, thread);

	if (order == MODEL_ACQUIRE || order == MODEL_FULL)
		join(&self->now, &self->loaded);
	if (order == MODEL_FULL) {
		join(&self->now, &model->fences);
		model->fences = self->now;
	}
	if (order == MODEL_RELEASE || order == MODEL_FULL)
		self->released = self->now;
}

void model_sleep(struct model *model, uint32_t thread, uint32_t word, uint8_t value)
{
	struct model_thread *self = thread_of(model, thread);

	/* It has seen that value, and can't see an older one later. */
	self->now.first[word] = (uint8_t)(model->words[word].count - 1);
	if (model_newest(model, word) == value)
		self->sleeps = (uint8_t)(word + 1);
}

void model_wake(struct model *model, uint32_t word)
{
	for (uint32_t i = 0; i < MODEL_THREADS; i++)
		if (model->threads[i].sleeps == word + 1)
			model->threads[i].sleeps = 0;
}

void model_succeed(struct model *model, uint32_t thread)
{
	struct model_thread *self = thread_of(model, thread);

	memset(self, 0, sizeof(*self));
	for (uint32_t i = 0; i < MODEL_WORDS; i++)
		self->now.first[i] = (uint8_t)(model->words[i].count - 1);
	self->loaded = self->now;
	self->released = self->now;
}

/* --- what can't be seen any more ---------------------------------------------------------------------------------- */

static void lower(struct model_view *view, uint32_t word, uint8_t by)
{
	view->first[word] = view->first[word] > by ? (uint8_t)(view->first[word] - by) : 0;
}

static void lower_all(struct model *model, uint32_t word, uint8_t by)
{
	for (uint32_t i = 0; i < MODEL_THREADS; i++) {
		lower(&model->threads[i].now, word, by);
		lower(&model->threads[i].loaded, word, by);
		lower(&model->threads[i].released, word, by);
	}
	lower(&model->fences, word, by);
	for (uint32_t i = 0; i < MODEL_WORDS; i++)
		for (uint32_t k = 0; k < model->words[i].count; k++)
			lower(&model->words[i].stores[k].view, word, by);
}

/* Stores that no thread may see are as if they had not been: so two states that differ in them alone are one. */
static void forget(struct model *model, uint32_t words, uint32_t threads)
{
	for (uint32_t word = 0; word < words; word++) {
		struct model_word *place = &model->words[word];
		uint8_t least = (uint8_t)(place->count - 1);

		for (uint32_t i = 0; i < threads; i++)
			if (!model->threads[i].is_ended && model->threads[i].now.first[word] < least)
				least = model->threads[i].now.first[word];
		if (!least)
			continue;
		place->count = (uint8_t)(place->count - least);
		memmove(place->stores, place->stores + least, place->count * sizeof(place->stores[0]));
		memset(place->stores + place->count, 0, (MODEL_STORES - place->count) * sizeof(place->stores[0]));
		lower_all(model, word, least);
	}
}

/* --- all runs ----------------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, uint64_t word, uint64_t factor)
{
	hash = (hash ^ word) * factor;
	return hash ^ (hash >> 29);
}

static void hash_bytes(const void *bytes, size_t count, uint64_t key[2])
{
	uint64_t word;

	for (size_t i = 0; i < count; i += sizeof(word)) {
		word = 0;
		memcpy(&word, (const uint8_t *)bytes + i, count - i < sizeof(word) ? count - i : sizeof(word));
		key[0] = mix(key[0], word, 0xD6E8FEB86659FD93ull);
		key[1] = mix(key[1], word, 0xA0761D6478BD642Full);
	}
}

/* Beyond the count of a word all is 0. */
static void hash_state(const struct model *model, uint32_t words, uint64_t ret_key[2])
{
	ret_key[0] = 0x9E3779B97F4A7C15ull;
	ret_key[1] = 0xC2B2AE3D27D4EB4Full;
	for (uint32_t i = 0; i < words; i++)
		hash_bytes(&model->words[i],
			offsetof(struct model_word, stores) + model->words[i].count * sizeof(struct model_store),
			ret_key);
	hash_bytes(model->threads, offsetof(struct model, violation) - offsetof(struct model, threads), ret_key);
	ret_key[0] |= !ret_key[0];
}

static bool put(struct seen *seen, const uint64_t key[2])
{
	uint64_t at = key[0] % seen->room;

	while (seen->keys[at][0]) {
		if (seen->keys[at][0] == key[0] && seen->keys[at][1] == key[1])
			return false;
		at = (at + 1) % seen->room;
	}
	seen->keys[at][0] = key[0];
	seen->keys[at][1] = key[1];
	seen->count++;
	return true;
}

static void grow(struct seen *seen)
{
	struct seen wider = {.room = seen->room ? 2 * seen->room : 1u << 16};

	wider.keys = calloc(wider.room, sizeof(*wider.keys));
	if (!wider.keys)
		abort();
	for (uint64_t i = 0; i < seen->room; i++)
		if (seen->keys[i][0])
			put(&wider, seen->keys[i]);
	free(seen->keys);
	*seen = wider;
}

static bool is_new(struct seen *seen, const struct model *model, uint32_t words)
{
	uint64_t key[2];

	if (2 * seen->count >= seen->room)
		grow(seen);
	hash_state(model, words, key);
	return put(seen, key);
}

static void explore(struct run *run, const struct model *model)
{
	bool can_go = false, is_all_ended = true;

	if (run->result.violation || !is_new(&run->seen, model, run->words))
		return;
	if (run->program->holds && !run->program->holds(model)) {
		run->result.violation = "what must always hold does not";
		return;
	}
	for (uint32_t i = 0; i < run->program->threads; i++) {
		const struct model_thread *thread = &model->threads[i];
		uint32_t choices = 1;

		is_all_ended &= thread->is_ended;
		if (thread->is_ended || thread->sleeps)
			continue;
		can_go = true;
		for (uint32_t choice = 0; choice < choices; choice++) {
			struct model next = *model;
			next.choice = choice;
			next.choices = 1;
			run->program->step(&next, i, run->fault);
			choices = next.choices;
			if (next.violation && !run->result.violation)
				run->result.violation = next.violation;
			forget(&next, run->words, run->program->threads);
			explore(run, &next);
		}
	}
	run->result.has_end |= is_all_ended;
	if (!can_go && !is_all_ended && !run->result.violation)
		run->result.violation = "somebody sleeps for ever";
}

struct model_result model_check(const struct model_program *program, uint32_t fault)
{
	struct run run = {.program = program, .fault = fault, .words = program->words ? program->words : MODEL_WORDS};
	struct model first;

	memset(&first, 0, sizeof(first));
	for (uint32_t i = 0; i < MODEL_WORDS; i++)
		first.words[i].count = 1;
	explore(&run, &first);
	free(run.seen.keys);
	run.result.states = run.seen.count;
	return run.result;
}
