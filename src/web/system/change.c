/* change.c: see the header. */
#include "web/system/change.h"

#include <stdbool.h>
#include <string.h>

struct pair { /* the same object in both looks; either may be missing */
	const json_t *before, *now;
};

static bool differs(const struct pair *pair, const char *key)
{
	const json_t *before = json_object_get(pair->before, key), *now = json_object_get(pair->now, key);

	return (before || now) && !json_equal(before, now);
}

/* null where it has none */
static int set(json_t *event, const char *key, const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return value ? json_object_set(event, key, value) : json_object_set_new(event, key, json_null());
}

static json_t *begin(const char *name)
{
	return json_pack("{ss}", "event", name);
}

static int add(json_t *events, json_t *event, int rc)
{
	if (rc) {
		json_decref(event);
		return -1;
	}
	return json_array_append_new(events, event);
}

static int add_system(json_t *events, const struct snapshot *before, const struct snapshot *now)
{
	if (before->is_there == now->is_there && !before->reason[0] == !now->reason[0])
		return 0;
	return json_array_append_new(
		events, json_pack("{sssbss}", "event", "system", "is_there", now->is_there, "reason", now->reason));
}

static int add_state(json_t *events, const struct pair *whole)
{
	if (!differs(whole, "state"))
		return 0;
	json_t *event = begin("state");
	int rc = !event || set(event, "state", whole->now, "state") || set(event, "before", whole->before, "state");

	return add(events, event, rc);
}

static int add_run(json_t *events, const struct pair *whole)
{
	const struct pair runs = {json_object_get(whole->before, "runs"), json_object_get(whole->now, "runs")};

	if (!differs(&runs, "state") && !differs(&runs, "run"))
		return 0;
	json_t *event = begin("run");
	int rc = !event || set(event, "state", runs.now, "state") || set(event, "before", runs.before, "state") ||
		 set(event, "number", runs.now, "number") || set(event, "run", runs.now, "run") ||
		 set(event, "reason", runs.now, "reason");

	return add(events, event, rc);
}

static int add_job(json_t *events, const struct pair *job)
{
	const json_t *any = job->now ? job->now : job->before;

	if (!differs(job, "state") && !differs(job, "restarts"))
		return 0;
	json_t *event = begin("job");
	int rc = !event || set(event, "job", any, "name") || set(event, "type", any, "type") ||
		 set(event, "state", job->now, "state") || set(event, "before", job->before, "state") ||
		 set(event, "reason", any, "reason") || set(event, "restarts", any, "restarts");

	return add(events, event, rc);
}

static int add_alarm(json_t *events, const struct pair *alarm)
{
	static const char *const keys[] = {"on", "acknowledged", "muted_until_wall_ns", "severity"};
	const json_t *any = alarm->now ? alarm->now : alarm->before;
	bool is_other = false;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		is_other = is_other || differs(alarm, keys[i]);
	if (!is_other)
		return 0;
	json_t *event = json_copy((json_t *)(uintptr_t)any);
	int rc = !event || json_object_set_new(event, "event", json_string("alarm"));
	if (!rc && !alarm->now)
		rc = json_object_set_new(event, "on", json_false());
	return add(events, event, rc);
}

/* Alarms are known by their key, jobs by their name. */
static const char *name_of(const json_t *item)
{
	const char *key = json_string_value(json_object_get(item, "key"));

	return key ? key : json_string_value(json_object_get(item, "name"));
}

static const json_t *find(const json_t *index, const json_t *item)
{
	const char *name = name_of(item);

	return name ? json_object_get(index, name) : NULL;
}

/* name → object */
static json_t *make_index(const json_t *list)
{
	json_t *index = json_object(), *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const char *name = name_of(item);
		if (index && name)
			json_object_set(index, name, item);
	}
	return index;
}

/* Objects with names of a list: those that are there, then those that have left. */
static int walk(json_t *events, const struct pair *whole, const char *key,
	int (*add_one)(json_t *events, const struct pair *pair))
{
	const json_t *old = json_object_get(whole->before, key), *new = json_object_get(whole->now, key), *item;
	json_t *old_index = make_index(old), *new_index = make_index(new);
	int rc = !old_index || !new_index;
	size_t i;

	json_array_foreach(new, i, item)
	{
		const struct pair pair = {find(old_index, item), item};
		rc = rc || add_one(events, &pair);
	}
	json_array_foreach(old, i, item)
	{
		const struct pair pair = {item, NULL};
		rc = rc || (!find(new_index, item) && add_one(events, &pair));
	}
	json_decref(old_index);
	json_decref(new_index);
	return rc;
}

json_t *change_list(const struct snapshot *before, const struct snapshot *now)
{
	json_t *events = json_array();

	if (!events || !before)
		return events;
	const struct pair whole = {before->status, now->status};
	int rc = add_system(events, before, now) || add_state(events, &whole) || add_run(events, &whole);

	rc = rc || walk(events, &whole, "jobs", add_job) || walk(events, &whole, "alarms", add_alarm);
	if (!rc)
		return events;
	json_decref(events);
	return NULL;
}
