/* log_sink.h: lines on their way to an output that may stand still (a terminal under Ctrl-S, a stalled ssh, a full
 * pipe, a hung disk). They are kept in a bounded buffer, and a thread of the sink writes them; who logs never waits for
 * the output. What finds no room, or can't be written, is counted, and said when lines get through again. Any thread.
 */
#ifndef BASE_LOG_SINK_H
#define BASE_LOG_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_BYTES 4096u /* of a line with its newline: a pipe takes so much at once or not at all */

struct log_sink;

struct log_sink_type {
	/* Writes a whole line. On the sink's thread; may block. 0, -errno: the line is lost. */
	int (*put)(void *context, const char *line, size_t bytes);
	/* The line that says how many were lost; `code`: the last error, 0 = there was no room. Its length. */
	size_t (*format_lost)(void *context, uint64_t count, int code, char *ret_line, size_t line_bytes);
};

/* The thread begins with the first line. NULL: out of memory. `type` stays the caller's. */
struct log_sink *log_sink_create(const struct log_sink_type *type, void *context);
/* Waits up to `wait_ns` until the line is out, so that it is not lost with a process that crashes next; not at all
 * while the output is behind already. */
void log_sink_add(struct log_sink *sink, const char *line, size_t bytes, uint64_t wait_ns);
/* Waits until all is out. false: for `patience_ns` nothing moved. */
bool log_sink_flush(struct log_sink *sink, uint64_t patience_ns);
/* Flushes and ends the thread; false: the output stands still, so thread and sink are left to the end of the process.
 * NULL is allowed. */
bool log_sink_destroy(struct log_sink *sink, uint64_t patience_ns);

#endif
