/* problems.c: collects what is wrong with a configuration, so that one run reports it all. No thread of its own. */
#include "config/problems.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void problems_init(struct problems *problems)
{
	memset(problems, 0, sizeof(*problems));
}

void problems_fini(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->items[i].file);
		free(problems->items[i].text);
	}
	free(problems->items);
	memset(problems, 0, sizeof(*problems));
}

void problems_add(struct problems *problems, bool is_warning, const char *file, int line, const char *format, ...)
{
	va_list arguments;

	/* an error counts even where there is no memory to explain it */
	if (!is_warning)
		problems->errors++;
	struct problem *items = realloc(problems->items, (problems->count + 1) * sizeof(*items));
	if (!items)
		return;
	problems->items = items;
	struct problem *item = &items[problems->count++];
	*item = (struct problem){.is_warning = is_warning, .file = strdup(file), .line = line};
	va_start(arguments, format);
	if (vasprintf(&item->text, format, arguments) < 0)
		item->text = NULL;
	va_end(arguments);
}

static const char *text_of(const char *text)
{
	return text ? text : "(out of memory)";
}

static int compare(const void *left, const void *right)
{
	const struct problem *a = *(const struct problem *const *)left, *b = *(const struct problem *const *)right;
	int order = strcmp(text_of(a->file), text_of(b->file));

	if (order)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return (a > b) - (a < b); /* both lie in one array: as they were added */
}

/* Names of files and what stands in them must not steer the terminal. */
static void print_safely(const char *text, FILE *stream)
{
	char *safe = strdup(text);

	if (!safe)
		return;
	text_make_safe(safe, strlen(safe));
	fputs(safe, stream);
	free(safe);
}

void problems_print(const struct problems *problems, FILE *stream)
{
	const struct problem **sorted = calloc(problems->count + 1, sizeof(*sorted));

	if (!sorted)
		return;
	for (size_t i = 0; i < problems->count; i++)
		sorted[i] = &problems->items[i];
	qsort(sorted, problems->count, sizeof(*sorted), compare);
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *item = sorted[i];
		print_safely(text_of(item->file), stream);
		if (item->line > 0)
			fprintf(stream, ":%d", item->line);
		fputs(item->is_warning ? ": warning: " : ": ", stream);
		print_safely(text_of(item->text), stream);
		fputc('\n', stream);
	}
	free(sorted);
}
