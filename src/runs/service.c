/* service.c: the loop of the book, and lines to and from its supervisor. Process: the book, main thread. */
#include "runs/service_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "runs/number.h"
#include "runs/owner.h"

#define LINE_BYTES_MAX (64u << 20)
#define IN_BYTES       65536u
#define LOOK_MS        1000
#define PATIENCE_NS    1500000000ull /* for a program before this one, which finishes */
#define PROOF_PAUSE_NS 500000000ull
#define PROOF_NS       300000000ull /* what a number may wait for it; a larger file is proved by `enrgdaq runs check` */
#define REFUSED_EXIT   0

/* --- lines of it --- */

static void warn_hook(void *context, const char *text)
{
	service_alert(context, "WARNING", "book/hook", text, false);
}

static void hear_hello(struct service *service, const json_t *line)
{
	const struct hooks_params params = {.runtime_folder = service->params->runtime_folder,
		.list = json_object_get(line, "hooks"),
		.warn = warn_hook,
		.context = service};
	json_t *continues = json_object_get(line, "continues");

	json_decref(service->continues);
	service->continues = json_is_array(continues) ? json_incref(continues) : json_array();
	service->is_ready = false;
	if (!service->hooks)
		service->hooks = hooks_open(&params);
	service->is_work_known = false;
}

static int give_number(struct service *service, const json_t *line, uint64_t *ret_number, struct enrg_error *err)
{
	uint64_t floor = (uint64_t)json_integer_value(json_object_get(line, "floor"));
	struct entry begin;
	int rc = entry_parse_json(json_object_get(line, "entry"), &begin, err);

	if (rc)
		return rc;
	floor = floor > service->floor ? floor : service->floor;
	if (!service_has_database(service))
		rc = enrg_error_set(err, -EAGAIN, "there is no database now");
	if (!rc)
		rc = database_begin(service->database, err);
	if (!rc) {
		rc = enter_number(&service->context, &begin, floor, ret_number, err);
		if (!rc)
			rc = database_commit(service->database, err);
		else
			database_abort(service->database);
		service_note(service, rc, err);
	}
	entry_fini(&begin);
	return rc;
}

static void hear_ask(struct service *service, const json_t *line)
{
	json_t *ask = json_object_get(line, "ask");
	struct enrg_error err = {0}, file = {0};
	uint64_t number = 0;
	int rc = give_number(service, line, &number, &err);

	if (rc) {
		text_make_safe(err.text, strlen(err.text)); /* or the supervisor would wait for nothing */
		service_say(service, json_pack("{s:O, s:s}", "ask", ask, "error", err.text));
		return;
	}
	service->floor = number > service->floor ? number : service->floor;
	service->is_work_known = false;
	service_say(service, json_pack("{s:I, s:O}", "number", (json_int_t)number, "ask", ask));
	/* behind the answer: it stands in the database, and this is for the day when an older one is restored */
	if (number_write(service->params->database, number, &file))
		log_line(ENRG_WARNING, "the last number of a run can't be written beside the run book: %s", file.text);
}

static void hear(struct service *service, const json_t *line)
{
	const char *word = json_string_value(json_object_get(line, "do"));

	service->busy_ns = clock_mono_ns();
	if (word && !strcmp(word, "hello"))
		hear_hello(service, line);
	else if (word && !strcmp(word, "number") && json_object_get(line, "ask"))
		hear_ask(service, line);
	else if (word && !strcmp(word, "ping"))
		service_say(service, json_pack("{s:b}", "pong", 1));
}

