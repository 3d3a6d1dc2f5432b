/* rival_module.h: rivals whose library `enrgdaq` does not link: modules below rivals/, built where the library was
 * found. One thread. */
#ifndef BENCHMARK_RIVAL_MODULE_H
#define BENCHMARK_RIVAL_MODULE_H

#include "benchmark/rival.h"

/* What such a module exports: a list that ends with NULL. The number changes with struct rival. */
#define RIVAL_MODULE_SYMBOL "enrg_rivals_1"
extern const struct rival *const enrg_rivals_1[] __attribute__((visibility("default")));

/* `name`: "iceoryx2". Looked for in `rivals` beside the program (a build), and below its prefix. NULL: it was not built
 * in. What it returns is there until the process ends. */
const struct rival *const *rival_load(const char *name);

#endif
