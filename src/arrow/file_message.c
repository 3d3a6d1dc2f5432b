/* file_message.c: see the header. */
#include "arrow/file_message.h"

#include <errno.h>
#include <string.h>

int file_message_read(struct file_window *window, uint64_t offset, uint64_t end, struct ipc_message *ret_message,
	bool *ret_is_cut, struct enrg_error *err)
{
	size_t wanted = 8, count;
	const uint8_t *bytes;

	*ret_is_cut = false;
	for (;;) {
		uint64_t left = end - offset;
		int rc = file_window_get(window, offset, wanted, &bytes, &count, err);
		if (rc == 0)
			rc = ipc_read_message(bytes, count < left ? count : (size_t)left, ret_message, &wanted, err);
		if (rc != -EAGAIN)
			return rc;
		if (wanted > left) {
			*ret_is_cut = true;
			return 0;
		}
	}
}

/* Is there a message with a right check sum, or an end mark, at `offset`? 1, 0, or an error of reading. */
static int is_message_at(struct file_window *window, uint64_t offset, uint64_t end, struct enrg_error *err)
{
	struct ipc_message message;
	bool is_cut;

	int rc = file_message_read(window, offset, end, &message, &is_cut, err);
	if (rc == ENRG_E_CORRUPT || (rc == 0 && is_cut))
		return 0;
	return rc < 0 ? rc : message.meta_crc_ok || message.is_end;
}

/* May a message start with these 8 bytes, `left` bytes before the end of the file? An end mark may where it is the
 * last. */
static bool is_plausible(const uint8_t *bytes, uint64_t left)
{
	uint32_t prefix[2];

	memcpy(prefix, bytes, sizeof(prefix));
	if (prefix[0] != UINT32_MAX || prefix[1] % 8 != 0 || prefix[1] > left - 8)
		return false;
	return prefix[1] != 0 || left == 8;
}

int file_message_find(
	struct file_window *window, uint64_t offset, uint64_t end, uint64_t *ret_offset, struct enrg_error *err)
{
	const uint8_t *bytes;
	size_t count;

	/* Messages lie at multiples of 8: one that does not fit into what is left is none. */
	while (offset + 8 <= end) {
		int rc = file_window_get(window, offset, 8, &bytes, &count, err);
		if (rc < 0)
			return rc;
		size_t i = 0;
		count = count < end - offset ? count : (size_t)(end - offset);
		while (i + 8 <= count && !is_plausible(bytes + i, end - offset - i))
			i += 8;
		offset += i;
		if (i + 8 > count)
			continue;
		rc = is_message_at(window, offset, end, err);
		if (rc < 0)
			return rc;
		if (rc) {
			*ret_offset = offset;
			return 0;
		}
		offset += 8;
	}
	*ret_offset = end;
	return 0;
}
