/* alert.c: words of a store's files. Store process, main thread. */
#include "job/file/alert.h"

#include <stdio.h>

void file_set_tell(struct file_set *set, enum enrg_level level, const char *format, ...)
{
	char text[900];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (set->alert)
		set->alert(set->alert_context, level, text);
}
