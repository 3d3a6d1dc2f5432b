/* v1_book.c: see the header. */
#include "web/api/v1_book.h"

#include <errno.h>
#include <stdlib.h>

static enum call_outcome refuse(struct call *call, int rc, const struct enrg_error *err)
{
	return call_refuse(call, rc == -ENOENT ? 404 : rc == -EINVAL ? 422 : 503, "%s", err->text);
}

enum call_outcome v1_answer_book(struct call *call, json_t *question, const char *type)
{
	struct enrg_error err = {0};
	char *bytes = NULL;
	size_t count = 0;
	int rc = book_reader_ask(call->web->book, question, &bytes, &count, &err);

	if (rc < 0)
		return refuse(call, rc, &err);
	call_bytes(call, 200, type, web_bytes_create(bytes, count));
	free(bytes);
	return CALL_ANSWERED;
}

json_t *v1_read_book(struct call *call, json_t *question)
{
	struct enrg_error err = {0};
	char *bytes = NULL;
	size_t count = 0;
	int rc = book_reader_ask(call->web->book, question, &bytes, &count, &err);
	json_t *json = rc < 0 ? NULL : json_loadb(bytes, count, 0, NULL);

	free(bytes);
	if (rc < 0)
		refuse(call, rc, &err);
	else if (!json)
		call_refuse(call, 503, "the run book has answered what can't be read");
	return json;
}

void v1_add_person(const struct call *call, json_t *fields)
{
	json_object_set_new(fields, "who", json_string(call->who.name));
	json_object_set_new(fields, "role", json_string(access_role_name(call->who.role)));
	json_object_set_new(fields, "address", json_string(call->who.address));
}
