/* opcode.h: the opcodes of pickles: those that describe arrays, and the names of the others, for the message that
 * refuses them. Pure functions, any thread. */
#ifndef NUMPY_OPCODE_H
#define NUMPY_OPCODE_H

#include <stdint.h>

enum opcode {
	OP_MARK = '(',
	OP_STOP = '.',
	OP_INTEGER_4 = 'J',
	OP_INTEGER_1 = 'K',
	OP_INTEGER_2 = 'M',
	OP_NONE = 'N',
	OP_FLOAT_8 = 'G',
	OP_CALL = 'R',
	OP_TEXT_4 = 'X',
	OP_APPEND = 'a',
	OP_BUILD = 'b',
	OP_NAME = 'c',
	OP_APPEND_ALL = 'e',
	OP_GET_1 = 'h',
	OP_GET_4 = 'j',
	OP_PUT_1 = 'q',
	OP_PUT_4 = 'r',
	OP_SET = 's',
	OP_TUPLE = 't',
	OP_SET_ALL = 'u',
	OP_EMPTY_DICT = '}',
	OP_EMPTY_LIST = ']',
	OP_EMPTY_TUPLE = ')',
	OP_BYTES_4 = 'B',
	OP_BYTES_1 = 'C',
	OP_PROTOCOL = 0x80,
	OP_TUPLE_1 = 0x85,
	OP_TUPLE_2 = 0x86,
	OP_TUPLE_3 = 0x87,
	OP_TRUE = 0x88,
	OP_FALSE = 0x89,
	OP_LONG = 0x8a,
	OP_TEXT_1 = 0x8c,
	OP_TEXT_8 = 0x8d,
	OP_BYTES_8 = 0x8e,
	OP_STACK_NAME = 0x93,
	OP_PUT = 0x94,
	OP_FRAME = 0x95,
};

/* Of an opcode that is none of the above; NULL where there is no such one. Static storage. */
const char *opcode_find_name(uint8_t opcode);

#endif
