/* match.h: which row a request is for. Any thread. Process: enrgdaq-web. */
#ifndef WEB_API_MATCH_H
#define WEB_API_MATCH_H

#include "web/api/route.h"

#define MATCH_PATH_BYTES 4096u

struct match {
	const struct route *route;   /* NULL: none; then 404 where `allow` is empty, else 405 */
	char allow[64];              /* methods that the path has: "GET, HEAD" */
	char text[MATCH_PATH_BYTES]; /* where the parts lie */
	const char *parts[4];
};

/* `tables`: NULL at the end. A path whose parts are written out counts before one with {…}. */
void match_find(const struct route *const *tables, enum web_method method, const char *path, struct match *ret_match);

#endif
