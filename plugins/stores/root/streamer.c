/* streamer.c: see the header. The classes are those that our trees and RNTuples use, as ROOT 6 has them: names,
 * versions and check sums of members are facts of the format. Store process, main thread.
 */
#include "streamer.h"

#include <stdlib.h>
#include <string.h>

#define BYTE_COUNT 0x40000000u
#define NEW_CLASS  0xFFFFFFFFu

enum element_type {
	T_BASE = 0,
	T_CHAR = 1,
	T_SHORT = 2,
	T_INT = 3,
	T_FLOAT = 5,
	T_COUNTER = 6,
	T_DOUBLE = 8,
	T_UCHAR = 11,
	T_USHORT = 12,
	T_UINT = 13,
	T_ULONG = 14,
	T_BITS = 15,
	T_LONG64 = 16,
	T_BOOL = 18,
	T_INT_ARRAY = 43,
	T_LONG64_ARRAY = 56,
	T_OBJECT = 61,
	T_ANY = 62,
	T_POINTER = 64,
	T_STRING = 65,
	T_TOBJECT = 66,
	T_TNAMED = 67,
	T_STL = 500,
};

struct element {
	const char *name, *title; /* of a pointer with a count: "[fCount]" */
	int type;
	int bytes;
	const char *type_name; /* of a base: NULL */
};

struct class_info {
	const char *name;
	uint32_t sum;
	int version;
	const struct element *elements; /* up to a name of NULL */
};

#define BASE(of, kind)                                                                                                 \
	{                                                                                                              \
		of, "", kind, 0, NULL                                                                                  \
	}
#define END                                                                                                            \
	{                                                                                                              \
		NULL, NULL, 0, 0, NULL                                                                                 \
	}
#define LIMITS(type, bytes, name)                                                                                      \
	{                                                                                                              \
		BASE("TLeaf", T_BASE), {"fMinimum", "", type, bytes, name}, {"fMaximum", "", type, bytes, name}, END   \
	}

static const struct element object_elements[] = {
	{"fUniqueID", "", T_UINT, 4, "unsigned int"}, {"fBits", "", T_BITS, 4, "unsigned int"}, END};
static const struct element named_elements[] = {BASE("TObject", T_TOBJECT), {"fName", "", T_STRING, 24, "TString"},
	{"fTitle", "", T_STRING, 24, "TString"}, END};
static const struct element string_elements[] = {END};
static const struct element leaf_elements[] = {BASE("TNamed", T_TNAMED), {"fLen", "", T_INT, 4, "int"},
	{"fLenType", "", T_INT, 4, "int"}, {"fOffset", "", T_INT, 4, "int"}, {"fIsRange", "", T_BOOL, 1, "bool"},
	{"fIsUnsigned", "", T_BOOL, 1, "bool"}, {"fLeafCount", "", T_POINTER, 8, "TLeaf*"}, END};
static const struct element leaf_b[] = LIMITS(T_CHAR, 1, "char");
static const struct element leaf_s[] = LIMITS(T_SHORT, 2, "short");
static const struct element leaf_i[] = LIMITS(T_INT, 4, "int");
static const struct element leaf_l[] = LIMITS(T_LONG64, 8, "long long");
static const struct element leaf_f[] = LIMITS(T_FLOAT, 4, "float");
static const struct element leaf_d[] = LIMITS(T_DOUBLE, 8, "double");
static const struct element leaf_c[] = LIMITS(T_INT, 4, "int");
static const struct element leaf_o[] = LIMITS(T_BOOL, 1, "bool");
static const struct element collection_elements[] = {
	BASE("TObject", T_TOBJECT), {"fName", "", T_STRING, 24, "TString"}, {"fSize", "", T_INT, 4, "int"}, END};
static const struct element seq_elements[] = {BASE("TCollection", T_BASE), END};
static const struct element array_elements[] = {
	BASE("TSeqCollection", T_BASE), {"fLowerBound", "", T_INT, 4, "int"}, {"fLast", "", T_INT, 4, "int"}, END};
static const struct element list_elements[] = {BASE("TSeqCollection", T_BASE), END};
static const struct element features_elements[] = {{"fIOBits", "", T_UCHAR, 1, "unsigned char"}, END};
static const struct element line_elements[] = {{"fLineColor", "", T_SHORT, 2, "short"},
	{"fLineStyle", "", T_SHORT, 2, "short"}, {"fLineWidth", "", T_SHORT, 2, "short"}, END};
