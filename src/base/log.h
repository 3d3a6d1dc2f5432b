/* log.h: lines for humans on stderr: coloured in a terminal, plain in a pipe (NO_COLOR and CLICOLOR_FORCE are obeyed).
 * `2026-11-24 06:48:59.123 INFO  supervisor: text`. A line is one write(2), so that lines of several processes that
 * share a terminal do not mix. Where stderr is systemd's journal a priority stands before the text instead of the time
 * (`<6>supervisor: text`). As JSON: an object a line with time (UTC), level, process, job, message. Any thread. Only
 * processes log; libraries below job/ return errors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "enrgdaq/job.h"

enum log_format { LOG_TEXT, LOG_JSON };

/* `name` stands in every line (copied). Lines below `level` are dropped. */
void log_init(const char *name, enum enrg_level level);
void log_set_level(enum enrg_level level);
void log_line(enum enrg_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_line_v(enum enrg_level level, const char *format, va_list arguments);
/* Before other threads log. */
void log_set_format(enum log_format format);

/* From here on nobody waits for an output that stands still (log_sink.h); before, and after log_stop, a line is written
 * at once. log_stop gives each output 0.3 s without progress. */
void log_start(void);
void log_stop(void);
/* After log_start: lines go into this file as well (log_file.h), without colours; in the place of the one before.
 * Nobody else may log meanwhile. -ENOMEM. */
int log_set_file(const char *path, uint64_t rotate_bytes, unsigned keep);
/* The file is opened anew with the next line. */
void log_reopen(void);
/* For the handler of a crash, on any thread: an error line that allocates nothing, takes no lock, and waits for an
 * output 0.1 s at most. */
void log_crash(const char *text);
/* What a command has to say at its end: to stdout, as patient as the log. */
void log_print(const char *text);
/* true where stderr (2) or stdout (1) may be coloured. */
bool log_is_colored(int descriptor);
/* "WARNING" → ENRG_WARNING, any case; -EINVAL. */
int log_parse_level(const char *text, enum enrg_level *ret_level);
const char *log_level_name(enum enrg_level level);

#endif
