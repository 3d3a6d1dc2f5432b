/* log_line.h: a line of a log taken apart, text or JSON. Plain memory; the line may be anything. */
#ifndef CLIENT_LOG_LINE_H
#define CLIENT_LOG_LINE_H

#include "enrgdaq/client.h"

#define LOG_LINE_BYTES_MAX 65536u

/* Texts of a line that are no parts of it. */
struct log_line_room {
	char time[64], level[16], process[300];
	char message[LOG_LINE_BYTES_MAX];
};

/* Makes `line` (ended by a NUL behind `bytes`) safe and finds its parts, which point into it or into `room`. */
void log_line_parse(char *line, size_t bytes, struct log_line_room *room, struct enrg_log_line *ret_line);

#endif
