/* version.h: which program this is. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* "0.1.0" */
const char *version_text(void);
/* What the program was built from: "3d3aef3c1b2a", with a "+" behind it where files had been changed; "" = not known
 * (built outside the repository, or another program than `enrgdaq`). */
const char *version_commit(void);
/* "gcc 12.2.0, RelWithDebInfo" */
const char *version_compiler(void);

#endif
