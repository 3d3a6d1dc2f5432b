/* streamer.h: the description of ROOT's classes that every ROOT file carries, and the envelopes of objects in it. */
#ifndef ROOT_STREAMER_H
#define ROOT_STREAMER_H

#include "bytes.h"

/* The list of TStreamerInfo. */
void streamer_put_list(struct bytes *out);

/* An object's bytes begin with their count and the version of its class; `end` fills the count in. */
size_t streamer_begin(struct bytes *out, uint16_t version);
void streamer_end(struct bytes *out, size_t begin);

/* An object behind a pointer: count, name of the class, then the object; ended by streamer_end. */
size_t streamer_begin_pointer(struct bytes *out, const char *class_name);

void streamer_put_object(struct bytes *out, uint32_t bits); /* TObject */
void streamer_put_named(struct bytes *out, uint32_t bits, const char *name, const char *title);

#define STREAMER_BITS 0x03000000u /* of an object on the heap that is not deleted */

#endif
