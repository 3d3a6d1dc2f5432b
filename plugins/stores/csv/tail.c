/* tail.c: judges an existing file before rows are appended to it. Runs in the store's job process, on its main
 * thread.
 *
 * A killed process leaves no torn end (the framework cuts its files to what was committed); a power cut may. Only
 * a file that starts with our own header is ever called torn, because a torn one gets cut.
 */
#include "tail.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <zstd.h>

#define STEP_BYTES 4096u

struct content {
	const char *bytes;
	size_t count;
};

enum header_match { HEADER_EQUAL, HEADER_PART, HEADER_OTHER };

/* Files of the Python program end their lines with "\r\n". */
static enum header_match match_header(const struct content *content, const struct text *header)
{
	size_t names = header->count - 1;

	if (content->count < names)
		return memcmp(content->bytes, header->bytes, content->count) == 0 ? HEADER_PART : HEADER_OTHER;
	if (memcmp(content->bytes, header->bytes, names) != 0)
		return HEADER_OTHER;
	if (content->count == names)
		return HEADER_PART;
	if (content->bytes[names] == '\n')
		return HEADER_EQUAL;
	if (content->bytes[names] != '\r')
		return HEADER_OTHER;
	if (content->count == names + 1)
		return HEADER_PART;
	return content->bytes[names + 1] == '\n' ? HEADER_EQUAL : HEADER_OTHER;
}

/* Is the count of quotes odd? In steps of a fixed size, which the compiler makes wide. */
static bool has_open_quote(const struct content *content)
{
	size_t i = 0, quotes = 0;

	for (; i + STEP_BYTES <= content->count; i += STEP_BYTES) {
		uint8_t odd = 0;

		for (size_t k = 0; k < STEP_BYTES; k++)
			odd ^= content->bytes[i + k] == '"';
		quotes += odd;
	}
	for (; i < content->count; i++)
		quotes += content->bytes[i] == '"';
	return quotes & 1;
}

/* Behind the last line end that does not stand inside of quotes. */
static size_t find_last_line_end(const struct content *content)
{
	bool is_quoted = has_open_quote(content);
	size_t end = content->count;

	for (; end > 0; end--) {
		if (content->bytes[end - 1] == '"')
			is_quoted = !is_quoted;
		else if (content->bytes[end - 1] == '\n' && !is_quoted)
			break;
	}
	return end;
}

static enum tail judge_plain(
	const struct content *content, const struct text *header, bool may_be_inside, size_t *ret_good)
{
	switch (match_header(content, header)) {
	case HEADER_OTHER:
		return TAIL_FOREIGN;
	case HEADER_PART:
		*ret_good = 0;
		return TAIL_TORN;
	case HEADER_EQUAL:
		break;
	}
	if (content->bytes[content->count - 1] == '\n' && !(may_be_inside && has_open_quote(content))) {
		*ret_good = content->count;
		return TAIL_WHOLE;
	}
	*ret_good = find_last_line_end(content);
	return TAIL_TORN;
}

/* The first bytes of what is compressed, as many as a header has. */
static int read_compressed_start(
	const struct content *content, char *ret_bytes, size_t wanted, size_t *ret_count, struct enrg_error *err)
{
	ZSTD_DCtx *decompressor = ZSTD_createDCtx();
	ZSTD_inBuffer input = {content->bytes, content->count, 0};
	ZSTD_outBuffer output = {ret_bytes, wanted, 0};

	if (!decompressor)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	while (output.pos < output.size) {
		size_t in_before = input.pos, out_before = output.pos;

		if (ZSTD_isError(ZSTD_decompressStream(decompressor, &output, &input)))
			break;
		if (input.pos == in_before && output.pos == out_before)
			break;
	}
	ZSTD_freeDCtx(decompressor);
	*ret_count = output.pos;
	return 0;
}

static size_t find_last_frame_end(const struct content *content)
{
	size_t end = 0;

	while (end < content->count) {
		size_t frame = ZSTD_findFrameCompressedSize(content->bytes + end, content->count - end);

		if (ZSTD_isError(frame) || frame == 0)
			break;
		end += frame;
	}
	return end;
}

static int judge_zstd(const struct content *content, const struct text *header, enum tail *ret_tail, size_t *ret_good,
	struct enrg_error *err)
{
	static const unsigned char magic[4] = {0x28, 0xB5, 0x2F, 0xFD};
	struct text start = {0};
	struct content names;
	enum header_match match;
	int rc;

	*ret_tail = TAIL_FOREIGN;
	if (memcmp(content->bytes, magic, content->count < 4 ? content->count : 4) != 0)
		return 0;
	if (!text_reserve(&start, header->count + 1))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	rc = read_compressed_start(content, start.bytes, header->count + 1, &start.count, err);
	if (rc == 0) {
		names = (struct content){start.bytes, start.count};
		match = match_header(&names, header);
		*ret_good = find_last_frame_end(content);
		/* A part of our header is ours only where no whole frame says that it ends there. */
		if (match == HEADER_EQUAL || (match == HEADER_PART && *ret_good == 0))
			*ret_tail = *ret_good == content->count ? TAIL_WHOLE : TAIL_TORN;
	}
	text_fini(&start);
	return rc;
}

int tail_find(const struct tail_file *file, const struct text *header, enum tail *ret_tail, uint64_t *ret_good_bytes,
	struct enrg_error *err)
{
	const uint64_t size = file->size;
	struct content content = {NULL, size};
	size_t good = 0;
	void *bytes;
	int rc = 0;

	*ret_good_bytes = size;
	*ret_tail = TAIL_WHOLE;
	if (size == 0)
		return 0;
	bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file->descriptor, 0);
	if (bytes == MAP_FAILED)
		return enrg_error_set(err, -errno, "can't read what is there: %s", strerror(errno));
	content.bytes = bytes;
	if (file->form == TAIL_OF_FRAMES)
		rc = judge_zstd(&content, header, ret_tail, &good, err);
	else
		*ret_tail = judge_plain(&content, header, file->form == TAIL_OF_TEXT, &good);
	munmap(bytes, size);
	*ret_good_bytes = good;
	return rc;
}
