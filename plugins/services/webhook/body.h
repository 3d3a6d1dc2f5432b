/* body.h: an alert as a webhook gets it, and the signature by which it knows the sender. */
#ifndef WEBHOOK_BODY_H
#define WEBHOOK_BODY_H

#include <stdint.h>

#include "outgoing/delivery.h"

/* JSON, to be freed; NULL: out of memory. */
char *body_format(const struct notice *notice, uint64_t now_ns);
/* "sha256=" and HMAC-SHA256 of "SECONDS.BODY" in hexadecimal digits, to be freed; NULL: out of memory. */
char *body_sign(const char *secret, uint64_t seconds, const char *body);

#endif
