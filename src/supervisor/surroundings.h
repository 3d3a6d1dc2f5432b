/* surroundings.h: in what surroundings a run takes place, as JSON for its record: program, the libraries that this
 * process has really loaded (those of all modules, too), machine. Any thread. */
#ifndef SUPERVISOR_SURROUNDINGS_H
#define SUPERVISOR_SURROUNDINGS_H

#include <jansson.h>

/* {"enrgdaq", "commit", "build" (build id of the program), "compiler", "libraries": [{"name", "file", "build"}]}. New
 * reference. */
json_t *surroundings_format_versions(void);
/* {"name", "system", "kernel", "machine", "cpu", "cpus", "memory_bytes", "boot_id"}. New reference. */
json_t *surroundings_format_host(void);

#endif
