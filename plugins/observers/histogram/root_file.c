/* root_file.c: see the header. The layout of the file is that of docs/root-format.md in its small form (positions of 4
 * bytes), the members of the classes are those of ROOT 6. */
#include "root_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "rootio/streamer.h"

#define FILE_VERSION 63600u
#define BEGIN        100u
#define BYTES_MAX    (1u << 30) /* positions have 31 bits */
#define SEEK_END_AT  12u        /* places in the head and in the directory */
#define HEAD_BYTES   63u
#define NO_BITS      STREAMER_BITS
#define IN_PLACE     (STREAMER_BITS | 0x8u) /* kMustCleanup, as ROOT has it */

/* --- classes ------------------------------------------------------------------------------------------------------ */

#define INT(name)                                                                                                      \
	{                                                                                                              \
		name, "", T_INT, 4, "int"                                                                              \
	}
#define SHORT(name)                                                                                                    \
	{                                                                                                              \
		name, "", T_SHORT, 2, "short"                                                                          \
	}
#define FLOAT(name)                                                                                                    \
	{                                                                                                              \
		name, "", T_FLOAT, 4, "float"                                                                          \
	}
#define DOUBLE(name)                                                                                                   \
	{                                                                                                              \
		name, "", T_DOUBLE, 8, "double"                                                                        \
	}

static const struct streamer_element hash_list_elements[] = {STREAMER_BASE("TList", T_BASE), STREAMER_END};
static const struct streamer_element att_axis_elements[] = {INT("fNdivisions"), SHORT("fAxisColor"),
	SHORT("fLabelColor"), SHORT("fLabelFont"), FLOAT("fLabelOffset"), FLOAT("fLabelSize"), FLOAT("fTickLength"),
	FLOAT("fTitleOffset"), FLOAT("fTitleSize"), SHORT("fTitleColor"), SHORT("fTitleFont"), STREAMER_END};
static const struct streamer_element axis_elements[] = {
	STREAMER_BASE("TNamed", T_TNAMED),
	STREAMER_BASE("TAttAxis", T_BASE),
	INT("fNbins"),
	DOUBLE("fXmin"),
	DOUBLE("fXmax"),
	{"fXbins", "", T_ANY, 24, "TArrayD"},
	INT("fFirst"),
	INT("fLast"),
	{"fBits2", "", T_USHORT, 2, "unsigned short"},
	{"fTimeDisplay", "", T_BOOL, 1, "bool"},
	{"fTimeFormat", "", T_STRING, 24, "TString"},
	{"fLabels", "", T_POINTER, 8, "THashList*"},
	{"fModLabs", "", T_POINTER, 8, "TList*"},
	STREAMER_END,
};
static const struct streamer_element th1_elements[] = {
	STREAMER_BASE("TNamed", T_TNAMED),
	STREAMER_BASE("TAttLine", T_BASE),
	STREAMER_BASE("TAttFill", T_BASE),
	STREAMER_BASE("TAttMarker", T_BASE),
	INT("fNcells"),
	{"fXaxis", "", T_OBJECT, 216, "TAxis"},
	{"fYaxis", "", T_OBJECT, 216, "TAxis"},
	{"fZaxis", "", T_OBJECT, 216, "TAxis"},
	SHORT("fBarOffset"),
	SHORT("fBarWidth"),
	DOUBLE("fEntries"),
	DOUBLE("fTsumw"),
	DOUBLE("fTsumw2"),
	DOUBLE("fTsumwx"),
	DOUBLE("fTsumwx2"),
	DOUBLE("fMaximum"),
	DOUBLE("fMinimum"),
	DOUBLE("fNormFactor"),
	{"fContour", "", T_ANY, 24, "TArrayD"},
	{"fSumw2", "", T_ANY, 24, "TArrayD"},
	{"fOption", "", T_STRING, 24, "TString"},
	{"fFunctions", "->", T_OWNED, 8, "TList*"},
	{"fBufferSize", "", T_COUNTER, 4, "int"},
	{"fBuffer", "[fBufferSize]", T_DOUBLE_ARRAY, 8, "double*"},
	{"fBinStatErrOpt", "", T_INT, 4, "TH1::EBinErrorOpt"},
	{"fStatOverflows", "", T_INT, 4, "TH1::EStatOverflows"},
	STREAMER_END,
};
static const struct streamer_element th1d_elements[] = {
	STREAMER_BASE("TH1", T_BASE), STREAMER_BASE("TArrayD", T_BASE), STREAMER_END};
