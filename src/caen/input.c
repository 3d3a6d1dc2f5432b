/* input.c: bytes, samples and lines of a file, for both formats. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "caen/layout.h"

int caen_get(struct caen *caen, uint64_t offset, uint64_t count, const uint8_t **ret_bytes, struct enrg_error *reason)
{
	size_t found;

	if (offset > caen->end || count > caen->end - offset)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside an event");
	return file_window_get(caen->window, offset, (size_t)count, ret_bytes, &found, reason);
}

int caen_reserve_samples(struct caen *caen, uint32_t count, struct enrg_error *reason)
{
	if (count <= caen->text_capacity)
		return 0;
	uint16_t *grown = realloc(caen->text_samples, 2 * (size_t)count * sizeof(*grown));
	if (!grown)
		return enrg_error_set(reason, -ENOMEM, "no memory for %u samples", count);
	caen->text_samples = grown;
	caen->text_capacity = 2 * count;
	return 0;
}

int caen_get_line(struct caen *caen, uint64_t offset, char *ret_line, size_t line_bytes, uint64_t *ret_bytes,
	struct enrg_error *reason)
{
	uint64_t left = caen->end - offset;
	const uint8_t *bytes, *line_end;

	if (left == 0)
		return 0;
	uint64_t wanted = left < line_bytes ? left : line_bytes;
	int rc = caen_get(caen, offset, wanted, &bytes, reason);
	if (rc < 0)
		return rc;
	line_end = memchr(bytes, '\n', (size_t)wanted);
	if (!line_end && wanted == line_bytes)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "a line that is longer than %zu bytes", line_bytes);
	size_t length = line_end ? (size_t)(line_end - bytes) : (size_t)wanted;
	*ret_bytes = length + (line_end ? 1 : 0);
	if (length && bytes[length - 1] == '\r')
		length--;
	if (memchr(bytes, '\0', length) || length >= line_bytes)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "this line is no text");
	memcpy(ret_line, bytes, length);
	ret_line[length] = '\0';
	return 1;
}
