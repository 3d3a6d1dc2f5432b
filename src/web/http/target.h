/* target.h: what a request asks for: path, token before it, query, as bytes from outside. No sockets. Any thread. */
#ifndef WEB_HTTP_TARGET_H
#define WEB_HTTP_TARGET_H

#include "enrgdaq/error.h"

struct target {
	const char *path;  /* decoded, UTF-8, from '/', without empty and "." parts, without the token */
	const char *token; /* of `/t/TOKEN`; NULL: none */
	const char *query; /* behind '?', as it came; "" */
};

/* Takes `text` apart where it lies; the parts live in it. 0, or -EINVAL with a sentence (a literal) for who asked: it
 * is no path from '/' of visible characters, a percent sign is no encoding, it decodes to a slash, to a control
 * character or to what is not UTF-8 text, or a part is "..". */
int target_parse(char *text, struct target *ret_target, const char **ret_detail);

#endif
