/* folder_inputs.h: jobs that name what they read ([[input]]): who reads whom, and whether that can be. */
#ifndef CONFIG_FOLDER_INPUTS_H
#define CONFIG_FOLDER_INPUTS_H

#include "config/folder.h"

/* Does that job read the producer by an [[input]], and (`group` not NULL) that store group of it? */
bool folder_reads(const struct job_config *reader, const struct job_config *producer, const char *group);

/* How far a job stands from sources: 0 for those, for a processor one more than the furthest of its inputs. Stores: 0
 * as well. Only where there is no circle. */
uint32_t folder_level(const struct folder *folder, const struct job_config *job);

/* Inputs of jobs that are not there, produce nothing, or lead in a circle; required store groups that nobody reads. */
void folder_check_inputs(const struct folder *folder, struct problems *problems);

#endif
