/* shown_text.h: a text of a configuration for the audit: with its secrets masked. What is secret in it only the types
 * of jobs know, which this process does not load: the program `enrgdaq` is asked. Process: enrgdaq-web. */
#ifndef WEB_SYSTEM_SHOWN_TEXT_H
#define WEB_SYSTEM_SHOWN_TEXT_H

#include <jansson.h>

#include "web/system/settings.h"

/* The text that was to be `file`, masked, as a JSON string; where that can't be made (it is not valid, or the program
 * gave no answer within 4 s) its digest. New reference. Waits; a worker calls it. */
json_t *shown_text_make(const struct web_settings *settings, const char *file, const char *text);
/* "(123 bytes, SHA-256 …)". New reference. Any thread. */
json_t *shown_text_digest(const char *text, size_t bytes);

#endif