static const struct streamer_element th2_elements[] = {STREAMER_BASE("TH1", T_BASE), DOUBLE("fScalefactor"),
	DOUBLE("fTsumwy"), DOUBLE("fTsumwy2"), DOUBLE("fTsumwxy"), STREAMER_END};
static const struct streamer_element th2d_elements[] = {
	STREAMER_BASE("TH2", T_BASE), STREAMER_BASE("TArrayD", T_BASE), STREAMER_END};

static const struct streamer_class classes[] = {
	{"TObject", 0x901BC02Du, 1, streamer_object},
	{"TString", 0x00017419u, 2, streamer_string},
	{"TNamed", 0xDFB74A3Cu, 1, streamer_named},
	{"TCollection", 0x57E3CB9Cu, 3, streamer_collection},
	{"TSeqCollection", 0xFC6C3BC6u, 0, streamer_seq_collection},
	{"TList", 0x69C5C3BBu, 5, streamer_list},
	{"THashList", 0xCC7E49C1u, 0, hash_list_elements},
	{"TAttLine", 0x94074549u, 2, streamer_line},
	{"TAttFill", 0xFFD92A92u, 2, streamer_fill},
	{"TAttMarker", 0x291D8BECu, 2, streamer_marker},
	{"TAttAxis", 0x5C6FFF3Eu, 4, att_axis_elements},
	{"TAxis", 0x5A496E70u, 10, axis_elements},
	{"TArrayD", 0x7139EF34u, 1, NULL},
	{"TH1", 0x1C3740C4u, 8, th1_elements},
	{"TH1D", 0xF9B1569Fu, 3, th1d_elements},
	{"TH2", 0x0182347Fu, 5, th2_elements},
	{"TH2D", 0x7FBA82F0u, 4, th2d_elements},
};

/* --- objects ------------------------------------------------------------------------------------------------------ */

static void put_reals(struct bytes *out, const double *values, uint32_t count)
{
	bytes_be32(out, count);
	for (uint32_t i = 0; i < count; i++)
		bytes_be_double(out, values[i]);
}

static void put_att_axis(struct bytes *out)
{
	size_t begin = streamer_begin(out, 4);

	bytes_be32(out, 510); /* divisions */
	bytes_be16(out, 1);
	bytes_be16(out, 1);
	bytes_be16(out, 42);
	bytes_be_float(out, 0.005f);
	bytes_be_float(out, 0.035f);
	bytes_be_float(out, 0.03f);
	bytes_be_float(out, 1.0f);
	bytes_be_float(out, 0.035f);
	bytes_be16(out, 1);
	bytes_be16(out, 42);
	streamer_end(out, begin);
}

static void put_axis(struct bytes *out, const char *name, const struct enrg_histogram_axis *axis)
{
	static const struct enrg_histogram_axis none = {.label = "", .bins = 1, .high = 1, .is_regular = true};
	size_t begin = streamer_begin(out, 10);

	axis = axis ? axis : &none;
	streamer_put_named(out, NO_BITS, name, axis->label);
	put_att_axis(out);
	bytes_be32(out, axis->bins);
	bytes_be_double(out, axis->low);
	bytes_be_double(out, axis->high);
	put_reals(out, axis->edges, axis->is_regular ? 0 : axis->bins + 1);
	bytes_zero(out, 4 + 4 + 2 + 1); /* first, last, bits, no display of times */
	bytes_be_string(out, "");
	bytes_zero(out, 4 + 4); /* no labels */
	streamer_end(out, begin);
}