static void hear_lines(struct service *service)
{
	char *begin = service->in, *end = service->in + service->in_bytes, *newline;

	while (begin < end && (newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		json_t *line = json_loadb(begin, (size_t)(newline - begin), 0, NULL);
		if (json_is_object(line))
			hear(service, line);
		json_decref(line);
		begin = newline + 1;
	}
	service->in_bytes = (size_t)(end - begin);
	memmove(service->in, begin, service->in_bytes);
}

static void read_lines(struct service *service)
{
	char *longer = service->in_bytes < LINE_BYTES_MAX ? realloc(service->in, service->in_bytes + IN_BYTES) : NULL;
	ssize_t count;

	if (longer)
		service->in = longer;
	count = longer ? recv(service->socket, service->in + service->in_bytes, IN_BYTES, MSG_DONTWAIT) : 0;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count > 0) {
		service->in_bytes += (size_t)count;
		hear_lines(service);
	} else {
		service->is_over = true; /* nobody listens to alerts any more; they go into the log */
		owner_say_finishing(service->owner);
	}
}

/* --- hello --- */

/* What was said before this start is entered first: it may be the end of such a run. */
static void close_orphans(struct service *service)
{
	struct enrg_error err = {0};
	unsigned count = 0;
	int rc = database_begin(service->database, &err);

	if (!rc)
		rc = enter_close_orphans(&service->context, service->continues, &count, &err);
	if (!rc)
		rc = database_commit(service->database, &err);
	else if (service->database)
		database_abort(service->database);
	if (!rc && count)
		log_line(ENRG_WARNING,
			"%u run(s) that nobody continues are closed in the run book as aborted, with what was known of "
			"them "
			"last",
			count);
	service->is_work_known = false;
	service_note(service, rc, &err);
}

static void answer_hello(struct service *service)
{
	if (!service->continues || service->is_ready)
		return;
	do {
		service_take_entries(service);
	} while (service->has_mail && service_has_database(service));
	if (service_has_database(service))
		close_orphans(service);
	service->is_ready = true;
	service_say(service, json_pack("{s:b}", "ready", 1));
}

/* --- the loop --- */

/* When nobody waits: a large file takes its time. */
static void prove(struct service *service)
{
	struct enrg_error err = {0};

	if (!service->database || service->is_proved || !service->is_ready || service->is_over ||
		clock_mono_ns() - service->busy_ns < PROOF_PAUSE_NS)
		return;
	service->is_proved = true;
	service_note(service, database_prove(service->database, PROOF_NS, &err), &err);
}

static bool is_idle(struct service *service, uint64_t now_ns)
{
	return now_ns - service->busy_ns > service->params->idle_ns && !service->trouble && !service->has_mail &&
	       !hooks_are_busy(service->hooks) && sequence_driver_next_due(&service->driver) == UINT64_MAX &&
	       !service_is_writing(service) && !service_is_hashing(service) && !service_has_entries(service);
}

/* All that its supervisor left is entered, and lies beside the data. */
static bool is_done(struct service *service)
{
	return service->is_over && !service->has_mail && !service_is_writing(service) &&
	       (service->is_work_known || !service->database) && (!service_has_entries(service) || !service->database);
}

static int wait_ms(const struct service *service)
{
	uint64_t due_ns = sequence_driver_next_due(&service->driver), now_ns = clock_mono_ns();

	if (due_ns <= now_ns)
		return 0;
	return due_ns - now_ns < LOOK_MS * 1000000ull ? (int)((due_ns - now_ns) / 1000000) + 1 : LOOK_MS;
}

/* What was entered counts first: how a run of a sequence ended. */
static void drive(struct service *service)
{
	struct enrg_error err = {0};

	if (!service->is_ready || service->is_over || !service_has_database(service))
		return;
	service_note(service, sequence_driver_step(&service->driver, service->database, clock_mono_ns(), &err), &err);
}

static void wait_for_something(struct service *service)
{
	char bytes[4096];
	struct pollfd entries[4] = {{.fd = service->is_over ? -1 : service->socket, .events = POLLIN},
		{.fd = service->inotify, .events = POLLIN},
		{.fd = worker_descriptor(service->worker), .events = POLLIN},
		{.fd = sequence_driver_descriptor(&service->driver), .events = POLLIN}};
	bool is_short = service->has_mail || service->is_over || !service->is_work_known;

	if (poll(entries, 4, is_short ? 10 : wait_ms(service)) < 0)
		return;
	if (entries[1].revents)
		while (read(service->inotify, bytes, sizeof(bytes)) > 0)
			;
	service->has_mail = true; /* a look costs nothing, and a folder that was made anew has no watch */
	if (entries[0].revents)
		read_lines(service);
}

