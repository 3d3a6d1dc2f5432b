/* service_database.c: opens the database, and does without it: one that is full or read-only is tried again, one that
 * is damaged is moved aside and made anew from what lies beside the data. Process: the book, main thread. */
#include "runs/service_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "runs/number.h"

#define RETRY_NS 10000000000ull
#define KEY      "book/database"

static void complain(void *context, const char *text)
{
	(void)context;
	log_line(ENRG_DEBUG, "%s", text);
}

/* A record that is there and can't be read stays in the list: what is gone, or is none, is not waited for. */
static int look_at(const char *path, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC), rc = descriptor < 0 ? -errno : 0;

	if (descriptor >= 0)
		close(descriptor);
	return rc && rc != -ENOENT ? enrg_error_set(err, rc, "%s: %s", path, strerror(-rc)) : 0;
}

/* What was kept beside the data while there was no database. */
static void enter_kept(struct service *service)
{
	char *text, *rest, *name;
	struct enrg_error err = {0};
	unsigned count, all = 0;
	size_t bytes;

	if (path_read_file(service->kept, BESIDE_BYTES_MAX, &text, &bytes, NULL))
		return;
	int rc = database_begin(service->database, &err);
	for (rest = text; !rc && (name = strsep(&rest, "\n"));) {
		int problem = *name ? look_at(name, &err) : 1;
		if (!problem)
			problem = beside_enter(&service->context, name, &count, &err);
		all += !problem ? count : 0;
		rc = problem == ENRG_E_PROTOCOL || problem > 0 || problem == -ENOENT ? 0 : problem;
	}
	if (!rc)
		rc = database_commit(service->database, &err);
	else
		database_abort(service->database);
	free(text);
	if (!rc)
		unlink(service->kept);
	service_note(service, rc, &err);
	if (!rc && all)
		log_line(
			ENRG_INFO, "the run book has %u entries that were kept beside the data while it was away", all);
}

static void find_floor(struct service *service)
{
	uint64_t beside = number_find_largest(service->folder), said = number_read(service->params->database);

	service->floor = beside > service->floor ? beside : service->floor;
	service->floor = said > service->floor ? said : service->floor;
	service->is_numbered = true;
}

/* --- damage --- */

static int move_aside(const char *path, char ret_aside[DATABASE_PATH_BYTES + 64], struct enrg_error *err)
{
	static const char *const endings[] = {"-wal", "-shm", "-journal"};
	char time[40], from[DATABASE_PATH_BYTES + 16], to[DATABASE_PATH_BYTES + 96];

	clock_format_utc(clock_wall_ns(), time, sizeof(time));
	snprintf(ret_aside, DATABASE_PATH_BYTES + 64, "%s.damaged.%s", path, time);
	if (rename(path, ret_aside)) {
		int rc = -errno;
		return enrg_error_set(err, rc, "%s is damaged and can't be moved aside: %s", path, strerror(-rc));
	}
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		snprintf(from, sizeof(from), "%s%s", path, endings[i]);
		snprintf(to, sizeof(to), "%s%s", ret_aside, endings[i]);
		(void)rename(from, to);
	}
	return 0;
}

static int open_now(struct service *service, struct enrg_error *err)
{
	const struct database_params params = {.path = service->params->database,
		.is_proved = true, /* later, when nobody waits for a number */
		.network = service->params->network};
	int rc = path_make_parent(params.path, 0755, err);

	if (!rc)
		rc = database_open(&params, &service->database, err);
	if (rc)
		return rc;
	service->context.database = service->database;
	return 0;
}

