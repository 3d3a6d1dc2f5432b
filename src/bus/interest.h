/* interest.h: what a broker asks of its publishers: the first words of the topics that are subscribed to. Were each
 * subscription sent on, every one of n jobs would keep the 2 n of all. Plain memory, one thread. */
#ifndef BUS_INTEREST_H
#define BUS_INTEREST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/envelope.h"

#define INTEREST_WORDS_MAX 64u

struct interest {
	struct interest_word {
		char text[TOPIC_BYTES_MAX];
		size_t bytes;
		uint64_t topics; /* subscribed to that begin with it; 0 = the place is free */
	} words[INTEREST_WORDS_MAX];
	bool is_everything; /* since there were more words */
};

/* `message`: 1 (subscribe) or 0, then a topic of at most TOPIC_BYTES_MAX bytes. How many of its bytes are to be sent to
 * the publishers; 0: they know already, or others still want the same. */
size_t interest_note(struct interest *interest, const uint8_t *message, size_t bytes);

#endif
