/* book.c: runs that are open, numbers, entries. Process: supervisor, main thread. */
#include "supervisor/book.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/program.h"
#include "supervisor/book_link.h"

#define LOOK_NS     1000000000ull   /* for what others have put, while no program is there */
#define PROGRESS_NS 600000000000ull /* one that lies there is entered so often: power may fail */

static void alert(struct book *book, enum enrg_level level, const char *key, const char *text, bool is_over)
{
	if (book->alert)
		book->alert(book->context, level, key, text, is_over);
}

/* --- which runs are open --- */

static void open_run(struct book *book, const char *uuid)
{
	for (uint32_t i = 0; i < book->open_count; i++)
		if (!strcmp(book->open[i], uuid))
			return;
	if (book->open_count < BOOK_OPEN_MAX)
		snprintf(book->open[book->open_count++], ENTRY_UUID_BYTES, "%s", uuid);
}

static void end_run(struct book *book, const char *uuid)
{
	for (uint32_t i = 0; i < book->open_count; i++)
		if (!strcmp(book->open[i], uuid)) {
			memmove(book->open[i], book->open[i + 1], (--book->open_count - i) * ENTRY_UUID_BYTES);
			return;
		}
}

void book_continue(struct book *book, const char *uuid)
{
	open_run(book, uuid);
}

static json_t *hello(void *context)
{
	struct book *book = context;
	json_t *list = json_array();

	book->is_ready = false;
	for (uint32_t i = 0; i < book->open_count; i++)
		json_array_append_new(list, json_string(book->open[i]));
	json_t *line = json_pack("{s:s, s:o}", "do", "hello", "continues", list);
	if (line && book->hooks)
		json_object_set(line, "hooks", book->hooks);
	return line;
}

/* --- what the program says --- */

static void hear_number(struct book *book, const json_t *line)
{
	json_t *number = json_object_get(line, "number");

	if (!book->ask || (uint64_t)json_integer_value(json_object_get(line, "ask")) != book->ask_id)
		return; /* of an earlier one, that was answered from files meanwhile */
	book->is_answered = true;
	book->number = json_is_integer(number) && (uint64_t)json_integer_value(number) > book->floor
			       ? (uint64_t)json_integer_value(number)
			       : 0;
}

static void hear_alert(struct book *book, const json_t *line)
{
	const char *key = json_string_value(json_object_get(line, "alert"));
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *level = json_string_value(json_object_get(line, "level"));
	enum enrg_level parsed = ENRG_WARNING;

	(void)(level && log_parse_level(level, &parsed));
	if (key && text)
		alert(book, parsed, key, text, json_is_true(json_object_get(line, "is_over")));
}

static void hear(void *context, const json_t *line)
{
	struct book *book = context;
	const char *refused = json_string_value(json_object_get(line, "refused"));

	if (json_object_get(line, "ask"))
		hear_number(book, line);
	if (json_object_get(line, "alert"))
		hear_alert(book, line);
	if (refused)
		snprintf(book->refused, sizeof(book->refused), "%s", refused);
	if (json_is_true(json_object_get(line, "owner")))
		book->refused[0] = '\0';
	if (!json_is_true(json_object_get(line, "ready")))
		return;
	book->is_ready = true;
	if (book->ask)
		(void)book_link_send(book->link, book->ask); /* a new program does not know of it */
}

/* --- life --- */

static json_t *absolute(const char *path)
{
	char folder[PATH_MAX], whole[PATH_MAX + BOOK_PATH_BYTES];

	if (*path == '/' || !getcwd(folder, sizeof(folder)))
		return json_string(path);
	snprintf(whole, sizeof(whole), "%s/%s", folder, path);
	return json_string(whole);
}

/* For `enrgdaq runs`, wherever it is called. */
static void say_where(const struct book *book, const struct book_params *params)
{
	char path[BOOK_PATH_BYTES + 16];
	json_t *json =
		json_pack("{s:o, s:o}", "database", absolute(params->database), "folder", absolute(params->folder));
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

	snprintf(path, sizeof(path), "%s/book.json", book->runtime_folder);
	if (text)
		(void)path_write_private_file(path, text, strlen(text), NULL);
	free(text);
	json_decref(json);
}