static void put_looks(struct bytes *out)
{
	size_t line = streamer_begin(out, 2);
	bytes_be16(out, 602);
	bytes_be16(out, 1);
	bytes_be16(out, 1);
	streamer_end(out, line);
	size_t fill = streamer_begin(out, 2);
	bytes_be16(out, 0);
	bytes_be16(out, 1001);
	streamer_end(out, fill);
	size_t marker = streamer_begin(out, 2);
	bytes_be16(out, 1);
	bytes_be16(out, 1);
	bytes_be_float(out, 1.0f);
	streamer_end(out, marker);
}

/* Behind a pointer that is never NULL ("->"): the object alone. */
static void put_empty_list(struct bytes *out)
{
	size_t begin = streamer_begin(out, 5);

	streamer_put_object(out, NO_BITS);
	bytes_be_string(out, "");
	bytes_be32(out, 0);
	streamer_end(out, begin);
}

static void put_th1(struct bytes *out, const struct enrg_histogram *histogram)
{
	const struct enrg_histogram_sums *sums = &histogram->sums;
	size_t begin = streamer_begin(out, 8);

	streamer_put_named(out, IN_PLACE, histogram->name, histogram->title);
	put_looks(out);
	bytes_be32(out, (uint32_t)histogram->cell_count);
	put_axis(out, "xaxis", &histogram->x);
	put_axis(out, "yaxis", histogram->dimensions == 2 ? &histogram->y : NULL);
	put_axis(out, "zaxis", NULL);
	bytes_be16(out, 0);
	bytes_be16(out, 1000);
	bytes_be_double(out, (double)sums->entries);
	bytes_be_double(out, sums->w);
	bytes_be_double(out, sums->w);
	bytes_be_double(out, sums->x);
	bytes_be_double(out, sums->xx);
	bytes_be_double(out, -1111);
	bytes_be_double(out, -1111);
	bytes_be_double(out, 0);
	bytes_zero(out, 4 + 4); /* neither contours nor squares: these are counts */
	bytes_be_string(out, "");
	put_empty_list(out);
	bytes_be32(out, 0);
	bytes_be8(out, 0); /* no buffer */
	bytes_be32(out, 0);
	bytes_be32(out, 2);
	streamer_end(out, begin);
}

static void put_counts(struct bytes *out, const struct enrg_histogram *histogram)
{
	bytes_be32(out, (uint32_t)histogram->cell_count);
	for (uint64_t i = 0; i < histogram->cell_count; i++)
		bytes_be_double(out, (double)histogram->counts[i]);
}

