/* password.h: passwords as yescrypt (crypt(5)), which takes a tenth of a second by intent: never on the main thread.
 * Any thread. */
#ifndef WEB_ACCESS_PASSWORD_H
#define WEB_ACCESS_PASSWORD_H

#include <stdbool.h>

#include "enrgdaq/error.h"

enum { PASSWORD_HASH_BYTES = 384, PASSWORD_BYTES_MIN = 8, PASSWORD_BYTES_MAX = 256 };

/* -EINVAL: too short, too long; -ENOTSUP: built without libcrypt. */
int password_hash(const char *password, char ret_hash[PASSWORD_HASH_BYTES], struct enrg_error *err);
/* One at a time: whoever asks much makes nobody else slow. `hash` NULL: takes as long, and is false. */
bool password_is(const char *password, const char *hash);
/* A hash that crypt knows; what else stands in a file lets nobody in. */
bool password_hash_is_good(const char *hash);

#endif
