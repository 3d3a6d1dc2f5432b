/* utf8.h: is a text UTF-8? */
#ifndef ARROW_UTF8_H
#define ARROW_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* No overlong forms, no surrogates, nothing beyond U+10FFFF. */
bool utf8_is_valid(const char *text, size_t count);

#endif
