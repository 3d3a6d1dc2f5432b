/* problems.h: all errors of a folder in one go. */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct problem {
	bool is_warning;
	char *file;
	int line;   /* 0 = the file as a whole */
	char *text; /* "key: what was expected, what was found" */
};

struct problems {
	size_t count, errors;
	struct problem *items;
};

void problems_init(struct problems *problems);
void problems_fini(struct problems *problems);
void problems_add(struct problems *problems, bool is_warning, const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
/* "file:line: text", warnings as "file:line: warning: text", sorted by file and line. */
void problems_print(const struct problems *problems, FILE *stream);

#endif
