/* runs_book.h: which run book is meant, for the sub-commands of `enrgdaq runs`. */
#ifndef CLI_RUNS_BOOK_H
#define CLI_RUNS_BOOK_H

#include <limits.h>
#include <stdbool.h>

struct runs_book {
	char database[PATH_MAX]; /* "": the program looks for it in this folder */
	char folder[PATH_MAX];   /* of run_000123.json; "" = not known */
	bool is_named;           /* by --database */
	char supervisor[256]; /* that runs and has it open; "" = none: who says something of a run enters it himself */
};

/* --database of the arguments, else the book of the system --id, of the one that runs, or of the only one that has run
 * here and has one, where this folder has none. Takes --id out of the arguments. An exit code after a line on standard
 * error. */
int runs_book_find(int *argc, char **argv, struct runs_book *ret_book);

#endif
