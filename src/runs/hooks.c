/* hooks.c: see the header. Process: the book; the thread of the caller, and one for each hook. */
#include "runs/hooks.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "runs/entry/entry.h"
#include "runs/hook.h"
#include "runs/reader.h"

#define HOOKS_MAX    16u
#define RUNS_MAX     20               /* the newest, looked at */
#define FRESH_NS     3600000000000ull /* what is older is no news any more: a hook that was configured today */
#define PAUSE_NS     500000000ull     /* before the second try; four times as long before the third */
#define WARNINGS_MAX 8u

struct job {
	struct job *next;
	struct hook_call *call;
};

/* One hook and its thread: one that hangs does not hold up the others. */
struct runner {
	struct hooks *hooks;
	struct hook hook;
	pthread_t thread;
	struct job *first; /* the one that is tried, and those that wait */
};

struct hooks {
	struct hooks_params params;
	char runtime_folder[DATABASE_PATH_BYTES];
	unsigned count;
	struct runner runners[HOOKS_MAX];
	pthread_mutex_t mutex; /* over their lists and what follows */
	pthread_cond_t wake;
	_Atomic bool is_ending;
	char *warnings[WARNINGS_MAX];
	unsigned warning_count;
	json_t *known; /* array of names of what was given to the thread; of the main thread alone */
};

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static void note(struct hooks *hooks, const struct hook_call *call, unsigned tries)
{
	char text[1000];
	struct enrg_error err = {0};
	json_t *body = json_pack("{s:s, s:s, s:s, s:i, s:b, s:s, s:s}", "hook", call->hook->name, "event",
		hook_event_name(call->event), "of", call->key, "try", (int)tries, "ok", call->is_done, "answer",
		call->answer, "id", call->id);

	if (body && entry_write(hooks->runtime_folder, "hook", call->uuid, "run book", body, &err) < 0)
		log_line(ENRG_WARNING, "%s: what came of %s is not in the run book", err.text, call->hook->name);
	if (call->is_done)
		return;
	snprintf(text, sizeof(text),
		"%.100s was told of %s %u time(s) and has not taken it: %.400s; the run and its data are not touched "
		"by "
		"that; see `enrgdaq runs show`",
		call->hook->name, hook_event_name(call->event), tries, call->answer);
	pthread_mutex_lock(&hooks->mutex);
	if (hooks->warning_count < WARNINGS_MAX && (hooks->warnings[hooks->warning_count] = strdup(text)))
		hooks->warning_count++;
	pthread_mutex_unlock(&hooks->mutex);
}

/* false: the end has come. */
static bool pause_for(struct hooks *hooks, uint64_t pause_ns)
{
	uint64_t until_ns = clock_mono_ns() + pause_ns;
	struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};

	pthread_mutex_lock(&hooks->mutex);
	while (!hooks->is_ending && clock_mono_ns() < until_ns)
		pthread_cond_timedwait(&hooks->wake, &hooks->mutex, &until);
	pthread_mutex_unlock(&hooks->mutex);
	return !hooks->is_ending;
}

static void call_hook(struct hooks *hooks, struct hook_call *call)
{
	uint64_t pause_ns = PAUSE_NS;
	unsigned tries = 0;

	do {
		if (tries && !pause_for(hooks, pause_ns))
			return;
		pause_ns = tries ? pause_ns * 4 : pause_ns;
		hook_try(call, &hooks->is_ending);
		tries++;
	} while (!call->is_done && call->is_later && tries < HOOK_TRIES && !hooks->is_ending);
	if (call->is_done || !hooks->is_ending)
		note(hooks, call, tries);
}

