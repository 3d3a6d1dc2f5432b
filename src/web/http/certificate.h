/* certificate.h: key and certificate of the server, from PEM files, loaded anew when they change. One thread. */
#ifndef WEB_HTTP_CERTIFICATE_H
#define WEB_HTTP_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "enrgdaq/error.h"

struct certificate {
	const char *path, *key_path;
	struct stat seen, key_seen; /* of what was looked at last */
};

/* Sets what TLS needs in `context`: version 1.2 at least, certificate and key. ENRG_E_CONFIG: one of the files can't be
 * read, or they do not belong together. */
int certificate_load(struct certificate *certificate, SSL_CTX *context, struct enrg_error *err);
/* Has one of the files changed since it was looked at? */
bool certificate_has_changed(const struct certificate *certificate);

#endif
