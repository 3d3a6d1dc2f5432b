/* node_texts.h: what the files of jobs say, with secrets masked, and the topics that they hear: asked of the supervisor
 * once for each instance, and again after a while. One thread at a time. Process: enrgdaq-web. */
#ifndef WEB_NODE_NODE_TEXTS_H
#define WEB_NODE_NODE_TEXTS_H

#include "web/system/system.h"

struct node_text;

struct node_texts { /* zeroed: empty */
	size_t count;
	struct node_text *items;
	uint64_t failed_ns; /* when no answer came: so nobody waits for one text after the other; 0: never */
};

void node_texts_fini(struct node_texts *texts);
/* Of that job of a status (`jobs[]`): {"text", "topics", …}, borrowed until the next call; NULL: not to be had now.
 * Waits for the supervisor where it is not known. */
const json_t *node_texts_find(struct node_texts *texts, struct web_system *system, const json_t *job);
/* What is not among these jobs is forgotten. */
void node_texts_keep(struct node_texts *texts, const json_t *jobs);

#endif
