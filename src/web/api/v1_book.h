/* v1_book.h: answers of the run book as answers of HTTP, for the files of routes that read it. Workers. Process:
 * enrgdaq-web. */
#ifndef WEB_API_V1_BOOK_H
#define WEB_API_V1_BOOK_H

#include "web/api/route.h"
#include "web/record/book_reader.h"

/* `question` is one of src/runs/answer.h, stolen. 200 with what was answered, 404, 422, 503. `type` NULL: JSON. */
enum call_outcome v1_answer_book(struct call *call, json_t *question, const char *type);
/* The same as JSON, for handlers that go on with it: new reference. NULL: the call is answered. */
json_t *v1_read_book(struct call *call, json_t *question);
/* Adds who asks to the fields of a command that goes into a record. */
void v1_add_person(const struct call *call, json_t *fields);

/* What v1_answer_book answers beside 200, for route_answer lists; 422 and 503 are the router's. */
#define V1_BOOK_ANSWERS                                                                                                \
	{304, NULL, "it is what the client has (If-None-Match)"},                                                      \
	{                                                                                                              \
		404, "#Error", "the run book has no such run, or nothing of that name"                                 \
	}

#endif
