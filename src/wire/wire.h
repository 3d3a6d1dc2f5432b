/* wire.h: MessagePack, bounded: a reader that trusts nothing and a writer that refuses what the reader would. Library
 * code of every process that speaks on the bus; one object belongs to one thread.
 *
 * The reader looks at every length before it uses it: a container may not claim more items than bytes are left, nesting
 * ends at a given depth, and the number of values is limited, so that what is built stays a bounded multiple of the
 * message. Extension types, integers beyond 63 bits, NaN and infinities do not exist here. */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define WIRE_KEY_BYTES_MAX 255u

enum wire_type {
	WIRE_NIL = 1,
	WIRE_BOOL,
	WIRE_INT,
	WIRE_FLOAT,
	WIRE_TEXT,
	WIRE_BYTES,
	WIRE_ARRAY,
	WIRE_MAP,
};

struct wire_token {
	enum wire_type type;
	int64_t integer;      /* WIRE_INT; WIRE_BOOL: 0 or 1 */
	double real;          /* WIRE_FLOAT */
	const uint8_t *bytes; /* WIRE_TEXT, WIRE_BYTES: inside the message, not terminated */
	uint32_t size;        /* bytes of those; items of an array, pairs of a map (the items follow as tokens) */
};

struct wire_reader {
	const uint8_t *start, *at, *end;
	uint32_t items_left;
	struct enrg_error *err; /* NULL is allowed */
};

void wire_reader_init(
	struct wire_reader *reader, const void *bytes, size_t count, uint32_t items_max, struct enrg_error *err);
/* All of these: 0, or ENRG_E_PROTOCOL with the place in the message. */
int wire_fail(const struct wire_reader *reader, const char *what);
int wire_read(struct wire_reader *reader, struct wire_token *ret_token);
int wire_read_type(struct wire_reader *reader, enum wire_type type, const char *what, struct wire_token *ret_token);
/* Steps over one value that has at most `depth` containers inside each other. */
int wire_skip(struct wire_reader *reader, unsigned depth);
/* Builds one value likewise; bytes are refused. -ENOMEM too. */
int wire_read_json(struct wire_reader *reader, unsigned depth, json_t **ret_json);

struct wire_writer {
	uint8_t *bytes;
	size_t count, capacity, count_max;
	uint32_t items_left;
	bool is_full; /* something did not fit */
};

void wire_writer_init(struct wire_writer *writer, size_t count_max, uint32_t items_max);
void wire_writer_fini(struct wire_writer *writer);
/* For msgpack_packer_init: 0, -1 beyond count_max. */
int wire_writer_append(void *writer, const char *bytes, size_t count);
/* Appends `json`; ENRG_E_PROTOCOL where the reader would refuse it or it does not fit. */
int wire_write_json(struct wire_writer *writer, const json_t *json, unsigned depth, struct enrg_error *err);

#endif
