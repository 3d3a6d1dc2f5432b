/* panel_token.h: the token that the proxy of the control panel puts before a request (X-Admin-Access): a JWT of HS256
 * alone. Any thread. */
#ifndef WEB_ACCESS_PANEL_TOKEN_H
#define WEB_ACCESS_PANEL_TOKEN_H

#include "web/access/access.h"

enum { PANEL_TOKEN_BYTES_MAX = 8192 };

/* Signed with that secret, not expired (`exp` has to be there), of somebody with one of the panel's roles: sets role
 * and name. -EACCES for all that is not; says no more. */
int panel_token_check(const char *text, const char *secret, int64_t now_s, struct access_who *ret_who);

#endif
