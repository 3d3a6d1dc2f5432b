/* log.c: lines for humans, or JSON for programs, on stderr and into a file. Any process that runs under a supervisor or
 * in a terminal; any thread after log_init. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_file.h"
#include "base/log_sink.h"
#include "base/secret.h"
#include "base/text.h"

#define LINE_BYTES       LOG_LINE_BYTES
#define OUT_WAIT_NS      10000000ull    /* until a line is out, where the output takes it at all */
#define STOP_PATIENCE_NS 300000000ull   /* at the end of the process, without progress */
#define FILE_PATIENCE_NS 10000000000ull /* the same for a file: a busy disk is only slow */

enum log_target { TARGET_STDERR, TARGET_FILE, TARGETS };

static char log_name[256];
static bool log_colored;
static bool log_in_journal; /* stderr is systemd's: it wants a priority, and adds the time */
static enum log_format log_format = LOG_TEXT;
static _Atomic int log_level = ENRG_INFO;
static bool is_started;
static volatile bool is_crashing;
static long local_offset_s;                      /* from UTC, as it was at the start */
static struct log_sink *sinks[TARGETS], *output; /* NULL = none; output: stdout */
static struct log_file file;

static const struct {
	const char *name;
	const char *padded; /* as it stands in a line: all of one width */
	const char *color;
	int priority; /* of syslog */
} levels[] = {
	[ENRG_DEBUG] = {"DEBUG", "DEBUG", "\033[2m", 7},
	[ENRG_INFO] = {"INFO", "INFO ", "\033[32m", 6},
	[ENRG_WARNING] = {"WARNING", "WARN ", "\033[33m", 4},
	[ENRG_ERROR] = {"ERROR", "ERROR", "\033[1;31m", 3},
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

/* systemd names the socket that it gave as standard output or error; it may have been redirected since. */
static bool is_journal(int descriptor)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat now;

	return text && sscanf(text, "%llu:%llu", &device, &inode) == 2 && fstat(descriptor, &now) == 0 &&
	       now.st_dev == device && now.st_ino == inode;
}

