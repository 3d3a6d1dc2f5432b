/* log.h: lines for humans on stderr: coloured in a terminal, plain in a pipe (NO_COLOR and CLICOLOR_FORCE are obeyed).
 * `2026-11-24 06:48:59.123 INFO  supervisor: text`. A line is one write(2), so that lines of several processes that
 * share a terminal do not mix. Any thread. Only processes log; libraries below job/ return errors. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "enrgdaq/job.h"

/* `name` stands in every line (copied). Lines below `level` are dropped. */
void log_init(const char *name, enum enrg_level level);
void log_set_level(enum enrg_level level);
void log_line(enum enrg_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_line_v(enum enrg_level level, const char *format, va_list arguments);
/* true where stderr (2) or stdout (1) may be coloured. */
bool log_is_colored(int descriptor);
/* "WARNING" → ENRG_WARNING, any case; -EINVAL. */
int log_parse_level(const char *text, enum enrg_level *ret_level);
const char *log_level_name(enum enrg_level level);

#endif