static void run_loop(struct service *service)
{
	service->busy_ns = clock_mono_ns();
	while (!is_done(service)) {
		if (service->is_over && service->has_mail && !service_has_entries(service))
			service->has_mail = false;
		else
			wait_for_something(service);
		if (service->continues || service->is_over)
			answer_hello(service);
		if (service->has_mail && (service->is_ready || service->is_over))
			service_take_entries(service);
		(void)service_has_database(service);
		drive(service);
		service_take_work(service);
		service_give_work(service);
		prove(service);
		if (is_idle(service, clock_mono_ns()))
			return;
	}
}

/* --- life --- */

static int take_owner(struct service *service)
{
	struct enrg_error err = {0};
	char who[300];
	int rc;

	if (service->owner >= 0)
		return 0;
	rc = path_make_parent(service->params->database, 0755, &err);
	snprintf(who, sizeof(who), "supervisor %s", service->params->supervisor);
	if (!rc)
		rc = owner_take(service->params->database, who, PATIENCE_NS, &service->owner, &err);
	if (rc == -EPERM) {
		text_make_safe(err.text, strlen(err.text));
		service_say(service, json_pack("{s:s}", "refused", err.text));
		return rc;
	}
	if (!rc)
		service_say_with(service, json_pack("{s:b}", "owner", 1), service->owner);
	return 0; /* a disk that is away: the database says it */
}

static int open_all(struct service *service, struct enrg_error *err)
{
	char folder[4096], name[200];

	snprintf(service->inbox, sizeof(service->inbox), "%.1000s/" ENTRY_FOLDER, service->params->runtime_folder);
	int rc = path_make_private_folder(service->inbox, err);
	(void)path_make_folders(service->params->folder, 0755, NULL);
	snprintf(service->folder, sizeof(service->folder), "%.1000s",
		realpath(service->params->folder, folder) ? folder : service->params->folder);
	path_safe_name(service->params->supervisor, name, sizeof(name));
	snprintf(service->kept, sizeof(service->kept), "%s/runs_%s.kept", service->folder, name);
	service->context = (struct enter_context){.supervisor = service->params->supervisor, .folder = service->folder};
	service->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (service->inotify >= 0)
		(void)inotify_add_watch(service->inotify, service->inbox, IN_MOVED_TO);
	sequence_driver_open(&service->driver, service->params->runtime_folder);
	return rc ? rc : worker_start(&service->worker, err);
}

static void hang_up(struct service *service)
{
	if (service->socket >= 0)
		close(service->socket);
	service->socket = -1;
	/* what is left takes long, and nobody who waits for this program's output is to wait for it */
	(void)!freopen("/dev/null", "w", stderr);
}

static void close_all(struct service *service)
{
	hooks_close(service->hooks);
	sequence_driver_close(&service->driver);
	worker_stop(service->worker);
	database_close(service->database);
	owner_release(&service->owner);
	if (service->inotify >= 0)
		close(service->inotify);
	json_decref(service->continues);
	free(service->in);
}

int service_run(const struct service_params *params)
{
	struct service service = {.params = params,
		.socket = params->socket,
		.owner = params->owner,
		.inotify = -1,
		.is_proved = params->owner >= 0};
	struct enrg_error err = {0};

	if (take_owner(&service) == -EPERM)
		return REFUSED_EXIT;
	int rc = open_all(&service, &err);
	if (rc) {
		log_line(ENRG_ERROR, "the run book: %s", err.text);
	} else {
		run_loop(&service);
		if (service.is_over) {
			hang_up(&service);
			service_call_alone(&service);
			service_hash_alone(&service);
		}
	}
	close_all(&service);
	return rc ? 1 : 0;
}