static void *work(void *context)
{
	struct runner *runner = context;
	struct hooks *hooks = runner->hooks;

	pthread_mutex_lock(&hooks->mutex);
	while (!hooks->is_ending) {
		struct job *job = runner->first;
		if (!job) {
			pthread_cond_wait(&hooks->wake, &hooks->mutex);
			continue;
		}
		pthread_mutex_unlock(&hooks->mutex);
		call_hook(hooks, job->call);
		pthread_mutex_lock(&hooks->mutex);
		runner->first = job->next;
		hook_free_call(job->call);
		free(job);
	}
	pthread_mutex_unlock(&hooks->mutex);
	return NULL;
}

/* --- what is due -------------------------------------------------------------------------------------------------- */

/* The newest entry of that hook for that event; NULL: it was not told. */
static const json_t *find_told(const json_t *run, const struct hook *hook, enum hook_event event, const char *key)
{
	const json_t *list = json_object_get(json_object_get(run, "entries"), "hook");

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *body = json_object_get(json_array_get(list, i), "body");
		if (!strcmp(text_of(body, "hook"), hook->name) &&
			!strcmp(text_of(body, "event"), hook_event_name(event)) && !strcmp(text_of(body, "of"), key))
			return body;
	}
	return NULL;
}

static json_t *list_jobs(const json_t *run)
{
	const json_t *account = json_object_get(reader_newest(run, "end"), "account");
	const json_t *sources = json_object_get(account, "sources");
	json_t *names = json_array();

	for (size_t i = 0; i < json_array_size(sources); i++)
		json_array_append(names, json_object_get(json_array_get(sources, i), "source"));
	return names;
}

static json_t *make_data(const json_t *run, enum hook_event event, const json_t *message)
{
	const json_t *begin = reader_newest(run, "begin"), *values = json_object_get(begin, "values");
	json_t *data = json_pack("{s:O, s:s, s:s, s:s}", "id", json_object_get(run, "number"), "clientId",
		text_of(run, "supervisor"), "uuid", text_of(run, "uuid"), "run", text_of(run, "run"));

	switch (event) {
	case HOOK_RUN_STARTED:
		json_object_set_new(data, "description", json_string(text_of(run, "description")));
		json_object_set_new(data, "runTypeId", json_string(text_of(run, "type")));
		json_object_set_new(data, "parameterValues", values ? json_deep_copy(values) : json_object());
		break;
	case HOOK_RUN_STOPPED:
	case HOOK_RUN_FAILED:
		json_object_set_new(data, "jobNames", list_jobs(run));
		json_object_set_new(data, "quality", json_string(text_of(run, "quality")));
		json_object_set_new(data, "error", json_string(text_of(reader_newest(run, "end"), "reason")));
		break;
	case HOOK_MESSAGE_SENT:
	case HOOK_MESSAGE_FAILED:
		json_object_set(data, "runId", json_object_get(run, "number"));
		json_object_set(data, "id", json_object_get(message, "id"));
		json_object_set(data, "messageType", json_object_get(json_object_get(message, "body"), "kind"));
		json_object_set(data, "target", json_object_get(json_object_get(message, "body"), "to"));
		json_object_set(data, "errorMessage", json_object_get(json_object_get(message, "body"), "text"));
		break;
	case HOOK_EVENT_COUNT:
		break;
	}
	return data;
}

static json_t *make_words(const json_t *run, enum hook_event event, const char *reply_to)
{
	const json_t *begin = reader_newest(run, "begin");

	return json_pack("{s:s, s:O, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "event",
		hook_event_name(event), "number", json_object_get(run, "number"), "run", text_of(run, "run"), "uuid",
		text_of(run, "uuid"), "type", text_of(run, "type"), "description", text_of(run, "description"),
		"supervisor", text_of(run, "supervisor"), "who", text_of(json_object_get(begin, "by"), "who"), "began",
		text_of(run, "began"), "ended", text_of(run, "ended"), "quality", text_of(run, "quality"), "reason",
		text_of(reader_newest(run, "end"), "reason"), "id", reply_to);
}

