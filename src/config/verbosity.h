/* verbosity.h: names of log levels, as every `verbosity` takes them. */
#ifndef CONFIG_VERBOSITY_H
#define CONFIG_VERBOSITY_H

#include "enrgdaq/option.h"

extern const struct enrg_choice verbosity_choices[];

#endif
