/* streamer.h: the description of ROOT's classes that every ROOT file carries, and the envelopes of objects in it. */
#ifndef ROOT_STREAMER_H
#define ROOT_STREAMER_H

#include "rootio/bytes.h"

enum streamer_type {
	T_BASE = 0,
	T_CHAR = 1,
	T_SHORT = 2,
	T_INT = 3,
	T_FLOAT = 5,
	T_COUNTER = 6,
	T_DOUBLE = 8,
	T_UCHAR = 11,
	T_USHORT = 12,
	T_UINT = 13,
	T_ULONG = 14,
	T_BITS = 15,
	T_LONG64 = 16,
	T_BOOL = 18,
	T_INT_ARRAY = 43,
	T_DOUBLE_ARRAY = 48,
	T_LONG64_ARRAY = 56,
	T_OBJECT = 61,
	T_ANY = 62,
	T_OWNED = 63,
	T_POINTER = 64,
	T_STRING = 65,
	T_TOBJECT = 66,
	T_TNAMED = 67,
	T_STL = 500,
};

struct streamer_element {
	const char *name, *title; /* of a pointer with a count: "[fCount]" */
	int type;                 /* enum streamer_type */
	int bytes;
	const char *type_name; /* of a base: NULL */
};

struct streamer_class {
	const char *name;
	uint32_t sum;
	int version;
	const struct streamer_element *elements; /* up to a name of NULL; NULL: a base that needs no description */
};

/* For tables of elements. */
#define STREAMER_BASE(of, kind)                                                                                        \
	{                                                                                                              \
		of, "", kind, 0, NULL                                                                                  \
	}
#define STREAMER_END                                                                                                   \
	{                                                                                                              \
		NULL, NULL, 0, 0, NULL                                                                                 \
	}

/* What trees and histograms are made of. */
extern const struct streamer_element streamer_object[], streamer_named[], streamer_string[], streamer_collection[],
	streamer_seq_collection[], streamer_list[], streamer_line[], streamer_fill[], streamer_marker[];

/* The list of TStreamerInfo. Every base of a class is in the table too. */
void streamer_put_list(struct bytes *out, const struct streamer_class *classes, size_t count);

/* An object's bytes begin with their count and the version of its class; `end` fills the count in. */
size_t streamer_begin(struct bytes *out, uint16_t version);
void streamer_end(struct bytes *out, size_t begin);

/* An object behind a pointer: count, name of the class, then the object; ended by streamer_end. */
size_t streamer_begin_pointer(struct bytes *out, const char *class_name);

void streamer_put_object(struct bytes *out, uint32_t bits); /* TObject */
void streamer_put_named(struct bytes *out, uint32_t bits, const char *name, const char *title);

#define STREAMER_BITS 0x03000000u /* of an object on the heap that is not deleted */

#endif
