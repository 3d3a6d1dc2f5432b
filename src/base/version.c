/* version.c: the version of this program. */
#include "base/version.h"

#include <stddef.h>

/* The program brings it along (cmake/commit.cmake): here it would have every test linked anew with each commit. */
extern const char version_commit_text[] __attribute__((weak));

const char *version_text(void)
{
	return ENRG_VERSION;
}

const char *version_commit(void)
{
	const char *volatile text = version_commit_text; /* the address of a weak symbol may be NULL */

	return text ? text : "";
}

const char *version_compiler(void)
{
#ifdef __clang__
	return "clang " __clang_version__ ", " ENRG_BUILD;
#else
	return "gcc " __VERSION__ ", " ENRG_BUILD;
#endif
}
