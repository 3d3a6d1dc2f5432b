/* digest.h: SHA-256, by libcrypto. Any thread. */
#ifndef ARCHIVE_DIGEST_H
#define ARCHIVE_DIGEST_H

#include <stddef.h>

#include "enrgdaq/error.h"

#define DIGEST_TEXT_BYTES 65u /* lower-case hexadecimal, with the final NUL */

struct digest {
	void *context; /* NULL: not begun */
};

int digest_init(struct digest *digest, struct enrg_error *err);
int digest_add(struct digest *digest, const void *bytes, size_t count);
/* Of all that was added up to now; more may follow. */
int digest_format(const struct digest *digest, char ret_text[DIGEST_TEXT_BYTES]);
void digest_fini(struct digest *digest); /* takes zeroed state */

/* Of bytes in memory. */
int digest_of(const void *bytes, size_t count, char ret_text[DIGEST_TEXT_BYTES]);

#endif