int book_open(struct book *book, const struct book_params *params, struct enrg_error *err)
{
	struct book_link_params link = {.book = params, .hello = hello, .hear = hear, .context = book};
	char inbox[BOOK_PATH_BYTES + 16];

	*book = (struct book){.alert = params->alert, .context = params->context};
	snprintf(book->runtime_folder, sizeof(book->runtime_folder), "%s", params->runtime_folder);
	snprintf(book->supervisor, sizeof(book->supervisor), "%s", params->supervisor);
	book->hooks = json_incref((json_t *)(uintptr_t)params->hooks);
	if (!params->database || !*params->database)
		return 0;
	if (params->program)
		snprintf(link.program, sizeof(link.program), "%s", params->program);
	else if (program_find(ENTRY_PROGRAM, ENTRY_PROGRAM_VARIABLE, link.program, sizeof(link.program)))
		return 0;
	int rc = book_link_open(&link, &book->link, err);
	book->is_on = !rc;
	if (rc)
		return rc;
	snprintf(inbox, sizeof(inbox), "%s/" ENTRY_FOLDER, book->runtime_folder);
	(void)path_make_private_folder(inbox, NULL); /* stores see by it that there is a book */
	say_where(book, params);
	book_link_want(book->link);
	return 0;
}

int book_descriptor(const struct book *book)
{
	return book->is_on ? book_link_descriptor(book->link) : -1;
}

pid_t book_pid(const struct book *book)
{
	return book->is_on ? book_link_pid(book->link) : 0;
}

