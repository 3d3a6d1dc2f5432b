/* run_answer_fuzz.c: questions about the run book, made of what somebody asks over HTTP: any bytes are refused or
 * answered, and an answer is JSON that can be read. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runs/answer.h"
#include "runs/beside.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const char record[] =
	"{\"v\":1,\"number\":7,\"uuid\":\"00000007-0000-8000-8000-000000000000\",\"supervisor\":\"lab\",\"run\":"
	"\"seven\","
	"\"entries\":{\"begin\":[{\"id\":\"0123456789abcdef0123456789abcdef\",\"wall_ns\":1795000000000000000,\"who\":"
	"\"x\","
	"\"body\":{\"number\":7,\"run\":\"seven\",\"supervisor\":\"lab\",\"type\":\"physics\",\"description\":\"50 % "
	"beam\","
	"\"config\":\"a = 1\\n\",\"values\":{\"v\":1},\"wall_ns\":1795000000000000000}}],\"note\":[{\"id\":"
	"\"1123456789abcdef0123456789abcdef\",\"wall_ns\":1795000000000000001,\"who\":\"x\",\"body\":{\"text\":\"on\"}}"
	"],"
	"\"file\":[{\"id\":\"2123456789abcdef0123456789abcdef\",\"wall_ns\":1795000000000000002,\"who\":\"x\",\"body\":"
	"{"
	"\"event\":\"closed\",\"path\":\"/a.arrows\",\"store\":\"s\",\"bytes\":1}}]}}";

static struct database *open_book(void)
{
	const struct database_params params = {.path = ":memory:", .network = DATABASE_LOCAL};
	int file = memfd_create("run", MFD_CLOEXEC);
	struct database *database = NULL;
	unsigned entries = 0;
	char path[64];

	if (database_open(&params, &database, NULL) || file < 0 ||
		write(file, record, strlen(record)) != (ssize_t)strlen(record))
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = "/"};
	if (database_begin(database, NULL) || beside_enter(&context, path, &entries, NULL) < 0 ||
		database_commit(database, NULL) || !entries)
		abort();
	close(file);
	return database;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct database *database;
	json_t *question = json_loadb((const char *)bytes, count, 0, NULL), *read;
	struct enrg_error err = {0};
	char *answer = NULL;
	size_t size = 0;

	database = database ? database : open_book();
	int rc = answer_question(database, question, &answer, &size, &err);
	const char *format = json_string_value(json_object_get(question, "format"));
	if (rc ? !err.text[0] : !answer)
		abort();
	if (!rc && !(format && !strcmp(format, "csv"))) {
		read = json_loadb(answer, size, JSON_DECODE_ANY, NULL);
		if (!read)
			abort();
		json_decref(read);
	}
	free(answer);
	json_decref(question);
	return 0;
}