static void put_histogram(struct bytes *out, const struct enrg_histogram *histogram)
{
	bool is_plane = histogram->dimensions == 2;
	size_t outer = streamer_begin(out, is_plane ? 4 : 3), inner;

	if (is_plane) {
		inner = streamer_begin(out, 5);
		put_th1(out, histogram);
		bytes_be_double(out, 1); /* scale */
		bytes_be_double(out, histogram->sums.y);
		bytes_be_double(out, histogram->sums.yy);
		bytes_be_double(out, histogram->sums.xy);
		streamer_end(out, inner);
	} else {
		put_th1(out, histogram);
	}
	put_counts(out, histogram);
	streamer_end(out, outer);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

struct key {
	const char *class_name, *name, *title;
	uint32_t position, bytes, object_bytes;
	uint16_t key_bytes;
};

struct writer {
	struct bytes out;
	uint32_t made_at;
	uint8_t uuid[16];
};

static uint32_t pack_now(void)
{
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	return (uint32_t)(tm.tm_year - 95) << 26 | (uint32_t)(tm.tm_mon + 1) << 22 | (uint32_t)tm.tm_mday << 17 |
	       (uint32_t)tm.tm_hour << 12 | (uint32_t)tm.tm_min << 6 | (uint32_t)tm.tm_sec;
}

static void put_key(struct writer *writer, const struct key *key, bool is_listed)
{
	struct bytes *out = &writer->out;

	bytes_be32(out, key->bytes);
	bytes_be16(out, 4);
	bytes_be32(out, key->object_bytes);
	bytes_be32(out, writer->made_at);
	bytes_be16(out, key->key_bytes);
	bytes_be16(out, 1); /* cycle */
	bytes_be32(out, key->position);
	bytes_be32(out, is_listed ? BEGIN : 0);
	bytes_be_string(out, key->class_name);
	bytes_be_string(out, key->name);
	bytes_be_string(out, key->title);
}

static void put_record(struct writer *writer, struct key *key, const struct bytes *object, bool is_listed)
{
	key->key_bytes = (uint16_t)(26 + bytes_be_string_count(key->class_name) + bytes_be_string_count(key->name) +
				    bytes_be_string_count(key->title));
	key->position = (uint32_t)writer->out.count;
	key->object_bytes = (uint32_t)object->count;
	key->bytes = key->key_bytes + key->object_bytes;
	put_key(writer, key, is_listed);
	bytes_put(&writer->out, object->data, object->count);
}

static void put_head(struct writer *writer)
{
	struct bytes *out = &writer->out;

	bytes_put(out, "root", 4);
	bytes_be32(out, FILE_VERSION);
	bytes_be32(out, BEGIN);
	bytes_zero(out, 16); /* end, free list: later */
	bytes_zero(out, 4);  /* bytes before the directory: later */
	bytes_be8(out, 4);   /* bytes of a position */
	bytes_be32(out, 0);  /* not compressed */
	bytes_zero(out, 8);  /* class descriptions: later */
	bytes_be16(out, 1);
	bytes_put(out, writer->uuid, sizeof(writer->uuid));
	bytes_zero(out, BEGIN - HEAD_BYTES);
}

/* Name, title and numbers of the root directory; returns where the numbers are. */
static size_t put_directory(struct writer *writer, const char *name)
{
	struct bytes object = {0};
	struct key key = {.class_name = "TFile", .name = name, .title = "ENRGDAQ"};
	size_t names = bytes_be_string_count(name) + bytes_be_string_count("ENRGDAQ");

	bytes_be_string(&object, name);
	bytes_be_string(&object, "ENRGDAQ");
	bytes_be16(&object, 5);
	bytes_be32(&object, writer->made_at);
	bytes_be32(&object, writer->made_at);
	bytes_be32(&object, 0); /* bytes of the list of keys: later */
	bytes_be32(&object, 0); /* bytes of names: later */
	bytes_be32(&object, BEGIN);
	bytes_be32(&object, 0);
	bytes_be32(&object, 0); /* the list of keys: later */
	bytes_be16(&object, 1);
	bytes_put(&object, writer->uuid, sizeof(writer->uuid));
	bytes_zero(&object, 12); /* so that a longer form fits, as ROOT leaves it */
	put_record(writer, &key, &object, false);
	bytes_fini(&object);
	return BEGIN + key.key_bytes + names;
}

static void set32(struct writer *writer, size_t at, size_t value)
{
	if (!writer->out.is_short)
		bytes_set_be32(writer->out.data + at, (uint32_t)value);
}

static void put_key_list(struct writer *writer, const char *name, const struct key *keys, size_t count, size_t numbers)
{
	struct writer list = {.made_at = writer->made_at};
	struct key key = {.class_name = "TFile", .name = name, .title = "ENRGDAQ"};

	bytes_be32(&list.out, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		put_key(&list, &keys[i], true);
	writer->out.is_short |= list.out.is_short;
	put_record(writer, &key, &list.out, false);
	bytes_fini(&list.out);
	set32(writer, numbers + 10, key.bytes);
	set32(writer, numbers + 14, numbers - BEGIN);
	set32(writer, numbers + 26, key.position);
}

static void put_end(struct writer *writer, const char *name, size_t numbers)
{
	struct bytes object = {0};
	struct key info = {.class_name = "TList", .name = "StreamerInfo", .title = "Doubly linked list"};
	struct key gaps = {.class_name = "TFile", .name = name, .title = "ENRGDAQ"};
	size_t end;

	streamer_put_list(&object, classes, sizeof(classes) / sizeof(classes[0]));
	writer->out.is_short |= object.is_short;
	put_record(writer, &info, &object, false);
	bytes_clear(&object);
	/* One free segment: from the end of the file on. */
	end = writer->out.count + 26 + bytes_be_string_count("TFile") + bytes_be_string_count(name) +
	      bytes_be_string_count("ENRGDAQ") + 10;
	bytes_be16(&object, 1);
	bytes_be32(&object, (uint32_t)end);
	bytes_be32(&object, 2000000000u);
	put_record(writer, &gaps, &object, false);
	bytes_fini(&object);
	set32(writer, SEEK_END_AT, end);
	set32(writer, SEEK_END_AT + 4, gaps.position);
	set32(writer, SEEK_END_AT + 8, gaps.bytes);
	set32(writer, SEEK_END_AT + 12, 1);
	set32(writer, SEEK_END_AT + 16, numbers - BEGIN);
	set32(writer, SEEK_END_AT + 25, info.position);
	set32(writer, SEEK_END_AT + 29, info.bytes);
}

static int build(struct writer *writer, const char *name, const struct enrg_histogram *histograms, size_t count,
	struct enrg_error *err)
{
	struct key *keys = calloc(count + 1, sizeof(*keys));
	struct bytes object = {0};

	if (!keys)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	put_head(writer);
	size_t numbers = put_directory(writer, name);
	for (size_t i = 0; i < count && writer->out.count < BYTES_MAX; i++) {
		keys[i] = (struct key){.class_name = histograms[i].dimensions == 2 ? "TH2D" : "TH1D",
			.name = histograms[i].name,
			.title = histograms[i].title};
		bytes_clear(&object);
		put_histogram(&object, &histograms[i]);
		writer->out.is_short |= object.is_short;
		put_record(writer, &keys[i], &object, true);
	}
	put_key_list(writer, name, keys, count, numbers);
	put_end(writer, name, numbers);
	bytes_fini(&object);
	free(keys);
	if (writer->out.count >= BYTES_MAX)
		return enrg_error_set(err, -EFBIG, "more than 1 GB of histograms do not fit one file");
	return bytes_check(&writer->out, err);
}

static int write_out(const char *path, const struct bytes *out, struct enrg_error *err)
{
	char beside[PATH_MAX];
	size_t done = 0;
	int rc = 0;

	if (snprintf(beside, sizeof(beside), "%s.part", path) >= (int)sizeof(beside))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: too long", path);
	int descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", beside, enrg_error_name(-errno));
	while (rc == 0 && done < out->count) {
		ssize_t written = write(descriptor, out->data + done, out->count - done);
		if (written < 0 && errno != EINTR)
			rc = -errno;
		done += written > 0 ? (size_t)written : 0;
	}
	if (rc == 0 && fsync(descriptor) < 0)
		rc = -errno;
	close(descriptor);
	if (rc == 0 && rename(beside, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(beside);
	return rc < 0 ? enrg_error_set(err, rc, "%s: %s", path, enrg_error_name(rc)) : 0;
}

int root_file_write(const char *path, const struct enrg_histogram *histograms, size_t count, struct enrg_error *err)
{
	struct writer writer = {.made_at = pack_now()};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (getrandom(writer.uuid, sizeof(writer.uuid), 0) != (ssize_t)sizeof(writer.uuid))
		return enrg_error_set(err, -EIO, "no random bytes");
	int rc = build(&writer, name, histograms, count, err);
	if (rc == 0)
		rc = write_out(path, &writer.out, err);
	bytes_fini(&writer.out);
	return rc;
}
