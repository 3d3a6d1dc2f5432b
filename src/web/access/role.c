/* role.c: names of roles, and of ways to know who asks. */
#include <errno.h>
#include <string.h>

#include "web/access/access.h"

static const char *const role_names[] = {"nobody", "visitor", "user", "admin"};

const char *access_role_name(enum access_role role)
{
	return role_names[role];
}

int access_role_parse(const char *text, enum access_role *ret_role)
{
	for (size_t i = 0; i < sizeof(role_names) / sizeof(role_names[0]); i++)
		if (!strcmp(text, role_names[i])) {
			*ret_role = (enum access_role)i;
			return 0;
		}
	return -EINVAL;
}

const char *access_way_name(enum access_way way)
{
	switch (way) {
	case ACCESS_BY_NOTHING:
		return "none";
	case ACCESS_BY_BEARER:
		return "bearer";
	case ACCESS_BY_PATH:
		return "path";
	case ACCESS_BY_SESSION:
		return "session";
	case ACCESS_BY_PROXY:
		return "proxy";
	case ACCESS_BY_PEER:
		return "peer";
	case ACCESS_BY_CNC:
		return "cnc";
	case ACCESS_BY_LOCAL:
		return "local";
	}
	return "none";
}
