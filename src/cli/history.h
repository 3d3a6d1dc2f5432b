/* history.h: what `enrgdaq history` prints. One thread. */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include <stdio.h>

#include <enrgdaq/history.h>

enum history_form {
	HISTORY_TEXT, /* pictures */
	HISTORY_CSV,
	HISTORY_JSON,
};

#define HISTORY_AXIS_WIDTH 11u /* of numbers left of a picture */

void history_print_list(const struct enrg_history_list *list, enum history_form form, FILE *stream);
/* `width`: of a line, for pictures. */
void history_print(const struct enrg_history_result *result, enum history_form form, unsigned width, FILE *stream);

/* "2026-11-28T06:00:00Z", also without seconds, minutes or time; without Z local time; "@1795845600". -EINVAL. */
int history_parse_time(const char *text, uint64_t *ret_ns);
/* "90s", "30m", "6h", "2d", "1w", "1y". -EINVAL. */
int history_parse_span(const char *text, uint64_t *ret_ns);

#endif
