/* streamer.c: see the header. Names, versions and check sums of members are facts of the format, as ROOT 6 has them.
 * One thread. */
#include "rootio/streamer.h"

#include <stdlib.h>
#include <string.h>

#define BYTE_COUNT 0x40000000u
#define NEW_CLASS  0xFFFFFFFFu

const struct streamer_element streamer_object[] = {
	{"fUniqueID", "", T_UINT, 4, "unsigned int"}, {"fBits", "", T_BITS, 4, "unsigned int"}, STREAMER_END};
const struct streamer_element streamer_named[] = {STREAMER_BASE("TObject", T_TOBJECT),
	{"fName", "", T_STRING, 24, "TString"}, {"fTitle", "", T_STRING, 24, "TString"}, STREAMER_END};
const struct streamer_element streamer_string[] = {STREAMER_END};
const struct streamer_element streamer_collection[] = {STREAMER_BASE("TObject", T_TOBJECT),
	{"fName", "", T_STRING, 24, "TString"}, {"fSize", "", T_INT, 4, "int"}, STREAMER_END};
const struct streamer_element streamer_seq_collection[] = {STREAMER_BASE("TCollection", T_BASE), STREAMER_END};
const struct streamer_element streamer_list[] = {STREAMER_BASE("TSeqCollection", T_BASE), STREAMER_END};
const struct streamer_element streamer_line[] = {{"fLineColor", "", T_SHORT, 2, "short"},
	{"fLineStyle", "", T_SHORT, 2, "short"}, {"fLineWidth", "", T_SHORT, 2, "short"}, STREAMER_END};
const struct streamer_element streamer_fill[] = {
	{"fFillColor", "", T_SHORT, 2, "short"}, {"fFillStyle", "", T_SHORT, 2, "short"}, STREAMER_END};
const struct streamer_element streamer_marker[] = {{"fMarkerColor", "", T_SHORT, 2, "short"},
	{"fMarkerStyle", "", T_SHORT, 2, "short"}, {"fMarkerSize", "", T_FLOAT, 4, "float"}, STREAMER_END};

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

struct list {
	const struct streamer_class *classes;
	size_t count;
};

static const struct streamer_class *find_class(const struct list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->classes[i].name, name) == 0)
			return &list->classes[i];
	abort(); /* the table is not whole */
}

static bool is_array(const struct streamer_element *element)
{
	return element->type == T_INT_ARRAY || element->type == T_DOUBLE_ARRAY || element->type == T_LONG64_ARRAY;
}

static const char *element_class(const struct streamer_element *element, uint16_t *ret_version)
{
	*ret_version = 2;
	if (!element->type_name) {
		*ret_version = 3;
		return "TStreamerBase";
	}
	switch (element->type) {
	case T_INT_ARRAY:
	case T_DOUBLE_ARRAY:
	case T_LONG64_ARRAY:
		return "TStreamerBasicPointer";
	case T_OBJECT:
		return "TStreamerObject";
	case T_ANY:
		return "TStreamerObjectAny";
	case T_OWNED:
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
static void put_element_rest(struct bytes *out, const struct list *list, const struct streamer_class *info,
	const struct streamer_element *element)
{
	char count_name[64];
	size_t length;

	if (!element->type_name) {
		bytes_be32(out, (uint32_t)find_class(list, element->name)->version);
	} else if (is_array(element)) {
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

static void put_element(struct bytes *out, const struct list *list, const struct streamer_class *info,
	const struct streamer_element *element)
{
	uint16_t version;
	size_t pointer = streamer_begin_pointer(out, element_class(element, &version));
	size_t outer = streamer_begin(out, version), inner = streamer_begin(out, 4);

	streamer_put_named(out, STREAMER_BITS, element->name, element->title);
	bytes_be32(out, (uint32_t)element->type);
	bytes_be32(out, (uint32_t)element->bytes);
	bytes_zero(out, 8); /* no array */
	bytes_be32(out, 0);
	bytes_be32(out, element->type_name ? 0 : find_class(list, element->name)->sum);
	bytes_zero(out, 12);
	bytes_be_string(out, element->type_name ? element->type_name : "BASE");
	streamer_end(out, inner);
	put_element_rest(out, list, info, element);
	streamer_end(out, outer);
	streamer_end(out, pointer);
}

static void put_info(struct bytes *out, const struct list *list, const struct streamer_class *info)
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
		put_element(out, list, info, &info->elements[i]);
	streamer_end(out, array);
	streamer_end(out, array_pointer);
	streamer_end(out, outer);
	streamer_end(out, pointer);
}

void streamer_put_list(struct bytes *out, const struct streamer_class *classes, size_t count)
{
	const struct list list = {classes, count};
	size_t begin = streamer_begin(out, 5);
	uint32_t described = 0;

	for (size_t i = 0; i < count; i++)
		described += classes[i].elements != NULL;
	streamer_put_object(out, 0x02000000u);
	bytes_be_string(out, "");
	bytes_be32(out, described);
	for (size_t i = 0; i < count; i++) {
		if (!classes[i].elements)
			continue;
		put_info(out, &list, &classes[i]);
		bytes_be8(out, 0); /* option */
	}
	streamer_end(out, begin);
}
