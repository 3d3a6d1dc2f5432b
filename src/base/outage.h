/* outage.h: when a outage that lasts is told: once, and again after 1, 10 and 60 minutes, then each hour. One that
 * ends and comes back within a minute is the same: no alert, but the log says that it is back wherever it has said that
 * it was over, so that its last word is true. Arithmetic only: no clock, no log. */
#ifndef BASE_OUTAGE_H
#define BASE_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

struct outage {
	uint64_t since_ns; /* 0: there is none */
	uint64_t ended_ns; /* of the last one */
	uint64_t first_told_ns, told_ns;
	uint32_t told; /* how often */
	int code;
	bool is_said;           /* the last word in the log is that it is there */
	uint64_t said_since_ns; /* and since when it was, then */
	uint64_t end_said_ns;   /* the last word that it is over */
};

enum outage_word { OUTAGE_QUIET, OUTAGE_LINE, OUTAGE_ALERT };

/* It is there (still, or again) and has this code: tell it now, in a line of the log or in an alert? */
enum outage_word outage_note(struct outage *outage, int code, uint64_t now_ns);
/* It is over, or was already. True: the log says that it is there, so say now that it is over, after *ret_span_ns. Such
 * words are 10 s apart; what could not be said asks again later, while since_ns is 0. */
bool outage_end(struct outage *outage, uint64_t now_ns, uint64_t *ret_span_ns);

#endif
