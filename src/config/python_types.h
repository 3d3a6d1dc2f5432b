/* python_types.h: the job types of the Python ENRGDAQ, for a folder of it that names one which is not here. Pure. */
#ifndef CONFIG_PYTHON_TYPES_H
#define CONFIG_PYTHON_TYPES_H

/* Why there is no such type here and what to do, to stand behind its name; NULL: the Python program has none of that
 * name either. Of a type that no module has. */
const char *python_types_explain(const char *name);

#endif
