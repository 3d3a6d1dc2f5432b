/* verbosity.c: see the header. */
#include "config/verbosity.h"

#include "enrgdaq/job.h"

const struct enrg_choice verbosity_choices[] = {
	{"DEBUG", ENRG_DEBUG},
	{"INFO", ENRG_INFO},
	{"WARNING", ENRG_WARNING},
	{"ERROR", ENRG_ERROR},
	{0},
};
