/* notice.c: see the header. Runs in the store's job process, on its main thread. */
#include "notice.h"

#include <stdarg.h>
#include <stdio.h>

#include "names.h"

#define TOLD_MAX 1024u /* then the oldest may come again */

/* One store a process. */
static uint64_t told[TOLD_MAX];
static unsigned told_count;

void sql_notice(struct enrg_store *store, const char *format, ...)
{
	char text[1000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	uint64_t hash = sql_hash_text(text);
	for (unsigned i = 0; i < told_count && i < TOLD_MAX; i++)
		if (told[i] == hash)
			return;
	told[told_count++ % TOLD_MAX] = hash;
	enrg_store_alert(store, ENRG_WARNING, "%s", text);
}
