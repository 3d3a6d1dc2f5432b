/* answer.h: what is answered to one request for a file or a folder. */
#ifndef SERVE_HTTP_ANSWER_H
#define SERVE_HTTP_ANSWER_H

#include <microhttpd.h>

#include "visit.h"

struct answer_request {
	const char *root, *url, *method;
	const char *host; /* that must be asked for; NULL: any */
	struct MHD_Connection *connection;
	struct visit *visit;
};

/* When the head of a request is there: true: it is none that is ever answered, which is what it is told; *ret_result as
 * of answer_send. */
bool answer_refuse(const struct answer_request *request, enum MHD_Result *ret_result);
/* When the request is there, and was not refused: queues an answer, whatever was asked for. MHD_NO: the connection is
 * to be closed. */
enum MHD_Result answer_send(const struct answer_request *request);

#endif
