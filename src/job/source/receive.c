/* receive.c: commands that come in, answers that go out, and the other way round. */
#include "job/source/receive.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "config/options_json.h"
#include "config/types_message.h"
#include "handover/command.h"
#include "job/process/mailbox.h"
#include "job/source/fields.h"
#include "job/source/reports.h"

#define TURN_MAX      64u /* messages in one go, so that polls have their turn */
#define ANSWERS_KEPT  256u
#define IDS_KEPT      4096u /* of commands that may come again */
#define ASKED_MAX     64u
#define PATIENCE_NS   10000000000ull
#define ANSWER_NS     3000000000ull /* so much later than its expiry an answer may come, or be asked for */
#define SUPERVISOR_TO "supervisor.%s.internal"

_Static_assert(
	(int)ENRG_ANSWER_OK == (int)COMMAND_OK && (int)ENRG_ANSWER_REFUSED == (int)COMMAND_REFUSED &&
		(int)ENRG_ANSWER_WRONG_FIELDS == (int)COMMAND_WRONG_FIELDS &&
		(int)ENRG_ANSWER_NO_KIND == (int)COMMAND_NO_KIND && (int)ENRG_ANSWER_NOBODY == (int)COMMAND_NOBODY &&
		(int)ENRG_ANSWER_EXPIRED == (int)COMMAND_EXPIRED && (int)ENRG_ANSWER_FAILED == (int)COMMAND_FAILED &&
		(int)ENRG_ANSWER_UNKNOWN == (int)COMMAND_UNKNOWN,
	"authors see the codes of commands");

/* A command of this job whose answer is to come. */
struct asked {
	bool is_used;
	uint8_t id[COMMAND_ID_BYTES];
	uint64_t due_ns; /* CLOCK_MONOTONIC */
	enrg_reply_function *on_answer;
	void *context;
};

/* A command that was acted upon. */
struct taken {
	uint8_t id[COMMAND_ID_BYTES];
	uint64_t until_ns; /* CLOCK_REALTIME, as its expiry: then nobody repeats it */
};

struct receiver {
	bool is_taking, is_ending;
	uint32_t answered; /* so many commands; the last ANSWERS_KEPT answers are kept */
	struct command_answer answers[ANSWERS_KEPT];
	uint32_t taken_count;
	struct taken taken[IDS_KEPT];
	uint32_t asked_count;
	struct asked asked[ASKED_MAX];
};

