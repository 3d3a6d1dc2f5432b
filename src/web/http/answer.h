/* answer.h: the head of an answer, with what a browser must be told each time. No sockets. One thread. */
#ifndef WEB_HTTP_ANSWER_H
#define WEB_HTTP_ANSWER_H

#include "web/http/message.h"

enum { ANSWER_HEAD_MAX = 4096 };

struct answer {
	const struct web_response *response;
	const char *date;    /* HTTP date of now */
	const char *etag;    /* quoted; NULL: none */
	const char *accept;  /* Sec-WebSocket-Accept, of status 101 */
	uint64_t body_bytes; /* Content-Length; also where the body is not sent */
	bool keeps_open;
};

const char *answer_reason(int status); /* "Not Found" */
/* Its length. A header that does not fit, or has a control character in it, is left out. */
size_t answer_format(const struct answer *answer, char ret_head[ANSWER_HEAD_MAX]);
/* {"detail": "…"}; NULL: out of memory. */
struct web_bytes *answer_detail(const char *detail);
/* Quoted, made of the bytes, kept in them. */
const char *answer_etag(struct web_bytes *bytes);
/* Is one of the entity tags in the list (If-None-Match) `etag`, or is the list "*"? */
bool answer_has_etag(const char *list, const char *etag);

#endif
