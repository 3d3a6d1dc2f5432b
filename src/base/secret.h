/* secret.h: values that no text may show. What is remembered here is "***" in every log line, alert and error text of
 * this process, also where a library or a server repeats it. Any thread. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stddef.h>

#define SECRET_MASK      "***"
#define SECRET_BYTES_MIN 6u /* shorter ones would be found in every other word */

/* For the rest of the life of the process. Texts shorter than SECRET_BYTES_MIN are not remembered. */
void secret_remember(const char *text);

/* Puts the mask in the place of every remembered value; the text only gets shorter. */
void secret_hide(char *text);

#endif
