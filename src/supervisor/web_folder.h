/* web_folder.h: where tokens, people and the audit of a system lie: web.folder, else web_ID beside the run book, also
 * where there is none. */
#ifndef SUPERVISOR_WEB_FOLDER_H
#define SUPERVISOR_WEB_FOLDER_H

#include <stddef.h>

#include "config/folder.h"

/* As configured: relative to the working folder of the supervisor where it is so there. */
void web_folder_find(const struct folder *folder, char *ret_path, size_t path_bytes);

#endif
