/* book_link.h: the program `enrgdaq-runs serve` as a child (line_child.h). It passes the lock of the database over its
 * socket, so that this process holds it while no program is there. Process: supervisor, main thread. */
#ifndef SUPERVISOR_BOOK_LINK_H
#define SUPERVISOR_BOOK_LINK_H

#include "supervisor/book.h"
#include "supervisor/line_child.h"

struct book_link_params {
	const struct book_params *book;
	char program[BOOK_PATH_BYTES];
	/* First line to each program; new reference. */
	json_t *(*hello)(void *context);
	/* A line that came; borrowed. */
	void (*hear)(void *context, const json_t *line);
	void *context;
};

int book_link_open(const struct book_link_params *params, struct book_link **ret_link, struct enrg_error *err);
/* Says that nothing follows, and waits until the program has done all that there is. */
void book_link_close(struct book_link *link, uint64_t patience_ns);
int book_link_descriptor(const struct book_link *link);
pid_t book_link_pid(const struct book_link *link); /* 0 = none */
bool book_link_is_there(const struct book_link *link);
/* There is something to do: starts the program where it is not there. */
void book_link_want(struct book_link *link);
/* Somebody waits: one that has ended is started again at once, unless it has again and again. */
void book_link_hurry(struct book_link *link);
/* Starts it where it is not there, however often it has failed. */
void book_link_retry(struct book_link *link);
/* It has failed again and again, and is not there. */
bool book_link_is_hopeless(const struct book_link *link);
/* A line to the program that is there. -ENOTCONN: it is not, hello says it again; -EAGAIN: it does not read. */
int book_link_send(struct book_link *link, const json_t *line);
void book_link_step(struct book_link *link, uint64_t now_ns);
uint64_t book_link_next_due(const struct book_link *link);

#endif
