/* version.h: which program this is. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* "0.1.0" */
const char *version_text(void);

#endif
