/* route.h: the route of an output in its stream. Main thread of a source. */
#ifndef JOB_SOURCE_ROUTE_H
#define JOB_SOURCE_ROUTE_H

#include "job/source/output.h"

/* Finds or adds the route of the output's group, tag and schema message. A table is the same whatever its notes say
 * (and however a program writes a schema down), while a route is told by the bytes of the message: so the sequence goes
 * on where that of the same table's other routes stands. Where no further one fits, the table keeps an earlier one,
 * with the notes of that, and the operator is told. */
int route_add(struct enrg_output *output, struct enrg_error *err);

#endif
