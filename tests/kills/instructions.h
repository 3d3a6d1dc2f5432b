/* instructions.h: kills a process before its N-th store instruction into a mapped file. For what a store does between
 * two system calls: the commit of its journal. x86-64 only; elsewhere nothing is counted. In the child that gets
 * killed.
 */
#ifndef KILLS_INSTRUCTIONS_H
#define KILLS_INSTRUCTIONS_H

#include <stdint.h>

/* From now on stores into the file's mapping count, in *counter (in memory shared with the parent); before number `at`
 * (from 1) the process kills itself. */
void instructions_watch(const char *path, uint32_t at, volatile uint32_t *counter);

#endif
