/* watch_screen.c: see the header. */
#include "cli/watch_screen.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <enrgdaq/client.h>

struct winsize watch_screen_size(void)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
		size = (struct winsize){.ws_col = WATCH_LINE_WIDTH, .ws_row = UINT16_MAX};
	return size;
}

/* Of `line`, as many characters as fit beside each other. */
static size_t fit(const char *line, size_t bytes, unsigned width)
{
	size_t used = 0;

	for (size_t count; width > 0 && used < bytes; width--) {
		count = enrg_text_character(line + used, bytes - used);
		used += count ? count : 1;
	}
	return used;
}

void watch_screen_print(const char *view, struct winsize size)
{
	unsigned lines = 0, shown = 0, room = size.ws_row - 1u; /* the cursor's line stays free */

	for (const char *at = view; (at = strchr(at, '\n')); at++)
		lines++;
	fputs("\033[H", stdout);
	for (const char *at = view, *end; (end = strchr(at, '\n')) && (lines <= room || shown + 1 < room);
		at = end + 1) {
		size_t bytes = (size_t)(end - at), fits = fit(at, bytes, size.ws_col);
		bool is_whole = fits == bytes;

		fits = is_whole ? fits : fit(at, bytes, size.ws_col - 1u);
		printf("%.*s%s\033[K\n", (int)fits, at, is_whole ? "" : "…");
		shown++;
	}
	if (shown < lines)
		printf("… %u lines more (or --json)\033[K\n", lines - shown);
	fputs("\033[J", stdout);
}
