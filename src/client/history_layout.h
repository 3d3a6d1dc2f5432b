/* history_layout.h: the bytes of docs/history-format.md, for who writes and who reads them. */
#ifndef CLIENT_HISTORY_LAYOUT_H
#define CLIENT_HISTORY_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_MAGIC       0x53494845u /* "EHIS" as it lies in a file */
#define HISTORY_VERSION     1u
#define HISTORY_PAYLOAD_MAX (16u << 20)

enum history_block {
	HISTORY_HEAD = 1,
	HISTORY_NAMES = 2,
	HISTORY_VALUES = 3,
};

struct history_head {
	uint32_t magic;
	uint32_t payload_bytes;
	uint64_t time_ns;
	uint32_t number; /* of the block in its file, from 0 */
	uint16_t type, reserved;
	uint32_t payload_crc;
	uint32_t crc; /* of all before it */
};

_Static_assert(sizeof(struct history_head) == 32 && offsetof(struct history_head, number) == 16 &&
		       offsetof(struct history_head, crc) == 28,
	"a block's head is 32 bytes");

enum history_form {
	HISTORY_WHOLE = 0,
	HISTORY_F32 = 1,
	HISTORY_F64 = 2,
	HISTORY_END = 3,
	HISTORY_KIND = 3,  /* the bits of these */
	HISTORY_RANGE = 4, /* maximum and mean follow */
	HISTORY_PART = 8,  /* the seconds for which it is known follow */
};

#define HISTORY_FORM_BITS 4u

#endif
