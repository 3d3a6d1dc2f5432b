/* basket.h: the pages of a TTree: big-endian values of one branch, with a table of offsets where rows differ in length.
 */
#ifndef ROOT_BASKET_H
#define ROOT_BASKET_H

#include "tree.h"

/* Letter of the leaf's class (TLeaf?), and its bytes. */
char basket_leaf_letter(const struct tree *tree, const struct part *part);
uint32_t basket_leaf_bytes(const struct tree *tree, const struct part *part);
/* Rows of different length: strings and arrays. */
bool basket_has_offsets(const struct tree *tree, const struct part *part);

/* As in struct tree_format. */
void basket_encode(const struct tree *tree, const struct part *part, const struct cluster *rows, struct bytes *scratch,
	struct encoded *ret_encoded);
int basket_put(
	struct tree *tree, const struct part *part, struct page *page, struct bytes *packed, struct enrg_error *err);

#endif