/* Was it given to the thread already? */
static bool is_known(struct hooks *hooks, const char *name)
{
	for (size_t i = json_array_size(hooks->known); i-- > 0;)
		if (!strcmp(json_string_value(json_array_get(hooks->known, i)), name))
			return true;
	json_array_append_new(hooks->known, json_string(name));
	if (json_array_size(hooks->known) > HOOKS_MAX * RUNS_MAX * HOOK_EVENT_COUNT)
		json_array_remove(hooks->known, 0);
	return false;
}

static void give(struct runner *runner, struct hook_call *call)
{
	struct job *job = calloc(1, sizeof(*job)), **link = &runner->first;

	if (!job) {
		hook_free_call(call);
		return;
	}
	job->call = call;
	pthread_mutex_lock(&runner->hooks->mutex);
	while (*link)
		link = &(*link)->next;
	*link = job;
	pthread_cond_broadcast(&runner->hooks->wake);
	pthread_mutex_unlock(&runner->hooks->mutex);
}

static bool has_state(const json_t *run, const char *state)
{
	const json_t *list = json_object_get(json_object_get(run, "entries"), "state");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(text_of(json_object_get(json_array_get(list, i), "body"), "state"), state))
			return true;
	return false;
}

/* The end waits for what became of the start, which it may reply to. */
static bool waits_for_start(const struct hook *hook, const json_t *run, const json_t *start)
{
	return (hook->events & 1u << HOOK_RUN_STARTED) && !start && has_state(run, "running");
}

static void call_one(struct runner *runner, const json_t *run, enum hook_event event, const json_t *message)
{
	const struct hook *hook = &runner->hook;
	const char *key = message ? text_of(message, "id") : "";
	const json_t *start = find_told(run, hook, HOOK_RUN_STARTED, "");
	bool is_end = event == HOOK_RUN_STOPPED || event == HOOK_RUN_FAILED;
	char name[400];

	snprintf(name, sizeof(name), "%s %s %s %.200s", text_of(run, "uuid"), hook_event_name(event), key, hook->name);
	if (!(hook->events & 1u << event) || find_told(run, hook, event, key) ||
		(is_end && waits_for_start(hook, run, start)) || is_known(runner->hooks, name))
		return;
	struct hook_call *call = calloc(1, sizeof(*call));
	if (!call)
		return;
	call->hook = hook;
	call->event = event;
	snprintf(call->uuid, sizeof(call->uuid), "%s", text_of(run, "uuid"));
	snprintf(call->key, sizeof(call->key), "%s", key);
	snprintf(call->reply_to, sizeof(call->reply_to), "%s", is_end ? text_of(start, "id") : "");
	call->data = make_data(run, event, message);
	call->words = make_words(run, event, call->reply_to);
	give(runner, call);
}

static void call_all(struct hooks *hooks, const json_t *run, enum hook_event event, const json_t *message)
{
	for (unsigned i = 0; i < hooks->count; i++)
		call_one(&hooks->runners[i], run, event, message);
}

static void look_at_run(struct hooks *hooks, const json_t *run)
{
	const json_t *messages = json_object_get(json_object_get(run, "entries"), "message");

	if (has_state(run, "running"))
		call_all(hooks, run, HOOK_RUN_STARTED, NULL);
	for (size_t i = 0; i < json_array_size(messages); i++) {
		const json_t *message = json_array_get(messages, i);
		bool is_ok = !strcmp(text_of(json_object_get(message, "body"), "answer"), "ok");
		call_all(hooks, run, is_ok ? HOOK_MESSAGE_SENT : HOOK_MESSAGE_FAILED, message);
	}
	if (reader_newest(run, "end"))
		call_all(hooks, run,
			strcmp(text_of(run, "quality"), "aborted") != 0 ? HOOK_RUN_STOPPED : HOOK_RUN_FAILED, NULL);
}