void log_init(const char *name, enum enrg_level level)
{
	snprintf(log_name, sizeof(log_name), "%s", name);
	text_make_safe(log_name, strlen(log_name));
	log_in_journal = is_journal(STDERR_FILENO);
	log_colored = !log_in_journal && log_is_colored(STDERR_FILENO);
	time_t now = time(NULL);
	struct tm parts = {0};
	localtime_r(&now, &parts);
	local_offset_s = parts.tm_gmtoff;
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

/* --- lines --- */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* gmtime_r without a lock, which the thread that crashed may hold. */
static void split_seconds(time_t seconds, struct tm *ret_parts)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	long days = (long)(seconds / 86400), rest = (long)(seconds % 86400);
	int year = 1970, month = 0;

	for (; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	for (; days >= lengths[month] + (month == 1 && is_leap(year)); month++)
		days -= lengths[month] + (month == 1 && is_leap(year));
	*ret_parts = (struct tm){.tm_year = year - 1900,
		.tm_mon = month,
		.tm_mday = (int)days + 1,
		.tm_hour = (int)(rest / 3600),
		.tm_min = (int)(rest / 60 % 60),
		.tm_sec = (int)(rest % 60)};
}

static void split_time(time_t seconds, bool is_local, struct tm *ret_parts)
{
	*ret_parts = (struct tm){0};
	if (is_crashing)
		split_seconds(seconds + (is_local ? local_offset_s : 0), ret_parts);
	else if (is_local)
		localtime_r(&seconds, ret_parts);
	else
		gmtime_r(&seconds, ret_parts);
}

static size_t format_json(char *line, enum enrg_level level, const char *text, size_t bytes)
{
	uint64_t wall_ns = clock_wall_ns();
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm parts;
	char name[sizeof(log_name) * 2];

	split_time(seconds, false, &parts);
	text_format_json(log_name, strlen(log_name), name, sizeof(name));
	size_t used = (size_t)snprintf(line, LINE_BYTES / 2,
		"{\"time\": \"%04d-%02d-%02dT%02d:%02d:%02d.%03uZ\", \"level\": \"%s\", \"process\": %d, \"job\": "
		"\"%s\", "
		"\"message\": \"",
		parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
		(unsigned)(wall_ns / 1000000 % 1000), levels[level].name, (int)getpid(), name);
	used += text_format_json(text, bytes, line + used, LINE_BYTES - used - 3);
	memcpy(line + used, "\"}\n", 3);
	return used + 3;
}

static size_t format_text(char *line, enum enrg_level level, const char *text, size_t bytes, bool is_colored)
{
	uint64_t wall_ns = clock_wall_ns();
	time_t seconds = (time_t)(wall_ns / 1000000000);
	struct tm parts;
	const char *on = is_colored ? levels[level].color : "", *off = is_colored ? "\033[0m" : "";

	split_time(seconds, true, &parts);
	size_t used = (size_t)snprintf(line, LINE_BYTES / 2,
		"%04d-%02d-%02d %02d:%02d:%02d.%03u %s%s%s %s: ", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
		parts.tm_hour, parts.tm_min, parts.tm_sec, (unsigned)(wall_ns / 1000000 % 1000), on,
		levels[level].padded, off, log_name);
	size_t room = LINE_BYTES - used - 1; /* one for the newline */
	bytes = bytes < room ? bytes : room;
	memcpy(line + used, text, bytes);
	/* Texts may quote files and messages: they must not steer the terminal, nor look like a line of their own. */
	text_make_safe(line + used, bytes);
	line[used + bytes] = '\n';
	return used + bytes + 1;
}

/* Into `line` of LINE_BYTES; its length. */
static size_t format_line(enum log_target target, enum enrg_level level, const char *text, size_t bytes, char *line)
{
	char whole[LINE_BYTES];
	bool in_journal = target == TARGET_STDERR && log_in_journal;
	int priority = 0;

	if (!in_journal && log_format == LOG_TEXT)
		return format_text(line, level, text, bytes, target == TARGET_STDERR && log_colored);
	if (!in_journal)
		return format_json(line, level, text, bytes);
	priority = snprintf(line, 8, "<%d>", levels[level].priority);
	size_t room = LINE_BYTES - (size_t)priority, count;
	if (log_format == LOG_JSON)
		count = format_json(whole, level, text, bytes < room ? bytes : room);
	else {
		count = (size_t)snprintf(whole, sizeof(whole), "%s: %.*s", log_name, (int)bytes, text);
		count = count < room ? count : room - 1;
		text_make_safe(whole, count);
		whole[count++] = '\n';
	}
	if (count > room) { /* JSON of full length: what does not fit is of no use to a reader of JSON */
		count = format_json(whole, level, text, bytes / 2);
		count = count < room ? count : room;
	}
	memcpy(line + priority, whole, count);
	return (size_t)priority + count;
}

/* --- outputs --- */

static int write_whole(int descriptor, const char *line, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t written = write(descriptor, line + done, bytes - done);

		if (written < 0 && errno == EAGAIN) /* somebody else, with whom it is shared, does not want to block */
			(void)poll(&(struct pollfd){.fd = descriptor, .events = POLLOUT}, 1, -1);
		else if (written < 0 && errno != EINTR)
			return -errno;
		done += written > 0 ? (size_t)written : 0;
	}
	return 0;
}

static int put_stderr(void *context, const char *line, size_t bytes)
{
	(void)context;
	return write_whole(STDERR_FILENO, line, bytes);
}

static int put_stdout(void *context, const char *line, size_t bytes)
{
	(void)context;
	return write_whole(STDOUT_FILENO, line, bytes);
}

static int put_file(void *context, const char *line, size_t bytes)
{
	return log_file_put(context, line, bytes);
}

static size_t format_lost(enum log_target target, uint64_t count, int rc, char *line)
{
	char text[200];
	int length = snprintf(text, sizeof(text), "%llu line(s) of the log are lost: %s", (unsigned long long)count,
		rc ? strerror(-rc) : "the output stood still, or was slower than they came");

	return format_line(target, ENRG_WARNING, text, (size_t)length, line);
}

static size_t format_lost_stderr(void *context, uint64_t count, int rc, char *line, size_t line_bytes)
{
	(void)context;
	(void)line_bytes;
	return format_lost(TARGET_STDERR, count, rc, line);
}

static size_t format_lost_file(void *context, uint64_t count, int rc, char *line, size_t line_bytes)
{
	(void)context;
	(void)line_bytes;
	return format_lost(TARGET_FILE, count, rc, line);
}

static size_t format_lost_output(void *context, uint64_t count, int rc, char *line, size_t line_bytes)
{
	(void)context;
	return (size_t)snprintf(line, line_bytes, "(%llu line(s) are lost: %s)\n", (unsigned long long)count,
		rc ? strerror(-rc) : "there was no room");
}

static const struct log_sink_type sink_types[TARGETS] = {
	[TARGET_STDERR] = {.put = put_stderr, .format_lost = format_lost_stderr},
	[TARGET_FILE] = {.put = put_file, .format_lost = format_lost_file},
};
static const struct log_sink_type output_type = {.put = put_stdout, .format_lost = format_lost_output};

