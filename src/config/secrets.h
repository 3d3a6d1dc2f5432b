/* secrets.h: the text of a configuration file for somebody who may read it, but not the secrets in it, and the way
 * back. Where a configuration leaves the process as text it goes through secrets_hide_text. */
#ifndef CONFIG_SECRETS_H
#define CONFIG_SECRETS_H

#include "config/types.h"

/* The text with "***" in place of each secret value; all else, comments too, stays as it is. `file` says by its name
 * whether it is supervisor.toml, and stands in messages. A text that is not valid, of unknown type, or with a secret
 * that is no string is refused, since nobody could say what is secret in it. *ret_text is malloc'ed. */
int secrets_hide_text(
	const struct types *types, const char *file, const char *text, char **ret_text, struct enrg_error *err);

/* An edited text: a secret that still says "***" keeps the value that stands at the same key of `old_text` (in lists of
 * tables: at the same place). Refused where there was none. */
int secrets_keep_text(const struct types *types, const char *file, const char *text, const char *old_text,
	char **ret_text, struct enrg_error *err);

#endif