static const struct element fill_elements[] = {
	{"fFillColor", "", T_SHORT, 2, "short"}, {"fFillStyle", "", T_SHORT, 2, "short"}, END};
static const struct element marker_elements[] = {{"fMarkerColor", "", T_SHORT, 2, "short"},
	{"fMarkerStyle", "", T_SHORT, 2, "short"}, {"fMarkerSize", "", T_FLOAT, 4, "float"}, END};

static const struct element branch_elements[] = {
	BASE("TNamed", T_TNAMED),
	BASE("TAttFill", T_BASE),
	{"fCompress", "", T_INT, 4, "int"},
	{"fBasketSize", "", T_INT, 4, "int"},
	{"fEntryOffsetLen", "", T_INT, 4, "int"},
	{"fWriteBasket", "", T_INT, 4, "int"},
	{"fEntryNumber", "", T_LONG64, 8, "long long"},
	{"fIOFeatures", "", T_ANY, 1, "ROOT::TIOFeatures"},
	{"fOffset", "", T_INT, 4, "int"},
	{"fMaxBaskets", "", T_COUNTER, 4, "int"},
	{"fSplitLevel", "", T_INT, 4, "int"},
	{"fEntries", "", T_LONG64, 8, "long long"},
	{"fFirstEntry", "", T_LONG64, 8, "long long"},
	{"fTotBytes", "", T_LONG64, 8, "long long"},
	{"fZipBytes", "", T_LONG64, 8, "long long"},
	{"fBranches", "", T_OBJECT, 64, "TObjArray"},
	{"fLeaves", "", T_OBJECT, 64, "TObjArray"},
	{"fBaskets", "", T_OBJECT, 64, "TObjArray"},
	{"fBasketBytes", "[fMaxBaskets]", T_INT_ARRAY, 4, "int*"},
	{"fBasketEntry", "[fMaxBaskets]", T_LONG64_ARRAY, 8, "long long*"},
	{"fBasketSeek", "[fMaxBaskets]", T_LONG64_ARRAY, 8, "long long*"},
	{"fFileName", "", T_STRING, 24, "TString"},
	END,
};

static const struct element ref_table_elements[] = {BASE("TObject", T_TOBJECT), {"fSize", "", T_INT, 4, "int"},
	{"fParents", "", T_POINTER, 8, "TObjArray*"}, {"fOwner", "", T_POINTER, 8, "TObject*"},
	{"fProcessGUIDs", "", T_STL, 24, "vector<string>"}, END};
static const struct element branch_ref_elements[] = {
	BASE("TBranch", T_BASE), {"fRefTable", "", T_POINTER, 8, "TRefTable*"}, END};

static const struct element tree_elements[] = {
	BASE("TNamed", T_TNAMED),
	BASE("TAttLine", T_BASE),
	BASE("TAttFill", T_BASE),
	BASE("TAttMarker", T_BASE),
	{"fEntries", "", T_LONG64, 8, "long long"},
	{"fTotBytes", "", T_LONG64, 8, "long long"},
	{"fZipBytes", "", T_LONG64, 8, "long long"},
	{"fSavedBytes", "", T_LONG64, 8, "long long"},
	{"fFlushedBytes", "", T_LONG64, 8, "long long"},
	{"fWeight", "", T_DOUBLE, 8, "double"},
	{"fTimerInterval", "", T_INT, 4, "int"},
	{"fScanField", "", T_INT, 4, "int"},
	{"fUpdate", "", T_INT, 4, "int"},
	{"fDefaultEntryOffsetLen", "", T_INT, 4, "int"},
	{"fNClusterRange", "", T_COUNTER, 4, "int"},
	{"fMaxEntries", "", T_LONG64, 8, "long long"},
	{"fMaxEntryLoop", "", T_LONG64, 8, "long long"},
	{"fMaxVirtualSize", "", T_LONG64, 8, "long long"},
	{"fAutoSave", "", T_LONG64, 8, "long long"},
	{"fAutoFlush", "", T_LONG64, 8, "long long"},
	{"fEstimate", "", T_LONG64, 8, "long long"},
	{"fClusterRangeEnd", "[fNClusterRange]", T_LONG64_ARRAY, 8, "long long*"},
	{"fClusterSize", "[fNClusterRange]", T_LONG64_ARRAY, 8, "long long*"},
	{"fIOFeatures", "", T_ANY, 1, "ROOT::TIOFeatures"},
	{"fBranches", "", T_OBJECT, 64, "TObjArray"},
	{"fLeaves", "", T_OBJECT, 64, "TObjArray"},
	{"fAliases", "", T_POINTER, 8, "TList*"},
	{"fIndexValues", "", T_ANY, 24, "TArrayD"},
	{"fIndex", "", T_ANY, 24, "TArrayI"},
	{"fTreeIndex", "", T_POINTER, 8, "TVirtualIndex*"},
	{"fFriends", "", T_POINTER, 8, "TList*"},
	{"fUserInfo", "", T_POINTER, 8, "TList*"},
	{"fBranchRef", "", T_POINTER, 8, "TBranchRef*"},
	END,
};

