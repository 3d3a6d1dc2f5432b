/* graph.h: who sends to whom: nodes are jobs, edges lead from what produces to what reads. Any thread. Process:
 * enrgdaq-web. */
#ifndef WEB_SYSTEM_GRAPH_H
#define WEB_SYSTEM_GRAPH_H

#include <jansson.h>

/* {"nodes": […], "edges": […]} of a status; new reference. `status` NULL: both are empty. */
json_t *graph_make(const json_t *status);

#endif
