/* file_footer.c: see the header. In `enrgdaq verify`. */
#include "arrow/file_footer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc_layout.h"

#define HEAD_BYTES 8u  /* ARROW1 and padding, in front */
#define TAIL_BYTES 10u /* length of the footer, ARROW1 */

static int read_footer(struct fb_reader *reader, struct file_footer *footer, struct enrg_error *reason)
{
	struct fb_table top, schema;
	struct fb_vector blocks = {0};

	if (!fb_read_root(reader, &top) || !fb_read_table(reader, &top, FOOTER_SCHEMA, &schema))
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the footer is damaged");
	int rc = ipc_read_schema(reader, &schema, &footer->schema, reason);
	if (rc < 0 && rc != ENRG_E_CORRUPT) /* types that we do not have are no damage */
		return rc;
	fb_read_vector(reader, &top, FOOTER_BATCHES, sizeof(*footer->blocks), &blocks);
	if (reader->is_bad)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the footer is damaged");
	footer->blocks = calloc(blocks.count ? blocks.count : 1, sizeof(*footer->blocks));
	if (!footer->blocks)
		return enrg_error_set(reason, -ENOMEM, "no memory for the places of %u batches", blocks.count);
	if (blocks.count)
		memcpy(footer->blocks, reader->bytes + blocks.at, blocks.count * sizeof(*footer->blocks));
	footer->block_count = blocks.count;
	return 0;
}

int file_footer_read(
	struct file_window *window, struct file_footer *ret_footer, struct enrg_error *reason, struct enrg_error *err)
{
	uint64_t end = window->file_bytes;
	const uint8_t *bytes;
	size_t count;

	if (end < HEAD_BYTES + TAIL_BYTES)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "there is no footer: the file was cut off");
	int rc = file_window_get(window, end - TAIL_BYTES, TAIL_BYTES, &bytes, &count, err);
	if (rc < 0)
		return rc;
	uint32_t length = fb_load_u32(bytes);
	if (memcmp(bytes + 4, "ARROW1", 6) != 0)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"there is no footer at the end: the file was cut off, or its end is damaged");
	if (length == 0 || length > INT32_MAX || length > end - HEAD_BYTES - TAIL_BYTES)
		return enrg_error_set(
			reason, ENRG_E_CORRUPT, "the footer can't have %" PRIu32 " bytes, as its length says", length);
	struct file_footer footer = {.at = end - TAIL_BYTES - length};
	rc = file_window_get(window, footer.at, length, &bytes, &count, err);
	if (rc < 0)
		return rc;
	struct fb_reader reader = {.bytes = bytes, .count = length};
	rc = read_footer(&reader, &footer, reason);
	if (rc < 0) {
		file_footer_fini(&footer);
		return rc == ENRG_E_CORRUPT ? rc : enrg_error_set(err, rc, "%s", reason->text);
	}
	*ret_footer = footer;
	return 0;
}

int file_footer_compare(const struct file_footer *footer, const struct file_blocks *blocks,
	const struct enrg_schema *schema, struct enrg_error *reason)
{
	if (schema && (!footer->schema || !ipc_schema_equal(schema, footer->schema)))
		return enrg_error_set(
			reason, ENRG_E_CORRUPT, "the footer has other columns than the schema in front of the batches");
	if (footer->block_count != blocks->count)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the footer names %u batches, and %u stand in the file",
			footer->block_count, blocks->count);
	for (uint32_t i = 0; i < blocks->count; i++)
		if (footer->blocks[i].offset != blocks->items[i].offset ||
			footer->blocks[i].meta_bytes != blocks->items[i].meta_bytes ||
			footer->blocks[i].body_bytes != blocks->items[i].body_bytes)
			return enrg_error_set(reason, ENRG_E_CORRUPT,
				"the footer has batch %u of the file at byte %" PRId64 " with %" PRId32 " and %" PRId64
				" bytes; it stands at byte %" PRId64 " with %" PRId32 " and %" PRId64,
				i + 1, footer->blocks[i].offset, footer->blocks[i].meta_bytes,
				footer->blocks[i].body_bytes, blocks->items[i].offset, blocks->items[i].meta_bytes,
				blocks->items[i].body_bytes);
	return 0;
}

void file_footer_fini(struct file_footer *footer)
{
	free(footer->blocks);
	free(footer->schema);
	*footer = (struct file_footer){0};
}