static const struct element ntuple_elements[] = {
	{"fVersionEpoch", "", T_USHORT, 2, "unsigned short"},
	{"fVersionMajor", "", T_USHORT, 2, "unsigned short"},
	{"fVersionMinor", "", T_USHORT, 2, "unsigned short"},
	{"fVersionPatch", "", T_USHORT, 2, "unsigned short"},
	{"fSeekHeader", "", T_ULONG, 8, "unsigned long"},
	{"fNBytesHeader", "", T_ULONG, 8, "unsigned long"},
	{"fLenHeader", "", T_ULONG, 8, "unsigned long"},
	{"fSeekFooter", "", T_ULONG, 8, "unsigned long"},
	{"fNBytesFooter", "", T_ULONG, 8, "unsigned long"},
	{"fLenFooter", "", T_ULONG, 8, "unsigned long"},
	{"fMaxKeySize", "", T_ULONG, 8, "unsigned long"},
	END,
};

static const struct class_info classes[] = {
	{"TObject", 0x901BC02Du, 1, object_elements},
	{"TString", 0x00017419u, 2, string_elements},
	{"TNamed", 0xDFB74A3Cu, 1, named_elements},
	{"TCollection", 0x57E3CB9Cu, 3, collection_elements},
	{"TSeqCollection", 0xFC6C3BC6u, 0, seq_elements},
	{"TObjArray", 0xA99E6552u, 3, array_elements},
	{"TList", 0x69C5C3BBu, 5, list_elements},
	{"TAttLine", 0x94074549u, 2, line_elements},
	{"TAttFill", 0xFFD92A92u, 2, fill_elements},
	{"TAttMarker", 0x291D8BECu, 2, marker_elements},
	{"ROOT::TIOFeatures", 0x1AA12F10u, 1, features_elements},
	{"TLeaf", 0x6D1E8152u, 2, leaf_elements},
	{"TLeafB", 0x0F1E4B5Eu, 1, leaf_b},
	{"TLeafS", 0x150CEECFu, 1, leaf_s},
	{"TLeafI", 0x7E6AAE19u, 1, leaf_i},
	{"TLeafL", 0xDE320862u, 1, leaf_l},
	{"TLeafF", 0x3ADD9D72u, 1, leaf_f},
	{"TLeafD", 0x118E8776u, 1, leaf_d},
	{"TLeafC", 0xFBE3B2F3u, 1, leaf_c},
	{"TLeafO", 0x02AE48D3u, 1, leaf_o},
	{"TBranch", 0x10978AACu, 13, branch_elements},
	{"TRefTable", 0x8C895B85u, 3, ref_table_elements},
	{"TBranchRef", 0x2360B3FDu, 1, branch_ref_elements},
	{"TTree", 0x7264E07Fu, 20, tree_elements},
	{"ROOT::RNTuple", 0x28E632ECu, 2, ntuple_elements},
};

#define CLASS_COUNT (sizeof(classes) / sizeof(classes[0]))

static const struct class_info *find_class(const char *name)
{
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (strcmp(classes[i].name, name) == 0)
			return &classes[i];
	abort(); /* the table above is not whole */
}

/* --- envelopes ---------------------------------------------------------------------------------------------------- */

size_t streamer_begin(struct bytes *out, uint16_t version)
{
	size_t begin = out->count;

	bytes_be32(out, 0);
	bytes_be16(out, version);
	return begin;
}

size_t streamer_begin_pointer(struct bytes *out, const char *class_name)
{
	size_t begin = out->count;

	bytes_be32(out, 0);
	bytes_be32(out, NEW_CLASS);
	bytes_put(out, class_name, strlen(class_name) + 1);
	return begin;
}

void streamer_end(struct bytes *out, size_t begin)
{
	if (!out->is_short)
		bytes_set_be32(out->data + begin, BYTE_COUNT | (uint32_t)(out->count - begin - 4));
}

