/* ask_password.h: a password from a person or a file. */
#ifndef WEB_ACCESS_PROGRAM_ASK_PASSWORD_H
#define WEB_ACCESS_PROGRAM_ASK_PASSWORD_H

#include "web/access/password.h"

/* `file`: the first line of it; "-": of standard input; NULL: the terminal is asked twice, without echo. The caller
 * clears it. -ECANCELED, -ENOTTY: there is no terminal; -EINVAL: the two differ. */
int ask_password(const char *file, char ret_password[PASSWORD_BYTES_MAX + 2], struct enrg_error *err);

#endif
