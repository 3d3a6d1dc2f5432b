/* identity.h: what the system knows of the adapter behind a serial port. */
#ifndef SERIAL_IDENTITY_H
#define SERIAL_IDENTITY_H

#include <stdbool.h>

#define IDENTITY_TEXT_BYTES 128u

struct identity {
	char model[IDENTITY_TEXT_BYTES], serial[IDENTITY_TEXT_BYTES], firmware[IDENTITY_TEXT_BYTES];
};

/* Of a USB adapter, by what stands in /sys for `device` (links are followed). false: it is none. `sys`: "/sys". */
bool identity_read(const char *sys, const char *device, struct identity *ret_identity);

#endif
