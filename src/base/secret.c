/* secret.c: see the header. A list that only grows, so that a look needs no lock, also in the handler of a crash. */
#include "base/secret.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct secret {
	struct secret *next;
	size_t bytes;
	char text[];
};

static struct secret *_Atomic secrets;

static bool is_remembered(const struct secret *first, const char *text)
{
	for (; first; first = first->next)
		if (!strcmp(first->text, text))
			return true;
	return false;
}

void secret_remember(const char *text)
{
	size_t bytes = strlen(text);
	struct secret *first = atomic_load_explicit(&secrets, memory_order_acquire);
	struct secret *secret;

	if (bytes < SECRET_BYTES_MIN || is_remembered(first, text))
		return;
	secret = malloc(sizeof(*secret) + bytes + 1);
	if (!secret)
		return;
	secret->bytes = bytes;
	memcpy(secret->text, text, bytes + 1);
	secret->next = first;
	/* pairs with the acquire of whoever walks the list */
	while (!atomic_compare_exchange_weak_explicit(
		&secrets, &secret->next, secret, memory_order_release, memory_order_relaxed))
		;
}

void secret_hide(char *text)
{
	const struct secret *secret = atomic_load_explicit(&secrets, memory_order_acquire);

	for (; secret; secret = secret->next)
		for (char *at = text; (at = strstr(at, secret->text)) != NULL; at += sizeof(SECRET_MASK) - 1) {
			memcpy(at, SECRET_MASK, sizeof(SECRET_MASK) - 1);
			memmove(at + sizeof(SECRET_MASK) - 1, at + secret->bytes, strlen(at + secret->bytes) + 1);
		}
}
