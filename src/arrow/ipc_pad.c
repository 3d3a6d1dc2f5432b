/* ipc_pad.c: metadata of a record batch that was made longer, so that its body can lie where a store wants it. In store
 * processes, on batches that were checked.
 */
#include <errno.h>

#include "arrow/ipc_layout.h"
#include "enrgdaq/store.h"

int enrg_ipc_pad(const struct enrg_batch *batch, uint32_t padding, void *ret_meta, struct enrg_error *err)
{
	uint64_t meta_bytes = batch->ipc_bytes - batch->body_bytes;
	struct ipc_head head;
	struct ipc_marks marks;
	uint8_t *bytes = ret_meta;
	size_t wanted;

	if (padding % 8 != 0 || meta_bytes + padding > IPC_META_BYTES_MAX)
		return enrg_error_set(err, -EINVAL, "can't pad the metadata of a batch with %u bytes", padding);
	int rc = ipc_read_head(batch->ipc, meta_bytes, &head, &wanted, err);
	if (rc == 0)
		rc = ipc_read_marks(&head, &marks, err);
	if (rc < 0)
		return rc;
	uint32_t length = (uint32_t)meta_bytes + padding - IPC_PREFIX_BYTES;
	memcpy(bytes, batch->ipc, meta_bytes);
	memset(bytes + meta_bytes, 0, padding);
	memcpy(bytes + 4, &length, sizeof(length));
	if (marks.meta_crc_at)
		ipc_format_hex(bytes + marks.meta_crc_at,
			ipc_meta_crc(bytes, (uint32_t)meta_bytes + padding, marks.meta_crc_at), 8);
	return 0;
}
