/* demo.h: configs/demo, built into the program, so that `enrgdaq run` shows something anywhere. */
#ifndef SUPERVISOR_DEMO_H
#define SUPERVISOR_DEMO_H

#include <stddef.h>

extern const char *const demo_names[];
extern const char *const demo_texts[];
extern const size_t demo_count;

#endif
