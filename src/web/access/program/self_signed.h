/* self_signed.h: a key and a certificate that it signs itself. */
#ifndef WEB_ACCESS_PROGRAM_SELF_SIGNED_H
#define WEB_ACCESS_PROGRAM_SELF_SIGNED_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct self_signed_params {
	const char *const *names; /* names and addresses, the first one is the subject; NULL at the end */
	uint32_t days;
};

/* PEM texts, malloc'ed. -ENOTSUP: built without OpenSSL. */
int self_signed_make(
	const struct self_signed_params *params, char **ret_key, char **ret_certificate, struct enrg_error *err);

#endif
