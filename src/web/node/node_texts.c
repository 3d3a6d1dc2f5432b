/* node_texts.c: see the header. */
#include "web/node/node_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define AGAIN_NS                                                                                                       \
	60000000000ull           /* a text may be replaced while its job lives: one whose comments alone have changed  \
				  */
#define FAILED_NS  2000000000ull /* what could not be told is asked for again */
#define TIMEOUT_MS 5000u

struct node_text {
	json_int_t id, life;
	uint64_t asked_ns;
	json_t *fields; /* NULL: it could not be told */
};

void node_texts_fini(struct node_texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		json_decref(texts->items[i].fields);
	free(texts->items);
	*texts = (struct node_texts){0};
}

static struct node_text *find_place(struct node_texts *texts, json_int_t id)
{
	for (size_t i = 0; i < texts->count; i++)
		if (texts->items[i].id == id)
			return &texts->items[i];
	struct node_text *items = realloc(texts->items, (texts->count + 1) * sizeof(*items));

	if (!items)
		return NULL;
	texts->items = items;
	items[texts->count] = (struct node_text){.id = id};
	return &items[texts->count++];
}

/* NULL: it was refused, or (*ret_is_silent) nobody answers. */
static json_t *ask(struct web_system *system, const char *job, bool *ret_is_silent)
{
	const struct system_command command = {.to = "supervisor",
		.kind = "job.text",
		.fields = json_pack("{s:s}", "name", job),
		.timeout_ms = TIMEOUT_MS};
	struct system_answer answer = {0};
	struct enrg_error err = {0};

	*ret_is_silent = system_ask(system, &command, &answer, &err) != 0;
	if (*ret_is_silent)
		return NULL;
	*ret_is_silent = answer.code == ENRG_ANSWER_UNKNOWN || answer.code == ENRG_ANSWER_EXPIRED;
	if (answer.code == ENRG_ANSWER_OK && json_is_string(json_object_get(answer.fields, "text")))
		return answer.fields;
	json_decref(answer.fields);
	return NULL;
}

const json_t *node_texts_find(struct node_texts *texts, struct web_system *system, const json_t *job)
{
	json_int_t id = json_integer_value(json_object_get(job, "id"));
	json_int_t life = json_integer_value(json_object_get(job, "life"));
	const char *name = json_string_value(json_object_get(job, "name"));
	struct node_text *text = name ? find_place(texts, id) : NULL;
	uint64_t now_ns = clock_mono_ns();
	bool is_silent;

	if (!text)
		return NULL;
	if (text->asked_ns && text->life == life && now_ns - text->asked_ns < (text->fields ? AGAIN_NS : FAILED_NS))
		return text->fields;
	if (texts->failed_ns && now_ns - texts->failed_ns < FAILED_NS)
		return text->life == life ? text->fields : NULL;
	json_t *fields = ask(system, name, &is_silent);
	if (is_silent)
		texts->failed_ns = now_ns = clock_mono_ns();
	if (fields || text->life != life) {
		json_decref(text->fields);
		text->fields = fields;
	}
	text->life = life;
	text->asked_ns = now_ns;
	return text->fields;
}

static bool is_among(const json_t *jobs, json_int_t id)
{
	for (size_t i = 0; i < json_array_size(jobs); i++)
		if (json_integer_value(json_object_get(json_array_get(jobs, i), "id")) == id)
			return true;
	return false;
}

void node_texts_keep(struct node_texts *texts, const json_t *jobs)
{
	size_t kept = 0;

	for (size_t i = 0; i < texts->count; i++) {
		if (is_among(jobs, texts->items[i].id))
			texts->items[kept++] = texts->items[i];
		else
			json_decref(texts->items[i].fields);
	}
	texts->count = kept;
}