int receiver_create(struct enrg_job *job, struct enrg_error *err)
{
	if (!job->receiver)
		job->receiver = calloc(1, sizeof(*job->receiver));
	return job->receiver ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

void receiver_destroy(struct enrg_job *job)
{
	if (!job->receiver)
		return;
	for (size_t i = 0; i < ANSWERS_KEPT; i++)
		command_answer_fini(&job->receiver->answers[i]);
	free(job->receiver);
	job->receiver = NULL;
}

/* --- out --------------------------------------------------------------------------------------------------------- */

/* To the supervisor, which knows who asked. Takes the body. What goes to the reporter thread is a copy: parts of the
 * body are kept here, and jansson lets two threads share nothing. */
static int post(struct enrg_job *job, const char *kind, json_t *body)
{
	json_t *copy = body ? json_deep_copy(body) : NULL;
	char topic[TOPIC_BYTES_MAX];
	int rc;

	json_decref(body);
	topic_format(topic, sizeof(topic), SUPERVISOR_TO, job->process->plan->supervisor);
	rc = copy ? mailbox_post(job->process->mailbox, topic, kind, copy) : -EINVAL;
	if (!rc && job->process->alerts)
		alerts_nudge(job->process->alerts);
	return rc;
}

/* One that can't go out is no loss: the supervisor asks again, and the answer is kept. */
static void post_answer(struct enrg_job *job, const struct command_answer *answer)
{
	if (post(job, "answer", command_answer_to_json(answer)))
		log_line(ENRG_DEBUG, "an answer can't be sent now");
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

static void begin_step(struct enrg_job *job)
{
	if (job->steps)
		job->steps->begin(job);
}

/* Behind it what the author has done is as sure as it will ever be: only then anybody hears of it. */
static int end_step(struct enrg_job *job, struct enrg_error *err)
{
	return job->steps ? job->steps->end(job, err) : 0;
}

/* --- commands that come in --------------------------------------------------------------------------------------- */

static const struct command_answer *find_answer(const struct receiver *receiver, const uint8_t id[COMMAND_ID_BYTES])
{
	uint32_t count = receiver->answered < ANSWERS_KEPT ? receiver->answered : ANSWERS_KEPT;

	for (uint32_t i = 0; i < count; i++)
		if (!memcmp(receiver->answers[i].id, id, COMMAND_ID_BYTES))
			return &receiver->answers[i];
	return NULL;
}

/* Takes the answer. */
static const struct command_answer *keep_answer(struct receiver *receiver, struct command_answer *answer)
{
	struct command_answer *place = &receiver->answers[receiver->answered++ % ANSWERS_KEPT];

	command_answer_fini(place);
	*place = *answer;
	*answer = (struct command_answer){0};
	return place;
}

static bool is_taken(const struct receiver *receiver, const uint8_t id[COMMAND_ID_BYTES])
{
	for (uint32_t i = 0; i < receiver->taken_count; i++)
		if (!memcmp(receiver->taken[i].id, id, COMMAND_ID_BYTES))
			return true;
	return false;
}

/* Before it acts. false: there is no room for its id, and it would act twice where it came again. */
static bool note_taken(struct receiver *receiver, const struct command *command, uint64_t now_ns)
{
	uint32_t place = 0;

	while (place < receiver->taken_count && receiver->taken[place].until_ns > now_ns)
		place++;
	if (place == IDS_KEPT)
		return false;
	receiver->taken_count += place == receiver->taken_count;
	memcpy(receiver->taken[place].id, command->id, sizeof(command->id));
	receiver->taken[place].until_ns =
		command->expires_ns < UINT64_MAX - ANSWER_NS ? command->expires_ns + ANSWER_NS : UINT64_MAX;
	return true;
}

static enum command_code code_of(int rc)
{
	switch (rc) {
	case ENRG_E_CONFIG:
		return COMMAND_WRONG_FIELDS;
	case -EPERM:
	case -EBUSY:
	case -EAGAIN:
		return COMMAND_REFUSED;
	default:
		return rc < 0 ? COMMAND_FAILED : COMMAND_OK;
	}
}

/* Negative: the end of its step. */
static int call_receive(struct enrg_job *job, const struct enrg_message_type *type, const void *body,
	struct command_answer *answer, struct enrg_error *err)
{
	struct enrg_answer author = {.fields.json = json_object()};
	struct enrg_error why = {0};

	begin_step(job);
	int rc = type->receive(job, job->state, body, &author, &why);
	answer->fields = author.fields.json;
	if (rc < 0)
		command_answer_set(answer, code_of(rc), "%s", why.text[0] ? why.text : enrg_error_name(rc));
	else
		command_answer_set(answer, COMMAND_OK, "%s", author.text);
	return end_step(job, err);
}

static int act(
	struct enrg_job *job, const struct command *command, struct command_answer *answer, struct enrg_error *err)
{
	int rc = 0;
	const struct enrg_message_type *type = types_find_message(job->type->messages, command->kind);
	struct options_memory *memory = options_memory_create();
	void *body = NULL;

	if (!type)
		command_answer_set(answer, COMMAND_NO_KIND, "%s takes no command %s", job->type->name, command->kind);
	else if (job->receiver->is_ending)
		command_answer_set(answer, COMMAND_REFUSED, "%s ends", job->process->plan->name);
	else if (!memory)
		command_answer_set(answer, COMMAND_REFUSED, "out of memory");
	else if (options_fill_json(&type->body, command->body, memory, &body, answer->text, sizeof(answer->text)))
		answer->code = COMMAND_WRONG_FIELDS;
	else
		rc = call_receive(job, type, body, answer, err);
	if (memory)
		options_memory_destroy(memory);
	/* The supervisor, whom all commands pass, has the line that counts. */
	log_line(ENRG_DEBUG, "command %s of %s: %s%s%s", command->kind,
		command->sender.name[0] ? command->sender.name : "process of this machine",
		command_code_name(answer->code), answer->text[0] ? ": " : "", answer->text);
	return rc;
}

/* One that is not to act, or not again. */
static bool decline(struct enrg_job *job, const struct command *command, struct command_answer *answer)
{
	const char *name = job->process->plan->name;
	uint64_t now_ns = clock_wall_ns();

	if (is_taken(job->receiver, command->id))
		command_answer_set(answer, COMMAND_UNKNOWN,
			"%s has taken it before, and its answer is forgotten: read the state back", name);
	else if (command->expires_ns <= now_ns)
		command_answer_set(
			answer, COMMAND_EXPIRED, "%s was busy until after its expiry: nothing was done", name);
	else if (!note_taken(job->receiver, command, now_ns))
		command_answer_set(answer, COMMAND_REFUSED,
			"%s has taken %u commands that have not expired yet: nothing was done", name, IDS_KEPT);
	else
		return false;
	return true;
}

static int take_command(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	struct command_answer answer = {0};
	const struct command_answer *known;
	struct enrg_error why = {0};
	struct command command;
	int rc = 0;

	/* Meant for an instance that is no more: its supervisor has said so to whoever asked. */
	if (json_integer_value(json_object_get(envelope->body, "for_pid")) != getpid())
		return 0;
	if (command_from_json(envelope->body, &command, &why)) {
		log_line(ENRG_DEBUG, "%s", why.text);
		return 0;
	}
	known = find_answer(job->receiver, command.id);
	memcpy(answer.id, command.id, sizeof(answer.id));
	if (!known && decline(job, &command, &answer))
		known = &answer;
	if (!known) {
		rc = act(job, &command, &answer, err);
		known = keep_answer(job->receiver, &answer);
	}
	if (rc >= 0)
		post_answer(job, known);
	command_fini(&command);
	return rc;
}

/* --- commands that go out ---------------------------------------------------------------------------------------- */

static int reply(struct enrg_job *job, struct asked *asked, const struct command_answer *answer, struct enrg_error *err)
{
	const struct asked whom = *asked;
	char *json = answer->fields ? json_dumps(answer->fields, JSON_COMPACT) : NULL;
	const struct enrg_reply author = {
		.code = (enum enrg_answer_code)answer->code, .text = answer->text, .json = json ? json : "{}"};

	*asked = (struct asked){0}; /* before the call, which may ask again */
	job->receiver->asked_count--;
	begin_step(job);
	whom.on_answer(job, whom.context, &author);
	free(json);
	return end_step(job, err);
}

static int take_answer(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	struct command_answer answer;
	int rc = 0;

	if (command_answer_from_json(envelope->body, &answer, NULL))
		return 0;
	for (size_t i = 0; i < ASKED_MAX && rc == 0; i++) {
		struct asked *asked = &job->receiver->asked[i];

		if (asked->is_used && !memcmp(asked->id, answer.id, COMMAND_ID_BYTES))
			rc = reply(job, asked, &answer, err);
	}
	command_answer_fini(&answer);
	return rc;
}

/* Answers that did not come in time. How many; negative. */
static int give_up(struct enrg_job *job, struct enrg_error *err)
{
	struct command_answer answer = {0};
	uint64_t now_ns = job->receiver->asked_count ? clock_mono_ns() : 0;
	int count = 0, rc = 0;

	if (!now_ns)
		return 0;
	command_answer_set(
		&answer, COMMAND_UNKNOWN, "no answer came; it may have been done or not: read the state back");
	for (size_t i = 0; i < ASKED_MAX && rc == 0; i++) {
		struct asked *asked = &job->receiver->asked[i];

		if (!asked->is_used || asked->due_ns > now_ns)
			continue;
		rc = reply(job, asked, &answer, err);
		count++;
	}
	return rc < 0 ? rc : count;
}

uint64_t receiver_deadline(const struct enrg_job *job)
{
	uint64_t due_ns = UINT64_MAX;

	if (!job->receiver || !job->receiver->asked_count || job->receiver->is_taking || !job->is_started)
		return UINT64_MAX;
	for (size_t i = 0; i < ASKED_MAX; i++) {
		const struct asked *asked = &job->receiver->asked[i];

		if (asked->is_used && asked->due_ns < due_ns)
			due_ns = asked->due_ns;
	}
	return due_ns;
}

static struct asked *find_place(struct receiver *receiver)
{
	for (size_t i = 0; i < ASKED_MAX; i++)
		if (!receiver->asked[i].is_used)
			return &receiver->asked[i];
	return NULL;
}

static int make_command(const struct enrg_job *job, const struct enrg_request *request, uint64_t patience_ns,
	struct command *ret_command, struct enrg_error *err)
{
	json_t *body = request->fields ? json_deep_copy(request->fields->json) : NULL;
	int rc = command_init(ret_command, request->to, request->kind, body, patience_ns);

	snprintf(ret_command->sender.name, sizeof(ret_command->sender.name), "job %.100s", job->process->plan->name);
	text_make_safe(ret_command->sender.name, strlen(ret_command->sender.name)); /* it may have been cut */
	return rc ? enrg_error_set(
			    err, rc, "the command %.60s for %.60s: %s", request->kind, request->to, enrg_error_name(rc))
		  : 0;
}

int enrg_job_send(struct enrg_job *job, const struct enrg_request *request, struct enrg_error *err)
{
	uint64_t patience_ns = request->patience_ns ? request->patience_ns : PATIENCE_NS;
	struct asked *asked = NULL;
	struct command command;
	int rc;

	if (!job->process->mailbox)
		return enrg_error_set(err, -ENOTCONN, "there is no supervisor to ask");
	if (patience_ns > COMMAND_EXPIRY_MAX)
		return enrg_error_set(err, -EINVAL, "a command may wait for an hour at the most");
	rc = receiver_create(job, err); /* which also takes answers that are not wanted */
	if (rc)
		return rc;
	if (request->on_answer)
		asked = find_place(job->receiver);
	if (request->on_answer && !asked)
		return enrg_error_set(err, -EAGAIN, "%u commands wait for their answers already", ASKED_MAX);
	rc = make_command(job, request, patience_ns, &command, err);
	if (!rc) {
		rc = post(job, "command", command_to_json(&command));
		if (rc)
			enrg_error_set(
				err, rc, "the command %s can't be sent now: %s", request->kind, enrg_error_name(rc));
	}
	if (!rc && asked) {
		*asked = (struct asked){.is_used = true,
			.due_ns = clock_mono_ns() + patience_ns + ANSWER_NS,
			.on_answer = request->on_answer,
			.context = request->context};
		memcpy(asked->id, command.id, sizeof(asked->id));
		job->receiver->asked_count++;
	}
	command_fini(&command);
	return rc;
}

int enrg_job_subscribe(struct enrg_job *job, const char *topic, struct enrg_error *err)
{
	int rc;

	if (!job->process->mailbox)
		return enrg_error_set(err, -ENOTCONN, "there is no supervisor to subscribe at");
	rc = topic[0] ? mailbox_post_subscription(job->process->mailbox, topic) : -EINVAL;
	if (rc == -ENOSPC)
		return enrg_error_set(err, rc,
			"subscribe to \"%.100s\": %u topics are subscribed to already: subscribe to what they begin "
			"with",
			topic, MAILBOX_TOPICS);
	if (rc)
		return enrg_error_set(err, rc, "subscribe to \"%.100s\": %s", topic, enrg_error_name(rc));
	if (job->process->alerts)
		alerts_nudge(job->process->alerts);
	return 0;
}

/* --- the turn ---------------------------------------------------------------------------------------------------- */

static int take_mail(struct enrg_job *job, const struct mail *mail, struct enrg_error *err)
{
	if (!strcmp(mail->envelope.kind, "command"))
		return take_command(job, &mail->envelope, err);
	if (!strcmp(mail->envelope.kind, "answer"))
		return take_answer(job, &mail->envelope, err);
	begin_step(job);
	int rc = reports_hand_over(job, mail->topic, &mail->envelope, err);
	return rc < 0 ? rc : end_step(job, err);
}

static int take_turn(struct enrg_job *job, uint32_t max, struct enrg_error *err)
{
	struct mailbox *mailbox = job->process->mailbox;
	struct mail *mail;
	int count = 0, rc = 0;

	if (!mailbox || job->receiver->is_taking || !job->is_started)
		return 0;
	job->receiver->is_taking = true;
	while (rc >= 0 && (uint32_t)count < max && mailbox_has(mailbox) && (mail = mailbox_take(mailbox))) {
		rc = take_mail(job, mail, err);
		mail_free(mail);
		count++;
	}
	if (rc >= 0) {
		rc = give_up(job, err);
		count += rc < 0 ? 0 : rc;
	}
	job->receiver->is_taking = false;
	return rc < 0 ? rc : count;
}

int receiver_take(struct enrg_job *job, struct enrg_error *err)
{
	return job->receiver ? take_turn(job, TURN_MAX, err) : 0;
}

int receiver_end(struct enrg_job *job, struct enrg_error *err)
{
	int rc;

	if (!job->receiver)
		return 0;
	job->receiver->is_ending = true;
	rc = take_turn(job, MAILBOX_MAX, err);
	return rc < 0 ? rc : 0;
}
