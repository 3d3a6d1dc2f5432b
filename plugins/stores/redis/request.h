/* request.h: commands for Redis, as bytes on the wire (RESP), gathered until they are sent as one transaction. */
#ifndef REDIS_REQUEST_H
#define REDIS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
	char *bytes;
	size_t count, capacity;
	uint64_t commands; /* also those that were sent already */
	bool has_failed;   /* out of memory: it is not whole */
};

void request_fini(struct request *request); /* takes a zeroed request */
void request_clear(struct request *request);

/* The bytes are on their way; the commands still count. */
void request_sent(struct request *request);

/* A command of that many arguments, its name among them; they follow by request_add. */
void request_begin(struct request *request, uint64_t arguments);
void request_add(struct request *request, const void *bytes, size_t count);
void request_add_text(struct request *request, const char *text);
/* Base64 (RFC 4648, with padding) of the bytes. */
void request_add_base64(struct request *request, const uint8_t *bytes, size_t count);
/* What `other` holds: arguments of the command begun last, or commands, which do not count. */
void request_append(struct request *request, const struct request *other);

#endif
