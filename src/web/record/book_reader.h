/* book_reader.h: the run book, as answers to questions: read by the program enrgdaq-runs, a process or two of its own,
 * so that a database that is damaged, or a disk that hangs, can neither end this process nor hold more than the asking
 * thread, and that not for long. Process: enrgdaq-web, workers. */
#ifndef WEB_RECORD_BOOK_READER_H
#define WEB_RECORD_BOOK_READER_H

#include <jansson.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct book_reader;

struct book_reader_params {
	const char *runtime_folder; /* where the supervisor says which book it has (book.json) */
	const char *program;        /* NULL: enrgdaq-runs is looked for */
	uint32_t patience_ms;       /* of a question, its answer included; 0: 10 s */
};

/* Nothing is started before the first question. */
int book_reader_open(const struct book_reader_params *params, struct book_reader **ret_reader, struct enrg_error *err);
/* Takes NULL. Nobody may be asking. */
void book_reader_close(struct book_reader *reader);

/* `question` is one of src/runs/answer.h, stolen. Waits. *ret_bytes: to be freed, a NUL behind it. -ENOENT: no such
 * run, sequence or file; -EINVAL: what is asked makes no sense; all else: the book can't be read now, and err is a
 * sentence that says why. Any thread. */
int book_reader_ask(
	struct book_reader *reader, json_t *question, char **ret_bytes, size_t *ret_count, struct enrg_error *err);

#endif