static int recover(struct service *service, struct enrg_error *err)
{
	char aside[DATABASE_PATH_BYTES + 64], damage[sizeof(err->text)], text[3 * DATABASE_PATH_BYTES];
	unsigned runs = 0;

	snprintf(damage, sizeof(damage), "%s", err->text);
	*err = (struct enrg_error){0};
	int rc = move_aside(service->params->database, aside, err);
	if (!rc)
		rc = open_now(service, err);
	if (!rc)
		rc = beside_enter_all(&service->context, service->folder, complain, NULL, &runs, err);
	if (rc)
		return rc;
	find_floor(service);
	service->is_work_known = false;
	snprintf(text, sizeof(text),
		"the run book was damaged (%s): it lies in %s, and a new one was made from the records beside the "
		"data: %u "
		"runs; numbers go on above %llu. Data are not touched by that; look after the disk",
		damage, aside, runs, (unsigned long long)service->floor);
	service_alert(service, "ERROR", "book/damaged", text, false);
	return 0;
}

/* --- use --- */

static void tell_trouble(struct service *service, const struct enrg_error *err)
{
	static const struct {
		int code;
		const char *what, *remedy;
	} kinds[] = {{-ENOSPC, "is full", "free space on its disk"},
		{-EROFS, "can't be written", "give this user the right to write it, and its folder"},
		{-EACCES, "can't be written", "give this user the right to write it, and its folder"},
		{-EPERM, "can't be written", "give this user the right to write it, and its folder"},
		{-EBUSY, "is held by somebody else", "end the program that writes it"},
		{ENRG_E_VERSION, "can't be used", "install that version"},
		{-EEXIST, "can't be used", "name another file"}};
	const char *what = "can't be used", *remedy = "look after its disk";
	char text[2400];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].code == err->code) {
			what = kinds[i].what;
			remedy = kinds[i].remedy;
		}
	snprintf(text, sizeof(text),
		"the run book %s: %s; data are not touched by that, and runs go on: their records are kept and entered "
		"later; %s",
		what, err->text, remedy);
	service_alert(service, "WARNING", KEY, text, false);
}

static void set_trouble(struct service *service, const struct enrg_error *err)
{
	bool is_new = service->trouble != err->code;

	if (!service->trouble)
		service->trouble_since_ns = clock_mono_ns();
	service->trouble = err->code;
	service->retry_ns = clock_mono_ns() + RETRY_NS;
	if (is_new)
		tell_trouble(service, err);
}

static void close_now(struct service *service)
{
	database_close(service->database);
	service->database = service->context.database = NULL;
}

void service_note(struct service *service, int code, const struct enrg_error *err)
{
	struct enrg_error copy = {.code = code};

	if (code >= 0)
		return;
	snprintf(copy.text, sizeof(copy.text), "%s", err->text);
	close_now(service);
	if (code == ENRG_E_CORRUPT && !recover(service, &copy))
		return;
	close_now(service);
	set_trouble(service, &copy);
}

static void tell_open(struct service *service)
{
	char text[DATABASE_PATH_BYTES + 400], old[3 * DATABASE_PATH_BYTES];

	if (service->database->is_network && service->owner >= 0 && !service->is_ready) {
		snprintf(text, sizeof(text),
			"the run book %s lies on a network file system: it is written with a rollback journal, which "
			"is "
			"slower, and is sound only where that file system locks as it should; a local disk is better "
			"(runs.database)",
			service->params->database);
		service_alert(service, "WARNING", "book/network", text, false);
	}
	if (service->database->backup[0]) {
		snprintf(old, sizeof(old),
			"the layout of the run book was changed for this version; it is kept as it was in %s",
			service->database->backup);
		log_line(ENRG_INFO, "%s", old);
	}
}

bool service_has_database(struct service *service)
{
	struct enrg_error err = {0};

	if (service->database)
		return true;
	if (clock_mono_ns() < service->retry_ns)
		return false;
	int rc = open_now(service, &err);
	if (rc) {
		service_note(service, rc, &err);
		return service->database != NULL;
	}
	if (!service->is_numbered)
		find_floor(service);
	tell_open(service);
	if (service->trouble)
		service_alert(
			service, "INFO", KEY, "the run book can be written again; what was kept is entered", true);
	service->trouble = 0;
	service->is_work_known = false;
	service->has_mail = true;
	enter_kept(service);
	return service->database != NULL;
}
