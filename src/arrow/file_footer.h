/* file_footer.h: the end of Arrow's file format, which says where its batches are: read without believing it, and held
 * against what was found. It has no check sum of its own. One thread. */
#ifndef ARROW_FILE_FOOTER_H
#define ARROW_FILE_FOOTER_H

#include "arrow/file_window.h"
#include "arrow/file_writer.h"
#include "enrgdaq/schema.h"

struct file_footer {
	uint64_t at; /* where it begins: the messages lie before it */
	struct file_block *blocks;
	uint32_t block_count;
	struct enrg_schema *schema; /* NULL: of types that we do not have */
};

/* ENRG_E_CORRUPT with what is wrong with the footer in `reason`; else -errno in `err`. */
int file_footer_read(
	struct file_window *window, struct file_footer *ret_footer, struct enrg_error *reason, struct enrg_error *err);
/* Are these the record batches of the file, and is that its schema (NULL: not known)? ENRG_E_CORRUPT with `reason`. */
int file_footer_compare(const struct file_footer *footer, const struct file_blocks *blocks,
	const struct enrg_schema *schema, struct enrg_error *reason);
/* Takes zeroed footers. */
void file_footer_fini(struct file_footer *footer);

#endif
