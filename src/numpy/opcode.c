/* opcode.c: see the header. In `enrgdaq cat` and `enrgdaq convert`. */
#include "numpy/opcode.h"

#include <stddef.h>

static const struct {
	uint8_t opcode;
	const char *name;
} refused[] = {
	{'0', "POP"},
	{'1', "POP_MARK"},
	{'2', "DUP"},
	{'F', "FLOAT"},
	{'I', "INT"},
	{'L', "LONG"},
	{'P', "PERSID: an object from elsewhere"},
	{'Q', "BINPERSID: an object from elsewhere"},
	{'S', "STRING"},
	{'T', "BINSTRING: of Python 2"},
	{'U', "SHORT_BINSTRING: of Python 2"},
	{'V', "UNICODE"},
	{'d', "DICT"},
	{'g', "GET"},
	{'i', "INST: an object of a class"},
	{'l', "LIST"},
	{'o', "OBJ: an object of a class"},
	{'p', "PUT"},
	{0x81, "NEWOBJ: an object of a class"},
	{0x82, "EXT1"},
	{0x83, "EXT2"},
	{0x84, "EXT4"},
	{0x8b, "LONG4"},
	{0x8f, "EMPTY_SET"},
	{0x90, "ADDITEMS"},
	{0x91, "FROZENSET"},
	{0x92, "NEWOBJ_EX: an object of a class"},
	{0x96, "BYTEARRAY8"},
	{0x97, "NEXT_BUFFER"},
	{0x98, "READONLY_BUFFER"},
};

const char *opcode_find_name(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i].opcode == opcode)
			return refused[i].name;
	return NULL;
}