void streamer_put_object(struct bytes *out, uint32_t bits)
{
	bytes_be16(out, 1);
	bytes_be32(out, 0);
	bytes_be32(out, bits);
}

void streamer_put_named(struct bytes *out, uint32_t bits, const char *name, const char *title)
{
	size_t begin = streamer_begin(out, 1);

	streamer_put_object(out, bits);
	bytes_be_string(out, name);
	bytes_be_string(out, title);
	streamer_end(out, begin);
}

/* --- descriptions ------------------------------------------------------------------------------------------------- */

static const char *element_class(const struct element *element, uint16_t *ret_version)
{
	*ret_version = 2;
	if (!element->type_name) {
		*ret_version = 3;
		return "TStreamerBase";
	}
	switch (element->type) {
	case T_INT_ARRAY:
	case T_LONG64_ARRAY:
		return "TStreamerBasicPointer";
	case T_OBJECT:
		return "TStreamerObject";
	case T_ANY:
		return "TStreamerObjectAny";
	case T_POINTER:
		return "TStreamerObjectPointer";
	case T_STRING:
		return "TStreamerString";
	case T_STL:
		*ret_version = 3;
		return "TStreamerSTL";
	default:
		return "TStreamerBasicType";
	}
}

/* What an element's class has beside TStreamerElement. */
static void put_element_rest(struct bytes *out, const struct class_info *info, const struct element *element)
{
	char count_name[64];
	size_t length;

	if (!element->type_name) {
		bytes_be32(out, (uint32_t)find_class(element->name)->version);
	} else if (element->type == T_INT_ARRAY || element->type == T_LONG64_ARRAY) {
		length = strlen(element->title) - 2; /* without the brackets */
		memcpy(count_name, element->title + 1, length);
		count_name[length] = '\0';
		bytes_be32(out, (uint32_t)info->version);
		bytes_be_string(out, count_name);
		bytes_be_string(out, info->name);
	} else if (element->type == T_STL) {
		bytes_be32(out, 1);   /* a vector … */
		bytes_be32(out, 365); /* … of strings */
	}
}

static void put_element(struct bytes *out, const struct class_info *info, const struct element *element)
{
	uint16_t version;
	size_t pointer = streamer_begin_pointer(out, element_class(element, &version));
	size_t outer = streamer_begin(out, version), inner = streamer_begin(out, 4);

	streamer_put_named(out, STREAMER_BITS, element->name, element->title);
	bytes_be32(out, (uint32_t)element->type);
	bytes_be32(out, (uint32_t)element->bytes);
	bytes_zero(out, 8); /* no array */
	bytes_be32(out, 0);
	bytes_be32(out, element->type_name ? 0 : find_class(element->name)->sum);
	bytes_zero(out, 12);
	bytes_be_string(out, element->type_name ? element->type_name : "BASE");
	streamer_end(out, inner);
	put_element_rest(out, info, element);
	streamer_end(out, outer);
	streamer_end(out, pointer);
}

static void put_info(struct bytes *out, const struct class_info *info)
{
	size_t pointer = streamer_begin_pointer(out, "TStreamerInfo"), outer = streamer_begin(out, 9);
	uint32_t count = 0;

	while (info->elements[count].name)
		count++;
	streamer_put_named(out, STREAMER_BITS | 0x10000u, info->name, "");
	bytes_be32(out, info->sum);
	bytes_be32(out, (uint32_t)info->version);
	size_t array_pointer = streamer_begin_pointer(out, "TObjArray"), array = streamer_begin(out, 3);
	streamer_put_object(out, 0x02000000u);
	bytes_be_string(out, "");
	bytes_be32(out, count);
	bytes_be32(out, 0); /* lower bound */
	for (uint32_t i = 0; i < count; i++)
		put_element(out, info, &info->elements[i]);
	streamer_end(out, array);
	streamer_end(out, array_pointer);
	streamer_end(out, outer);
	streamer_end(out, pointer);
}

void streamer_put_list(struct bytes *out)
{
	size_t begin = streamer_begin(out, 5);

	streamer_put_object(out, 0x02000000u);
	bytes_be_string(out, "");
	bytes_be32(out, CLASS_COUNT);
	for (size_t i = 0; i < CLASS_COUNT; i++) {
		put_info(out, &classes[i]);
		bytes_be8(out, 0); /* option */
	}
	streamer_end(out, begin);
}
