/* run_facts.c: see the header. Process: supervisor, main thread. */
#include "supervisor/run_facts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/options_json.h"

int run_facts_set(struct run_facts *facts, json_t *asked, struct enrg_error *err)
{
	struct options_memory *memory = options_memory_create();
	char wrong[900] = "";
	void *terms;

	if (!asked)
		asked = json_object();
	if (!memory || !asked) {
		options_memory_destroy(memory);
		json_decref(asked);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	int rc = options_fill_json(&run_terms_table, asked, memory, &terms, wrong, sizeof(wrong));
	if (rc) {
		options_memory_destroy(memory);
		json_decref(asked);
		return enrg_error_set(err, rc, "%s", wrong);
	}
	options_memory_destroy(facts->memory);
	json_decref(facts->asked);
	facts->memory = memory;
	facts->asked = asked;
	facts->terms = terms;
	return 0;
}

void run_facts_fini(struct run_facts *facts)
{
	options_memory_destroy(facts->memory);
	json_decref(facts->asked);
	json_decref(facts->flags);
	json_decref(facts->jobs);
	json_decref(facts->figures);
	free(facts->conditions);
	*facts = (struct run_facts){.asked = NULL};
}

/* --- flags ---------------------------------------------------------------------------------------------------------
 */

static size_t find_flag(const struct run_facts *facts, const char *flag)
{
	size_t count = json_array_size(facts->flags), i = 0;

	for (; i < count; i++) {
		const char *name = json_string_value(json_object_get(json_array_get(facts->flags, i), "flag"));
		if (name && !strcmp(name, flag))
			break;
	}
	return i;
}

bool run_facts_has_flag(const struct run_facts *facts, const char *flag)
{
	return find_flag(facts, flag) < json_array_size(facts->flags);
}

bool run_facts_set_flag(struct run_facts *facts, const char *flag, bool is_set, const char *reason, const char *by)
{
	size_t place = find_flag(facts, flag);
	bool is_there = place < json_array_size(facts->flags);

	if (is_there == is_set)
		return false;
	if (is_there)
		return json_array_remove(facts->flags, place) == 0;
	if (!facts->flags)
		facts->flags = json_array();
	return json_array_append_new(facts->flags, json_pack("{s:s, s:s, s:s, s:I}", "flag", flag, "reason", reason,
							   "by", by, "wall_ns", (json_int_t)clock_wall_ns())) == 0;
}

json_t *run_facts_format_flags(const struct run_facts *facts)
{
	json_t *names = json_array();

	for (size_t i = 0; i < json_array_size(facts->flags); i++)
		json_array_append(names, json_object_get(json_array_get(facts->flags, i), "flag"));
	return names;
}

/* --- runs.json -----------------------------------------------------------------------------------------------------
 */

json_t *run_facts_format(const struct run_facts *facts)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "uuid", facts->uuid, "by", facts->by,
		"end_reason", facts->end_reason, "end_by", facts->end_by, "on_wall_ns", (json_int_t)facts->on_wall_ns,
		"live_ns", (json_int_t)facts->live_ns, "dead_ns", (json_int_t)facts->dead_ns);

	if (!json)
		return NULL;
	json_object_set_new(json, "warning", json_string(facts->warning));
	json_object_set_new(json, "wished", json_boolean(facts->was_wished));
	json_object_set_new(json, "of_jobs", json_boolean(facts->is_of_jobs));
	json_object_set_new(json, "ends_itself", json_boolean(facts->ends_itself));
	if (facts->asked)
		json_object_set(json, "asked", facts->asked);
	if (facts->flags)
		json_object_set(json, "flags", facts->flags);
	if (facts->jobs)
		json_object_set(json, "jobs", facts->jobs);
	return json;
}

static void copy_text(const json_t *json, const char *key, char *ret_text, size_t text_bytes)
{
	const char *text = json_string_value(json_object_get(json, key));

	snprintf(ret_text, text_bytes, "%s", text ? text : "");
	text_make_safe(ret_text, strlen(ret_text));
}

void run_facts_parse(struct run_facts *facts, const json_t *json)
{
	json_t *flags = json_object_get(json, "flags"), *jobs = json_object_get(json, "jobs");

	run_facts_fini(facts);
	copy_text(json, "uuid", facts->uuid, sizeof(facts->uuid));
	copy_text(json, "by", facts->by, sizeof(facts->by));
	copy_text(json, "end_reason", facts->end_reason, sizeof(facts->end_reason));
	copy_text(json, "end_by", facts->end_by, sizeof(facts->end_by));
	copy_text(json, "warning", facts->warning, sizeof(facts->warning));
	facts->was_wished = json_is_true(json_object_get(json, "wished"));
	facts->is_of_jobs = json_is_true(json_object_get(json, "of_jobs"));
	facts->ends_itself = json_is_true(json_object_get(json, "ends_itself"));
	facts->on_wall_ns = (uint64_t)json_integer_value(json_object_get(json, "on_wall_ns"));
	facts->live_ns = (uint64_t)json_integer_value(json_object_get(json, "live_ns"));
	facts->dead_ns = (uint64_t)json_integer_value(json_object_get(json, "dead_ns"));
	(void)run_facts_set(facts, json_incref(json_object_get(json, "asked")), NULL);
	facts->flags = json_is_array(flags) ? json_deep_copy(flags) : NULL;
	facts->jobs = json_is_array(jobs) ? json_deep_copy(jobs) : NULL;
}
