/* answers.c: each request is a piece of work of the system's workers; what is done waits in a list. */
#include "web/cnc/answers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "web/system/shown_text.h"

#define STATUS_TRIES 10u

struct answers {
	struct node *node;
	struct web_system *system;
	struct access *access;
	int wake_descriptor;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	struct answer *done;
	unsigned count, working;
};

struct errand {
	struct answers *answers;
	struct answer *answer;
	json_t *request;
	struct access_who who;
};

struct answers *answers_create(struct node *node, struct web_system *system, struct access *access, int wake_descriptor)
{
	struct answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		return NULL;
	*answers =
		(struct answers){.node = node, .system = system, .access = access, .wake_descriptor = wake_descriptor};
	pthread_mutex_init(&answers->lock, NULL);
	pthread_cond_init(&answers->idle, NULL);
	return answers;
}

void answer_destroy(struct answer *answer)
{
	json_decref(answer->json);
	free(answer);
}

void answers_destroy(struct answers *answers)
{
	struct answer *answer;

	if (!answers)
		return;
	pthread_mutex_lock(&answers->lock);
	while (answers->working)
		pthread_cond_wait(&answers->idle, &answers->lock);
	pthread_mutex_unlock(&answers->lock);
	while ((answer = answers_take(answers)))
		answer_destroy(answer);
	pthread_cond_destroy(&answers->idle);
	pthread_mutex_destroy(&answers->lock);
	free(answers);
}

/* Its text with secrets masked, as only the types of jobs know them: the audit's own fence goes by names. */
static void audit(const struct errand *errand, int status)
{
	struct answers *answers = errand->answers;
	enum cnc_type type = errand->answer->type;
	char what[80], result[16];

	if (!answers->access || !cnc_type_is_change(type))
		return;
	json_t *shown = json_copy(errand->request);
	const char *text = json_string_value(json_object_get(shown, "config"));
	if (text)
		json_object_set_new(
			shown, "config", shown_text_make(system_settings(answers->system), "custom.toml", text));
	char *about = json_dumps(shown, JSON_COMPACT);
	snprintf(what, sizeof(what), "CNC %s", cnc_type_name(type));
	snprintf(result, sizeof(result), "%d", status);
	access_audit(answers->access, &errand->who, what, about, result);
	free(about);
	json_decref(shown);
}

/* A status has no words for "not yet": a system that has just started, or is away for a moment, is asked again. What
 * stays away is not answered: an empty status would say that all jobs have ended. */
static int ask(struct errand *errand, json_t **ret_answer)
{
	const struct timespec pause = {.tv_nsec = 300000000};
	unsigned tries = errand->answer->type == CNC_REQ_STATUS ? STATUS_TRIES : 1;
	int status;

	while ((status = node_ask(errand->answers->node, errand->request, &errand->who, ret_answer)) == 503 &&
		--tries) {
		json_decref(*ret_answer);
		nanosleep(&pause, NULL);
	}
	return status;
}

/* On a worker. */
static void carry_out(void *context)
{
	struct errand *errand = context;
	struct answers *answers = errand->answers;
	struct answer *answer = errand->answer;

	audit(errand, ask(errand, &answer->json));
	json_object_set(answer->json, "req_id", json_object_get(errand->request, "req_id"));
	json_decref(errand->request);
	free(errand);
	pthread_mutex_lock(&answers->lock);
	answer->next = answers->done;
	answers->done = answer;
	eventfd_write(answers->wake_descriptor, 1);
	if (!--answers->working)
		pthread_cond_broadcast(&answers->idle);
	pthread_mutex_unlock(&answers->lock);
}

static bool take_place(struct answers *answers)
{
	pthread_mutex_lock(&answers->lock);
	bool is_there = answers->count < ANSWERS_MAX;
	if (is_there) {
		answers->count++;
		answers->working++;
	}
	pthread_mutex_unlock(&answers->lock);
	return is_there;
}

static void leave_place(struct answers *answers)
{
	pthread_mutex_lock(&answers->lock);
	answers->count--;
	if (!--answers->working)
		pthread_cond_broadcast(&answers->idle);
	pthread_mutex_unlock(&answers->lock);
}

int answers_start(struct answers *answers, const struct answers_request *request)
{
	struct errand *errand = calloc(1, sizeof(*errand));
	struct answer *answer = calloc(1, sizeof(*answer));
	int rc = errand && answer && request->identity_bytes <= sizeof(answer->identity) ? 0 : -ENOMEM;
	bool has_place = !rc && take_place(answers);

	if (!rc)
		rc = has_place ? 0 : -EAGAIN;
	if (!rc) {
		*errand = (struct errand){.answers = answers,
			.answer = answer,
			.request = json_deep_copy(request->json),
			.who = *request->who};
		answer->type = request->type;
		answer->identity_bytes = request->identity_bytes;
		if (request->identity_bytes)
			memcpy(answer->identity, request->identity, request->identity_bytes);
		rc = system_work_change(answers->system, carry_out, errand);
		if (!rc)
			return 0;
		json_decref(errand->request);
	}
	if (has_place)
		leave_place(answers);
	free(answer);
	free(errand);
	return rc;
}

struct answer *answers_take(struct answers *answers)
{
	pthread_mutex_lock(&answers->lock);
	struct answer *answer = answers->done;
	if (answer) {
		answers->done = answer->next;
		answers->count--;
	}
	pthread_mutex_unlock(&answers->lock);
	return answer;
}
