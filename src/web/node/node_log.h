/* node_log.h: the last lines of the own system's log, as ENRGDAQ's command and control has them. Where the log goes
 * where nobody can read along (a terminal, the journal), its alerts stand there instead. Any thread. Process:
 * enrgdaq-web. */
#ifndef WEB_NODE_NODE_LOG_H
#define WEB_NODE_NODE_LOG_H

#include <jansson.h>
#include <stdint.h>

#define NODE_LOG_LINES 1000u

struct node_log;

struct node_log *node_log_create(const char *supervisor); /* NULL: out of memory */
void node_log_destroy(struct node_log *log);              /* takes NULL */
/* As node_logs. */
json_t *node_log_list(struct node_log *log, uint64_t *position, unsigned max);

#endif
