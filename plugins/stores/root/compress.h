/* compress.h: ROOT's compressed blocks: pieces of at most 16,777,215 bytes, each with a header of nine bytes. */
#ifndef ROOT_COMPRESS_H
#define ROOT_COMPRESS_H

#include "rootio/bytes.h"

#define COMPRESS_PIECE_MAX 0xFFFFFFu

/* As ROOT numbers them. */
enum compress_method { COMPRESS_ZLIB = 1, COMPRESS_LZMA = 2, COMPRESS_LZ4 = 4, COMPRESS_ZSTD = 5 };

struct compress_setting {
	enum compress_method method;
	int level; /* 0 = not compressed */
};

/* Method and level as the format writes them: method * 100 + level; 0 = not compressed. Levels beyond what ROOT knows
 * (9) are told as 9. */
uint32_t compress_code(const struct compress_setting *setting);

/* What a thread keeps between calls. */
struct compressor {
	void *zstd;
};
void compressor_fini(struct compressor *compressor); /* takes zeroed */

/* Appends `count` bytes to `out`, as blocks where that is shorter, else as they are (the reader sees from the two
 * lengths which it is). */
int compress_append(struct compressor *compressor, const struct compress_setting *setting, const uint8_t *data,
	size_t count, struct bytes *out, struct enrg_error *err);

#endif