int hooks_look(struct hooks *hooks, struct database *database, struct enrg_error *err)
{
	uint64_t now_ns = clock_wall_ns(), fresh_ns = now_ns > FRESH_NS ? now_ns - FRESH_NS : 0;
	int64_t runs[RUNS_MAX];
	sqlite3_stmt *statement;
	int count = 0;

	if (!hooks)
		return 0;
	int rc = database_bind(database,
		"SELECT id FROM run WHERE has_begin AND (ended_ns IS NULL OR ended_ns > ?) ORDER BY id DESC LIMIT ?",
		&statement, err, "ii", (int64_t)fresh_ns, (int64_t)RUNS_MAX);
	while (!rc && database_step(database, statement, &rc, err) && count < RUNS_MAX)
		runs[count++] = sqlite3_column_int64(statement, 0);
	for (int i = count; !rc && i-- > 0;) {
		json_t *run = NULL;
		rc = reader_show(database, runs[i], &run, err);
		if (!rc)
			look_at_run(hooks, run);
		json_decref(run);
	}
	return rc;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void hooks_step(struct hooks *hooks)
{
	while (hooks) {
		char *text = NULL;
		pthread_mutex_lock(&hooks->mutex);
		if (hooks->warning_count)
			text = hooks->warnings[--hooks->warning_count];
		pthread_mutex_unlock(&hooks->mutex);
		if (!text)
			return;
		hooks->params.warn(hooks->params.context, text);
		free(text);
	}
}

bool hooks_are_busy(struct hooks *hooks)
{
	bool is_busy = false;

	if (!hooks)
		return false;
	pthread_mutex_lock(&hooks->mutex);
	for (unsigned i = 0; i < hooks->count; i++)
		is_busy = is_busy || hooks->runners[i].first;
	pthread_mutex_unlock(&hooks->mutex);
	return is_busy;
}

static void prepare(struct hooks *hooks)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&hooks->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&hooks->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

/* The next of them; what makes no sense, or has no thread, is told and left out. */
static void add(struct hooks *hooks, const json_t *json, unsigned index)
{
	struct runner *runner = &hooks->runners[hooks->count];
	struct enrg_error err = {0};
	int rc = hook_init(&runner->hook, json, index, &err);

	runner->hooks = hooks;
	if (rc == 0 && pthread_create(&runner->thread, NULL, work, runner) != 0)
		rc = enrg_error_set(&err, -EAGAIN, "hook %u has no thread: it is not called", index + 1);
	if (rc == 0) {
		hooks->count++;
		return;
	}
	hook_fini(&runner->hook);
	hooks->params.warn(hooks->params.context, err.text);
}

struct hooks *hooks_open(const struct hooks_params *params)
{
	struct hooks *hooks = json_array_size(params->list) ? calloc(1, sizeof(*hooks)) : NULL;

	if (!hooks)
		return NULL;
	hooks->params = *params;
	hooks->params.list = NULL;
	snprintf(hooks->runtime_folder, sizeof(hooks->runtime_folder), "%s", params->runtime_folder);
	hooks->known = json_array();
	prepare(hooks);
	for (unsigned i = 0; i < json_array_size(params->list) && hooks->count < HOOKS_MAX; i++)
		add(hooks, json_array_get(params->list, i), i);
	return hooks;
}

static void end_runner(struct runner *runner)
{
	pthread_join(runner->thread, NULL);
	while (runner->first) {
		struct job *job = runner->first;
		runner->first = job->next;
		hook_free_call(job->call);
		free(job);
	}
	hook_fini(&runner->hook);
}

void hooks_close(struct hooks *hooks)
{
	if (!hooks)
		return;
	pthread_mutex_lock(&hooks->mutex);
	hooks->is_ending = true;
	pthread_cond_broadcast(&hooks->wake);
	pthread_mutex_unlock(&hooks->mutex);
	for (unsigned i = 0; i < hooks->count; i++)
		end_runner(&hooks->runners[i]);
	while (hooks->warning_count)
		free(hooks->warnings[--hooks->warning_count]);
	pthread_cond_destroy(&hooks->wake);
	pthread_mutex_destroy(&hooks->mutex);
	json_decref(hooks->known);
	free(hooks);
}