/* Is there an entry, or only the progress of a run, which may wait? */
static bool has_entries(const struct book *book, bool takes_progress)
{
	char path[BOOK_PATH_BYTES + 16];
	bool is_there = false;

	snprintf(path, sizeof(path), "%s/" ENTRY_FOLDER, book->runtime_folder);
	DIR *directory = opendir(path);
	for (const struct dirent *entry; directory && !is_there && (entry = readdir(directory));)
		is_there = (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') ||
			   !strcmp(entry->d_name, ENTRY_SEQUENCE_MARK) ||
			   (takes_progress && !strncmp(entry->d_name, "progress-", 9));
	if (directory)
		closedir(directory);
	return is_there;
}

/* What lies there is entered, though the program was killed a moment ago, or often. */
static void start_last(struct book *book, uint64_t until_ns)
{
	while (has_entries(book, true) && !book_link_is_there(book->link) && clock_mono_ns() < until_ns) {
		book_link_step(book->link, clock_mono_ns());
		book_link_retry(book->link);
		if (!book_link_is_there(book->link))
			(void)poll(NULL, 0, 5); /* until the end of the last one is seen */
	}
}

void book_close(struct book *book, uint64_t patience_ns)
{
	uint64_t began_ns = clock_mono_ns(), used_ns;

	if (book->is_on && patience_ns)
		start_last(book, began_ns + patience_ns / 2);
	used_ns = clock_mono_ns() - began_ns;
	book_link_close(book->link, patience_ns > used_ns ? patience_ns - used_ns : 0);
	json_decref(book->ask);
	json_decref(book->begin);
	json_decref(book->hooks);
	*book = (struct book){0};
}

void book_step(struct book *book, uint64_t now_ns)
{
	if (!book->is_on)
		return;
	if (book->ask && !book->is_answered)
		book_link_hurry(book->link);
	book_link_step(book->link, now_ns);
	if (book_link_is_there(book->link)) {
		book->there_ns = now_ns;
	} else if (now_ns - book->looked_ns >= LOOK_NS) {
		book->looked_ns = now_ns;
		if (has_entries(book, now_ns - book->there_ns > PROGRESS_NS))
			book_link_want(book->link);
	}
}

uint64_t book_next_due(const struct book *book)
{
	uint64_t due_ns = book->is_on ? book_link_next_due(book->link) : UINT64_MAX;

	return book->ask && book->ask_until_ns < due_ns ? book->ask_until_ns : due_ns;
}

/* --- numbers --- */

int book_ask(struct book *book, const char *uuid, json_t *begin, uint64_t floor, struct enrg_error *err)
{
	if (book->begin) {
		json_decref(begin);
		return enrg_error_set(err, -EBUSY, "a number is asked for already");
	}
	book->floor = floor > book->last_number ? floor : book->last_number;
	book->begin = begin;
	book->is_answered = false;
	book->number = 0;
	book->ask_id++;
	book->ask_until_ns = clock_mono_ns() + BOOK_ASK_NS;
	snprintf(book->asked_uuid, sizeof(book->asked_uuid), "%s", uuid);
	if (book->is_on && !book_link_is_there(book->link))
		book->refused[0] = '\0'; /* who had the database may have ended: the program says it again */
	open_run(book, uuid);
	if (!book->is_on)
		return 0;
	book->ask = json_pack("{s:s, s:I, s:I, s:o*}", "do", "number", "ask", (json_int_t)book->ask_id, "floor",
		(json_int_t)book->floor, "entry", entry_make("begin", uuid, book->supervisor, json_deep_copy(begin)));
	book_link_want(book->link);
	if (book->ask && book->is_ready && book_link_is_there(book->link))
		(void)book_link_send(book->link, book->ask);
	return 0;
}

static void finish_ask(struct book *book)
{
	json_decref(book->ask);
	json_decref(book->begin);
	book->ask = book->begin = NULL;
}

int book_poll(struct book *book, uint64_t now_ns, uint64_t *ret_number, struct enrg_error *err)
{
	bool is_hopeless = book->is_on && book_link_is_hopeless(book->link); /* which was told */
	bool is_late = now_ns >= book->ask_until_ns || is_hopeless;

	if (!book->begin)
		return enrg_error_set(err, -EINVAL, "no number was asked for");
	if (book->refused[0]) {
		end_run(book, book->asked_uuid);
		finish_ask(book);
		return enrg_error_set(err, -EPERM, "%s", book->refused);
	}
	if (book->ask && !book->is_answered && !is_late)
		return -EAGAIN;
	if (book->ask && !book->is_answered && !is_hopeless)
		alert(book, ENRG_WARNING, "book/slow",
			"the run book did not give a number within two seconds (its disk, or that of the database, may "
			"be busy): the number was taken from what files say, and the run goes into the book later",
			false);
	uint64_t number = book->number ? book->number : book->floor + 1;
	book->last_number = number;
	if (!book->number && book->is_on) {
		json_object_set_new(book->begin, "number", json_integer((json_int_t)number));
		json_object_set_new(book->begin, "number_from", json_string("files"));
		book_put(book, "begin", book->asked_uuid, book->supervisor, json_incref(book->begin));
	}
	finish_ask(book);
	*ret_number = number;
	return 0;
}

int book_take(struct book *book, const char *uuid, json_t *begin, uint64_t floor, uint64_t *ret_number,
	struct enrg_error *err)
{
	int rc = book_ask(book, uuid, begin, floor, err);

	while (!rc && (rc = book_poll(book, clock_mono_ns(), ret_number, err)) == -EAGAIN) {
		struct pollfd entry = {.fd = book_descriptor(book), .events = POLLIN};
		(void)poll(&entry, 1, 50);
		book_step(book, clock_mono_ns());
		rc = 0;
	}
	return rc;
}

/* --- entries --- */

void book_put(struct book *book, const char *kind, const char *uuid, const char *who, json_t *body)
{
	struct enrg_error err = {0};
	char text[1200];

	if (!strcmp(kind, "end"))
		end_run(book, uuid);
	if (!book->is_on) {
		json_decref(body);
		return;
	}
	if (entry_write(book->runtime_folder, kind, uuid, who, body, &err)) {
		snprintf(text, sizeof(text), "the run book misses an entry \"%s\": %s; data are not touched by that",
			kind, err.text);
		alert(book, ENRG_WARNING, "book/entry", text, false);
		return;
	}
	if (strcmp(kind, "progress") != 0)
		book_link_want(book->link);
}
