/* folder_stores.h: could the stores of a folder ever write what its sections ask for? */
#ifndef CONFIG_FOLDER_STORES_H
#define CONFIG_FOLDER_STORES_H

#include "config/folder.h"

#define FOLDER_PATH_BYTES_MAX 900u /* leaves room for day, tag and part in what a store's journal can hold */
#define FOLDER_FILE_BYTES_MAX 200u /* the same for one name, which a disk limits to 255 */

#define FOLDER_STORES_MAX 64u /* stores and processors that take the data of one source: consumer entries */

/* Does this store or processor get data of that producer: by a section of it, or by an input of its own? */
bool folder_takes(const struct job_config *store, const struct job_config *producer);

/* Asks the types of the stores about each section, looks where files would lie, and whether two stores would write one;
 * counts the stores of each source.
 * What has problems already is left out. */
void folder_check_stores(const struct folder *folder, struct problems *problems);

#endif
