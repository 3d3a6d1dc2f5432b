/* interest.c: counts topics by their first word. */
#include "bus/interest.h"

#include <string.h>

static struct interest_word *find(struct interest *interest, const uint8_t *text, size_t bytes)
{
	for (size_t i = 0; i < INTEREST_WORDS_MAX; i++) {
		struct interest_word *word = &interest->words[i];
		if (word->topics && word->bytes == bytes && !memcmp(word->text, text, bytes))
			return word;
	}
	return NULL;
}

static struct interest_word *find_free(struct interest *interest)
{
	for (size_t i = 0; i < INTEREST_WORDS_MAX; i++)
		if (!interest->words[i].topics)
			return &interest->words[i];
	return NULL;
}

size_t interest_note(struct interest *interest, const uint8_t *message, size_t bytes)
{
	const uint8_t *topic = message + 1, *dot = memchr(topic, '.', bytes - 1);
	size_t word_bytes = dot ? (size_t)(dot - topic) : bytes - 1;
	struct interest_word *word;

	if (interest->is_everything)
		return 0;
	word = find(interest, topic, word_bytes);
	if (!message[0])
		return word && !--word->topics ? 1 + word_bytes : 0;
	if (word) {
		word->topics++;
		return 0;
	}
	word = find_free(interest);
	if (!word) {
		interest->is_everything = true;
		return 1;
	}
	memcpy(word->text, topic, word_bytes);
	word->bytes = word_bytes;
	word->topics = 1;
	return 1 + word_bytes;
}
