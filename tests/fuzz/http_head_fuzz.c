/* http_head_fuzz.c: any bytes as the head of a request to enrgdaq-web: what is taken is what the header of each part
 * promises. Runs in a fuzzer or over its corpus. */
#include <stdlib.h>
#include <string.h>

#include "web/http/address.h"
#include "web/http/answer.h"
#include "web/http/frame.h"
#include "web/http/head.h"
#include "web/http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_path(const struct target *target)
{
	const char *path = target->path;

	check(path[0] == '/' && frame_is_utf8(path, strlen(path)));
	check(!path[1] || path[strlen(path) - 1] != '/');
	for (const char *part = path; *part; part += strcspn(part, "/")) {
		part++;
		size_t length = strcspn(part, "/");
		check(length > 0 || part[0] == '\0');
		check(!(length == 1 && part[0] == '.') && !(length == 2 && part[0] == '.' && part[1] == '.'));
	}
	for (; *path; path++)
		check((unsigned char)*path >= ' ' && *path != 127);
	check(!target->token || (*target->token && !strchr(target->token, '/')));
	check(frame_is_utf8(target->query, strlen(target->query)));
}

static void check_head(const struct head *head)
{
	check(head->texts[HEAD_HOST] && *head->texts[HEAD_HOST]);
	check(!head->texts[HEAD_TRANSFER_ENCODING]);
	check(!head->body_bytes || head->texts[HEAD_CONTENT_LENGTH]);
	check_path(&head->target);
	for (int i = 0; i < HEAD_FIELDS; i++) {
		const char *text = head->texts[i];
		check(!text || frame_is_utf8(text, strlen(text)));
		for (; text && *text; text++)
			check((unsigned char)*text >= ' ' || *text == '\t');
	}
	if (head->is_upgrade)
		check(head->method == WEB_GET && !head->body_bytes && strlen(head->texts[HEAD_SOCKET_KEY]) == 24);
}

/* As the server does it, from a proxy. */
static void check_request(const char *bytes, size_t count, const struct head *head)
{
	struct request_peer peer = {.is_proxy = true, .address = "192.0.2.1"};
	struct request_proxies proxies = {.count = 1};
	struct head_refusal refusal;
	struct request *request = NULL;
	size_t budget = 10000;

	address_parse("192.0.2.1", &proxies.addresses[0]);
	address_parse("192.0.2.1", &peer.socket);
	check(request_create(bytes, count, &peer, &proxies, &request, &refusal) == 0);
	check(strcmp(request->seen.path, head->target.path) == 0 && *request->seen.address);
	int taken = request_add_body(request, bytes, count, &budget);
	check(taken < 0 ||
		((uint64_t)taken <= head->body_bytes && request->seen.body[request->seen.body_bytes] == '\0'));
	request_destroy(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	size_t end = head_find_end((const char *)bytes, count, 0), size = end ? end : count;
	struct head head;
	struct head_refusal refusal = {0};
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, bytes, size);
	text[size] = '\0';
	if (head_parse(text, size, &head, &refusal)) {
		check(end == size);
		check_head(&head);
		check_request((const char *)bytes, size, &head);
		if (head.texts[HEAD_IF_NONE_MATCH])
			answer_has_etag(head.texts[HEAD_IF_NONE_MATCH], "\"0123456789abcdef\"");
	} else {
		check(refusal.status >= 400 && refusal.status <= 505 && refusal.detail);
	}
	free(text);
	return 0;
}
