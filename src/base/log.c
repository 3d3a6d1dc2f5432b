/* log.c: lines for humans on stderr. Any process that runs under a supervisor or in a terminal; any thread after
 * log_init. */
#include "base/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES 4096

static char log_name[256];
static bool log_colored;
static _Atomic int log_level = ENRG_INFO;

static const struct {
	const char *name;
	const char *padded; /* as it stands in a line: all of one width */
	const char *color;
} levels[] = {
	[ENRG_DEBUG] = {"DEBUG", "DEBUG", "\033[2m"},
	[ENRG_INFO] = {"INFO", "INFO ", "\033[32m"},
	[ENRG_WARNING] = {"WARNING", "WARN ", "\033[33m"},
	[ENRG_ERROR] = {"ERROR", "ERROR", "\033[1;31m"},
};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

bool log_is_colored(int descriptor)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");

	if (no && *no)
		return false;
	if (force && *force && strcmp(force, "0") != 0)
		return true;
	return isatty(descriptor) && !(term && strcmp(term, "dumb") == 0);
}

void log_init(const char *name, enum enrg_level level)
{
	snprintf(log_name, sizeof(log_name), "%s", name);
	log_colored = log_is_colored(STDERR_FILENO);
	log_set_level(level);
}

void log_set_level(enum enrg_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

const char *log_level_name(enum enrg_level level)
{
	return (unsigned)level < LEVELS ? levels[level].name : "?";
}

int log_parse_level(const char *text, enum enrg_level *ret_level)
{
	if (strcasecmp(text, "WARN") == 0)
		text = "WARNING";
	for (unsigned i = 0; i < LEVELS; i++) {
		if (strcasecmp(text, levels[i].name) == 0) {
			*ret_level = (enum enrg_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

static size_t put_head(char *line, enum enrg_level level)
{
	uint64_t wall_ns = clock_wall_ns();
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm parts = {0};
	const char *on = log_colored ? levels[level].color : "", *off = log_colored ? "\033[0m" : "";

	localtime_r(&seconds, &parts);
	int used =
		snprintf(line, LINE_BYTES / 2, "%04d-%02d-%02d %02d:%02d:%02d.%03u %s%s%s %s: ", parts.tm_year + 1900,
			parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
			(unsigned)(wall_ns / 1000000 % 1000), on, levels[level].padded, off, log_name);
	return (size_t)used;
}

static void write_line(const char *line, size_t count)
{
	ssize_t written;

	/* A full or closed terminal must not stop data: what can't be written is lost. */
	do
		written = write(STDERR_FILENO, line, count);
	while (written < 0 && errno == EINTR);
}

void log_line_v(enum enrg_level level, const char *format, va_list arguments)
{
	char line[LINE_BYTES];
	int saved = errno;

	if ((unsigned)level >= LEVELS || (int)level < atomic_load_explicit(&log_level, memory_order_relaxed))
		return;
	size_t head = put_head(line, level);
	size_t room = sizeof(line) - head - 1; /* one for the newline */
	int wanted = vsnprintf(line + head, room, format, arguments);
	size_t end = head + (wanted < 0 ? 0 : (size_t)wanted < room ? (size_t)wanted : room - 1);
	/* Texts may quote files and messages: they must not steer the terminal, nor look like a line of their own. */
	for (size_t i = head; i < end; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[end++] = '\n';
	write_line(line, end);
	errno = saved;
}

void log_line(enum enrg_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line_v(level, format, arguments);
	va_end(arguments);
}
