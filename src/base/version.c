/* version.c: the version of this program. */
#include "base/version.h"

const char *version_text(void)
{
	return ENRG_VERSION;
}