void log_start(void)
{
	sinks[TARGET_STDERR] = log_sink_create(&sink_types[TARGET_STDERR], NULL);
	output = log_sink_create(&output_type, NULL);
	is_started = sinks[TARGET_STDERR] && output;
}

int log_set_file(const char *path, uint64_t rotate_bytes, unsigned keep)
{
	if (sinks[TARGET_FILE] && !log_sink_destroy(sinks[TARGET_FILE], STOP_PATIENCE_NS))
		return 0; /* it stands still: lines go on into its buffer */
	if (sinks[TARGET_FILE])
		log_file_fini(&file);
	log_file_init(&file, path, rotate_bytes, keep);
	sinks[TARGET_FILE] = log_sink_create(&sink_types[TARGET_FILE], &file);
	return sinks[TARGET_FILE] ? 0 : -ENOMEM;
}

void log_set_format(enum log_format format)
{
	log_format = format;
}

void log_reopen(void)
{
	if (sinks[TARGET_FILE])
		log_file_reopen(&file);
}

static uint64_t patience_ns(int descriptor)
{
	struct stat state;

	return !fstat(descriptor, &state) && S_ISREG(state.st_mode) ? FILE_PATIENCE_NS : STOP_PATIENCE_NS;
}

void log_stop(void)
{
	const uint64_t patiences_ns[TARGETS] = {
		[TARGET_STDERR] = patience_ns(STDERR_FILENO), [TARGET_FILE] = STOP_PATIENCE_NS};

	for (int i = 0; i < TARGETS; i++)
		if (log_sink_destroy(sinks[i], patiences_ns[i]))
			sinks[i] = NULL;
	if (log_sink_destroy(output, patience_ns(STDOUT_FILENO)))
		output = NULL;
	if (!sinks[TARGET_FILE])
		log_file_fini(&file);
	/* One that stands still takes what follows into its buffer. */
	is_started = sinks[TARGET_STDERR] != NULL;
}

void log_line_v(enum enrg_level level, const char *format, va_list arguments)
{
	char text[LINE_BYTES], line[LINE_BYTES];
	int saved = errno;

	if ((unsigned)level >= LEVELS || (int)level < atomic_load_explicit(&log_level, memory_order_relaxed))
		return;
	if (vsnprintf(text, sizeof(text), format, arguments) < 0)
		text[0] = '\0';
	secret_hide(text);
	size_t bytes = strlen(text);
	if (!is_started) {
		size_t count = format_line(TARGET_STDERR, level, text, bytes, line);
		write_whole(STDERR_FILENO, line, count);
	}
	for (int i = 0; i < TARGETS; i++)
		if (sinks[i])
			log_sink_add(
				sinks[i], line, format_line((enum log_target)i, level, text, bytes, line), OUT_WAIT_NS);
	errno = saved;
}

void log_line(enum enrg_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	log_line_v(level, format, arguments);
	va_end(arguments);
}

void log_crash(const char *text)
{
	char line[LINE_BYTES];
	struct pollfd output_poll = {.fd = STDERR_FILENO, .events = POLLOUT};
	size_t length = strlen(text), bytes;
	int descriptor = -1;

	is_crashing = true;
	bytes = format_line(TARGET_STDERR, ENRG_ERROR, text, length, line);
	if (poll(&output_poll, 1, 100) > 0 && (output_poll.revents & POLLOUT))
		(void)!write(STDERR_FILENO, line, bytes); /* nobody is left to be told that it failed */
	if (sinks[TARGET_FILE]) /* not the descriptor of another thread, which may be closed at this moment */
		descriptor = open(file.path, O_WRONLY | O_APPEND | O_CLOEXEC | O_CREAT | O_NOCTTY | O_NONBLOCK, 0644);
	if (descriptor < 0)
		return;
	bytes = format_line(TARGET_FILE, ENRG_ERROR, text, length, line);
	(void)!write(descriptor, line, bytes);
	close(descriptor);
}

void log_print(const char *text)
{
	if (!output) {
		fputs(text, stdout);
		fflush(stdout);
		return;
	}
	for (const char *end; *text; text = end) {
		size_t length = strcspn(text, "\n");

		length = length < LINE_BYTES ? length + (text[length] == '\n' && length + 1 <= LINE_BYTES) : LINE_BYTES;
		end = text + length;
		log_sink_add(output, text, length, OUT_WAIT_NS);
	}
}
