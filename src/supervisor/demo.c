/* demo.c: the texts of configs/demo; CMake writes demo_texts.inc from the files. */
#include "supervisor/demo.h"

const char *const demo_names[] = {
#define DEMO_NAMES
#include "demo_texts.inc"
#undef DEMO_NAMES
};

const char *const demo_texts[] = {
#include "demo_texts.inc"
};

const size_t demo_count = sizeof(demo_names) / sizeof(demo_names[0]);
