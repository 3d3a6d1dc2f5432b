/* book_link.c: `enrgdaq-runs serve` as a line_child. Process: supervisor, main thread. */
#include "supervisor/book_link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define PING_NS 10000000000ull
#define HUNG_NS 120000000000ull /* its database may be on a slow disk */
#define KEY     "book/program"

struct book_link {
	struct book_link_params params;
	char runtime_folder[BOOK_PATH_BYTES], supervisor[256], database[BOOK_PATH_BYTES], folder[BOOK_PATH_BYTES];
	void (*alert)(void *context, enum enrg_level level, const char *key, const char *text, bool is_over);
	void *alert_context;
	bool is_told;
	struct line_child *child;
};

static json_t *hello(void *context)
{
	const struct book_link *link = context;

	return link->params.hello(link->params.context);
}

static void hear(void *context, const json_t *line)
{
	const struct book_link *link = context;

	link->params.hear(link->params.context, line);
}

static void note(void *context, unsigned failures, const char *what)
{
	struct book_link *link = context;
	char text[2 * BOOK_PATH_BYTES + 700] = "the run book's program is back; what waited for it is entered";

	if (failures)
		snprintf(text, sizeof(text),
			"the run book's program %s, %u times in a row (%s): data are not touched by that, runs go on "
			"and get numbers from what files say; what is to be written into the book waits in "
			"%s/" ENTRY_FOLDER,
			what, failures, link->params.program, link->runtime_folder);
	if (failures ? failures < LINE_CHILD_TOLD_FAILURES || link->is_told : !link->is_told)
		return;
	link->is_told = failures != 0;
	if (link->alert)
		link->alert(link->alert_context, failures ? ENRG_WARNING : ENRG_INFO, KEY, text, !failures);
}

int book_link_send(struct book_link *link, const json_t *line)
{
	return line_child_send(link->child, line);
}

void book_link_step(struct book_link *link, uint64_t now_ns)
{
	line_child_step(link->child, now_ns);
}

void book_link_want(struct book_link *link)
{
	line_child_want(link->child, clock_mono_ns());
}

void book_link_hurry(struct book_link *link)
{
	line_child_hurry(link->child);
}

void book_link_retry(struct book_link *link)
{
	line_child_retry(link->child, clock_mono_ns());
}

bool book_link_is_hopeless(const struct book_link *link)
{
	return line_child_is_hopeless(link->child);
}

pid_t book_link_pid(const struct book_link *link)
{
	return line_child_pid(link->child);
}

bool book_link_is_there(const struct book_link *link)
{
	return line_child_is_there(link->child);
}

uint64_t book_link_next_due(const struct book_link *link)
{
	return line_child_next_due(link->child);
}

int book_link_descriptor(const struct book_link *link)
{
	return line_child_descriptor(link->child);
}

static int open_child(struct book_link *link, struct enrg_error *err)
{
	struct line_child_params params = {
		.arguments = {ENTRY_PROGRAM, "serve", "--database", link->database, "--folder", link->folder, "--inbox",
			link->runtime_folder, "--supervisor", link->supervisor},
		.descriptor_argument = "--owner",
		.descriptor_value = "3",
		.ping_ns = PING_NS,
		.hung_ns = HUNG_NS,
		.may_end = true,
		.hello = hello,
		.hear = hear,
		.note = note,
		.context = link};

	snprintf(params.program, sizeof(params.program), "%s", link->params.program);
	return line_child_open(&params, &link->child, err);
}

int book_link_open(const struct book_link_params *params, struct book_link **ret_link, struct enrg_error *err)
{
	const struct book_params *book = params->book;
	struct book_link *link = calloc(1, sizeof(*link));

	if (!link)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	link->params = *params;
	link->params.book = NULL; /* the caller's, who may go */
	snprintf(link->runtime_folder, sizeof(link->runtime_folder), "%s", book->runtime_folder);
	snprintf(link->supervisor, sizeof(link->supervisor), "%s", book->supervisor);
	snprintf(link->database, sizeof(link->database), "%s", book->database);
	snprintf(link->folder, sizeof(link->folder), "%s", book->folder);
	link->alert = book->alert;
	link->alert_context = book->context;
	int rc = open_child(link, err);
	if (rc) {
		free(link);
		return rc;
	}
	*ret_link = link;
	return 0;
}

void book_link_close(struct book_link *link, uint64_t patience_ns)
{
	if (!link)
		return;
	line_child_close(link->child, patience_ns);
	free(link);
}
