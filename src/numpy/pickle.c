/* pickle.c: see the header. In `enrgdaq cat` and `enrgdaq convert`; the bytes may be anything at all. Source: the
 * description of opcodes in Python's own documentation of the module pickletools. */
#include "numpy/pickle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numpy/opcode.h"

/* A dictionary of 4096 arrays has some ten thousand values. */
#define VALUES_MAX (1u << 20)
#define LINKS_MAX  (1u << 20)
#define STACK_MAX  65536u

static const struct {
	const char *module, *name;
	enum pickle_kind kind;
} known_names[] = {
	{"numpy._core.multiarray", "_reconstruct", PICKLE_ARRAY_MAKER},
	{"numpy.core.multiarray", "_reconstruct", PICKLE_ARRAY_MAKER},
	{"numpy", "ndarray", PICKLE_ARRAY_NAME},
	{"numpy", "dtype", PICKLE_TYPE_MAKER},
	{"numpy._core.multiarray", "scalar", PICKLE_SCALAR_MAKER},
	{"numpy.core.multiarray", "scalar", PICKLE_SCALAR_MAKER},
};

struct machine {
	struct pickle *pickle;
	const uint8_t *bytes;
	size_t count, at, opcode_at;
	uint64_t origin;
	uint32_t *stack, depth;
	uint32_t *memo, memo_count, memo_capacity; /* value 0 is none */
	struct enrg_error *err;
};

/* --- errors --- */

__attribute__((format(printf, 2, 3))) static int refuse(struct machine *machine, const char *format, ...)
{
	char reason[300];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	return enrg_error_set(machine->err, ENRG_E_CORRUPT,
		"opcode 0x%02x at byte %" PRIu64 " of the unpacked record: %s", machine->bytes[machine->opcode_at],
		machine->origin + machine->opcode_at, reason);
}

static int refuse_opcode(struct machine *machine, uint8_t opcode)
{
	const char *name = opcode_find_name(opcode);

	if (!name)
		return refuse(machine, "there is no such opcode");
	return refuse(machine, "%s; this does not belong to a dictionary of arrays", name);
}

static int out_of_memory(struct machine *machine)
{
	return enrg_error_set(machine->err, -ENOMEM, "out of memory");
}

/* --- values --- */

static int grow(struct machine *machine, void **array, uint32_t *capacity, uint32_t wanted, uint32_t most, size_t size)
{
	uint32_t larger = *capacity ? *capacity : 64;

	if (wanted <= *capacity)
		return 0;
	if (wanted > most)
		return refuse(machine, "more than %u values; this is no dictionary of arrays of numbers or text", most);
	while (larger < wanted)
		larger *= 2;
	void *grown = realloc(*array, larger * size);
	if (!grown)
		return out_of_memory(machine);
	memset((uint8_t *)grown + *capacity * size, 0, (larger - *capacity) * size);
	*array = grown;
	*capacity = larger;
	return 0;
}

static struct pickle_value *value_of(const struct machine *machine, uint32_t index)
{
	return &machine->pickle->values[index];
}

static int push_index(struct machine *machine, uint32_t index)
{
	if (machine->depth == STACK_MAX)
		return refuse(machine, "more than %u values on the stack", STACK_MAX);
	machine->stack[machine->depth++] = index;
	return 0;
}

static int push(struct machine *machine, const struct pickle_value *value)
{
	struct pickle *pickle = machine->pickle;
	void *values = pickle->values;
	int rc = grow(machine, &values, &pickle->value_capacity, pickle->value_count + 1, VALUES_MAX,
		sizeof(*pickle->values));

	pickle->values = values;
	if (rc < 0)
		return rc;
	pickle->values[pickle->value_count] = *value;
	return push_index(machine, pickle->value_count++);
}

static int push_kind(struct machine *machine, enum pickle_kind kind, int64_t integer)
{
	const struct pickle_value value = {.kind = kind, .integer = integer};

	return push(machine, &value);
}

/* Value 0 where the stack is empty or a mark lies on top. */
static uint32_t top(const struct machine *machine, uint32_t below)
{
	if (machine->depth <= below)
		return 0;
	for (uint32_t i = 0; i <= below; i++)
		if (value_of(machine, machine->stack[machine->depth - 1 - i])->kind == PICKLE_MARK)
			return 0;
	return machine->stack[machine->depth - 1 - below];
}

static int add_link(struct machine *machine, uint32_t owner, uint32_t item)
{
	struct pickle *pickle = machine->pickle;
	void *links = pickle->links;
	int rc = grow(
		machine, &links, &pickle->link_capacity, pickle->link_count + 1, LINKS_MAX, sizeof(*pickle->links));

	pickle->links = links;
	if (rc < 0)
		return rc;
	struct pickle_value *value = value_of(machine, owner);
	uint32_t link = pickle->link_count++;
	pickle->links[link] = (struct pickle_link){.value = item};
	if (value->link_count++ == 0)
		value->first_link = link;
	else
		pickle->links[value->last_link].next = link;
	value->last_link = link;
	return 0;
}

/* --- opcodes --- */

/* `count` more bytes at ret_bytes. */
static int take(struct machine *machine, uint64_t count, const uint8_t **ret_bytes)
{
	if (count > machine->count - machine->at)
		return refuse(machine, "the record ends inside it");
	*ret_bytes = machine->bytes + machine->at;
	machine->at += (size_t)count;
	return 0;
}

/* A little-endian number of `width` bytes. */
static int take_number(struct machine *machine, uint32_t width, uint64_t *ret_number)
{
	const uint8_t *bytes = NULL;
	int rc = take(machine, width, &bytes);

	*ret_number = 0;
	for (uint32_t i = 0; rc == 0 && i < width; i++)
		*ret_number |= (uint64_t)bytes[i] << (8 * i);
	return rc;
}

static int push_number(struct machine *machine, uint32_t width)
{
	uint64_t number;
	int rc = take_number(machine, width, &number);

	if (rc < 0)
		return rc;
	return push_kind(machine, PICKLE_INTEGER, width == 4 ? (int32_t)number : (int64_t)number);
}

/* Signed, of as many bytes as it needs; more than eight are no length. */
static int push_long(struct machine *machine)
{
	uint64_t width, number = 0;
	int rc = take_number(machine, 1, &width);

	if (rc == 0 && width > 8)
		return refuse(machine, "an integer of more than eight bytes");
	if (rc == 0)
		rc = take_number(machine, (uint32_t)width, &number);
	if (rc < 0)
		return rc;
	if (width > 0 && width < 8 && number >> (8 * width - 1))
		number |= UINT64_MAX << (8 * width);
	return push_kind(machine, PICKLE_INTEGER, (int64_t)number);
}

static int push_bytes(struct machine *machine, enum pickle_kind kind, uint32_t width)
{
	struct pickle_value value = {.kind = kind};
	int rc = take_number(machine, width, &value.byte_count);

	if (rc == 0)
		rc = take(machine, value.byte_count, &value.bytes);
	return rc < 0 ? rc : push(machine, &value);
}

static int push_float(struct machine *machine)
{
	uint64_t ignored;
	int rc = take_number(machine, 8, &ignored);

	return rc < 0 ? rc : push_kind(machine, PICKLE_FLOAT, 0);
}

static int push_tuple(struct machine *machine, uint32_t count)
{
	const struct pickle_value tuple = {.kind = PICKLE_TUPLE};
	uint32_t first = machine->depth - count;

	if (count > machine->depth || (count && !top(machine, count - 1)))
		return refuse(machine, "a tuple of values that are not there");
	int rc = push(machine, &tuple);
	uint32_t made = rc == 0 ? machine->stack[machine->depth - 1] : 0;
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = add_link(machine, made, machine->stack[first + i]);
	machine->depth = first;
	return rc < 0 ? rc : push_index(machine, made);
}

/* How many values lie over the last mark. */
static int count_to_mark(struct machine *machine, uint32_t *ret_count)
{
	for (uint32_t count = 0; count < machine->depth; count++) {
		if (value_of(machine, machine->stack[machine->depth - 1 - count])->kind != PICKLE_MARK)
			continue;
		*ret_count = count;
		return 0;
	}
	return refuse(machine, "no mark is there");
}

static int push_marked_tuple(struct machine *machine)
{
	uint32_t count = 0;
	int rc = count_to_mark(machine, &count);

	if (rc == 0)
		rc = push_tuple(machine, count);
	if (rc < 0)
		return rc;
	/* The mark lies under the tuple. */
	machine->stack[machine->depth - 2] = machine->stack[machine->depth - 1];
	machine->depth--;
	return 0;
}

/* `count` values on top go into the list or dict below them (and below a mark). */
static int append(struct machine *machine, enum pickle_kind kind, uint32_t count, bool has_mark)
{
	uint32_t under = count + (has_mark ? 1 : 0);

	if (machine->depth <= under || (count && !top(machine, count - 1)))
		return refuse(machine, "nothing is there to add to");
	uint32_t owner = machine->stack[machine->depth - 1 - under];
	if (value_of(machine, owner)->kind != kind || (kind == PICKLE_DICT && count % 2))
		return refuse(machine, "nothing is there to add to");
	int rc = 0;
	for (uint32_t i = 0; rc == 0 && i < count; i++)
		rc = add_link(machine, owner, machine->stack[machine->depth - count + i]);
	machine->depth -= under;
	return rc;
}

static int append_marked(struct machine *machine, enum pickle_kind kind)
{
	uint32_t count = 0;
	int rc = count_to_mark(machine, &count);

	return rc < 0 ? rc : append(machine, kind, count, true);
}

/* --- names and calls --- */

static bool is_text(const uint8_t *bytes, uint64_t count, const char *text)
{
	return count == strlen(text) && !memcmp(bytes, text, (size_t)count);
}

/* At most 60 bytes of what stands there, with dots for what is not plain. */
static const char *show(char *buffer, const uint8_t *bytes, uint64_t count)
{
	size_t shown = count < 60 ? (size_t)count : 60;

	for (size_t i = 0; i < shown; i++)
		buffer[i] = (char)(bytes[i] > 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
	buffer[shown] = '\0';
	return buffer;
}

static int push_name(
	struct machine *machine, const uint8_t *module, uint64_t module_bytes, const uint8_t *name, uint64_t name_bytes)
{
	char shown_module[64], shown_name[64];

	for (size_t i = 0; i < sizeof(known_names) / sizeof(known_names[0]); i++)
		if (is_text(module, module_bytes, known_names[i].module) &&
			is_text(name, name_bytes, known_names[i].name))
			return push_kind(machine, known_names[i].kind, 0);
	return refuse(machine,
		"it wants %s.%s, which does not belong to a dictionary of arrays of numbers or text; nothing was "
		"executed",
		show(shown_module, module, module_bytes), show(shown_name, name, name_bytes));
}

static int take_line(struct machine *machine, const uint8_t **ret_line, uint64_t *ret_bytes)
{
	const uint8_t *start = machine->bytes + machine->at;
	const uint8_t *end = memchr(start, '\n', machine->count - machine->at);

	if (!end)
		return refuse(machine, "the record ends inside it");
	*ret_line = start;
	*ret_bytes = (uint64_t)(end - start);
	machine->at += (size_t)(end - start) + 1;
	return 0;
}

static int push_named(struct machine *machine)
{
	const uint8_t *module = NULL, *name = NULL;
	uint64_t module_bytes = 0, name_bytes = 0;
	int rc = take_line(machine, &module, &module_bytes);

	if (rc == 0)
		rc = take_line(machine, &name, &name_bytes);
	return rc < 0 ? rc : push_name(machine, module, module_bytes, name, name_bytes);
}

static int push_stack_named(struct machine *machine)
{
	const struct pickle_value *name = value_of(machine, top(machine, 0));
	const struct pickle_value *module = value_of(machine, top(machine, 1));

	if (name->kind != PICKLE_TEXT || module->kind != PICKLE_TEXT)
		return refuse(machine, "a name that is no text");
	machine->depth -= 2;
	return push_name(machine, module->bytes, module->byte_count, name->bytes, name->byte_count);
}

/* A type and the bytes of one value. */
static bool is_scalar(
	const struct pickle *pickle, const struct pickle_value *maker, const struct pickle_value *arguments)
{
	return maker->kind == PICKLE_SCALAR_MAKER && arguments->kind == PICKLE_TUPLE && arguments->link_count == 2 &&
	       pickle_item(pickle, arguments, 0)->kind == PICKLE_TYPE &&
	       pickle_item(pickle, arguments, 1)->kind == PICKLE_BYTES;
}

/* A single value, or an array or a type that waits to be built. */
static int call(struct machine *machine)
{
	const struct pickle *pickle = machine->pickle;
	const struct pickle_value *arguments = value_of(machine, top(machine, 0));
	const struct pickle_value *maker = value_of(machine, top(machine, 1));
	struct pickle_value made = {.kind = PICKLE_ARRAY};
	const struct pickle_value *first = pickle_item(pickle, arguments, 0);

	if (is_scalar(pickle, maker, arguments)) {
		machine->depth -= 2;
		return push_kind(machine, PICKLE_SCALAR, 0);
	}
	if (arguments->kind != PICKLE_TUPLE || arguments->link_count != 3)
		return refuse(machine, "a call that makes neither an array nor its type; nothing was executed");
	if (maker->kind == PICKLE_TYPE_MAKER && first->kind == PICKLE_TEXT) {
		made.kind = PICKLE_TYPE;
		made.bytes = first->bytes;
		made.byte_count = first->byte_count;
	} else if (maker->kind != PICKLE_ARRAY_MAKER || first->kind != PICKLE_ARRAY_NAME) {
		return refuse(machine, "a call that makes neither an array nor its type; nothing was executed");
	}
	machine->depth -= 2;
	return push(machine, &made);
}

static int build(struct machine *machine)
{
	uint32_t state = top(machine, 0);
	struct pickle_value *built = value_of(machine, top(machine, 1));

	if ((built->kind != PICKLE_ARRAY && built->kind != PICKLE_TYPE) || built->state ||
		value_of(machine, state)->kind != PICKLE_TUPLE)
		return refuse(machine, "neither an array nor its type is there to build");
	built->state = state;
	machine->depth--;
	return 0;
}

/* --- memory of values --- */

static int put(struct machine *machine, uint64_t index)
{
	void *memo = machine->memo;
	uint32_t value = top(machine, 0);

	if (!value || index >= VALUES_MAX)
		return refuse(machine, "nothing is there to remember");
	int rc = grow(machine, &memo, &machine->memo_capacity, (uint32_t)index + 1, VALUES_MAX, sizeof(*machine->memo));
	machine->memo = memo;
	if (rc < 0)
		return rc;
	machine->memo[index] = value;
	if (index >= machine->memo_count)
		machine->memo_count = (uint32_t)index + 1;
	return 0;
}

static int put_numbered(struct machine *machine, uint32_t width)
{
	uint64_t index;
	int rc = take_number(machine, width, &index);

	return rc < 0 ? rc : put(machine, index);
}

static int get(struct machine *machine, uint32_t width)
{
	uint64_t index;
	int rc = take_number(machine, width, &index);

	if (rc < 0)
		return rc;
	if (index >= machine->memo_count || !machine->memo[index])
		return refuse(machine, "it wants a value that was not remembered");
	return push_index(machine, machine->memo[index]);
}

static int start(struct machine *machine)
{
	uint64_t protocol;
	int rc = take_number(machine, 1, &protocol);

	if (rc == 0 && (protocol < 3 || protocol > 4))
		return refuse(machine, "pickle protocol %" PRIu64 "; NumPy writes 3 and 4", protocol);
	return rc;
}

/* --- the machine --- */

static int run_value(struct machine *machine, uint8_t opcode)
{
	switch (opcode) {
	case OP_MARK:
		return push_kind(machine, PICKLE_MARK, 0);
	case OP_NONE:
		return push_kind(machine, PICKLE_NONE, 0);
	case OP_TRUE:
	case OP_FALSE:
		return push_kind(machine, PICKLE_BOOL, opcode == OP_TRUE);
	case OP_INTEGER_1:
		return push_number(machine, 1);
	case OP_INTEGER_2:
		return push_number(machine, 2);
	case OP_INTEGER_4:
		return push_number(machine, 4);
	case OP_FLOAT_8:
		return push_float(machine);
	case OP_LONG:
		return push_long(machine);
	case OP_TEXT_1:
		return push_bytes(machine, PICKLE_TEXT, 1);
	case OP_TEXT_4:
		return push_bytes(machine, PICKLE_TEXT, 4);
	case OP_TEXT_8:
		return push_bytes(machine, PICKLE_TEXT, 8);
	case OP_BYTES_1:
		return push_bytes(machine, PICKLE_BYTES, 1);
	case OP_BYTES_4:
		return push_bytes(machine, PICKLE_BYTES, 4);
	case OP_BYTES_8:
		return push_bytes(machine, PICKLE_BYTES, 8);
	case OP_EMPTY_LIST:
		return push_kind(machine, PICKLE_LIST, 0);
	case OP_EMPTY_DICT:
		return push_kind(machine, PICKLE_DICT, 0);
	default:
		return refuse_opcode(machine, opcode);
	}
}

static int run(struct machine *machine, uint8_t opcode)
{
	uint64_t ignored;

	switch (opcode) {
	case OP_PROTOCOL:
		return start(machine);
	case OP_FRAME:
		return take_number(machine, 8, &ignored);
	case OP_EMPTY_TUPLE:
		return push_tuple(machine, 0);
	case OP_TUPLE_1:
	case OP_TUPLE_2:
	case OP_TUPLE_3:
		return push_tuple(machine, opcode - OP_TUPLE_1 + 1u);
	case OP_TUPLE:
		return push_marked_tuple(machine);
	case OP_APPEND:
		return append(machine, PICKLE_LIST, 1, false);
	case OP_APPEND_ALL:
		return append_marked(machine, PICKLE_LIST);
	case OP_SET:
		return append(machine, PICKLE_DICT, 2, false);
	case OP_SET_ALL:
		return append_marked(machine, PICKLE_DICT);
	case OP_NAME:
		return push_named(machine);
	case OP_STACK_NAME:
		return push_stack_named(machine);
	case OP_CALL:
		return call(machine);
	case OP_BUILD:
		return build(machine);
	case OP_PUT:
		return put(machine, machine->memo_count);
	case OP_PUT_1:
		return put_numbered(machine, 1);
	case OP_PUT_4:
		return put_numbered(machine, 4);
	case OP_GET_1:
		return get(machine, 1);
	case OP_GET_4:
		return get(machine, 4);
	default:
		return run_value(machine, opcode);
	}
}

static int run_all(struct machine *machine)
{
	while (machine->at < machine->count) {
		uint8_t opcode = machine->bytes[machine->at];

		machine->opcode_at = machine->at++;
		if (machine->opcode_at == 0 && opcode != OP_PROTOCOL)
			return refuse(machine, "no pickle starts here");
		if (opcode == OP_STOP) {
			machine->pickle->root = top(machine, 0);
			if (machine->depth != 1 || !machine->pickle->root)
				return refuse(machine, "the pickle does not end with one value");
			if (machine->at != machine->count)
				return refuse(machine, "something stands behind the end of the pickle");
			return 0;
		}
		int rc = run(machine, opcode);
		if (rc < 0)
			return rc;
	}
	return enrg_error_set(machine->err, ENRG_E_CORRUPT, "the record ends before its pickle does");
}

int pickle_init(struct pickle *pickle, const void *bytes, size_t count, uint64_t origin, struct enrg_error *err)
{
	struct machine machine = {.pickle = pickle, .bytes = bytes, .count = count, .origin = origin, .err = err};

	*pickle = (struct pickle){.value_count = 1, .value_capacity = 64, .link_count = 1, .link_capacity = 64};
	pickle->values = calloc(pickle->value_capacity, sizeof(*pickle->values));
	pickle->links = calloc(pickle->link_capacity, sizeof(*pickle->links));
	machine.stack = malloc(STACK_MAX * sizeof(*machine.stack));
	int rc = pickle->values && pickle->links && machine.stack ? run_all(&machine) : out_of_memory(&machine);
	free(machine.stack);
	free(machine.memo);
	if (rc < 0)
		pickle_fini(pickle);
	return rc;
}

void pickle_fini(struct pickle *pickle)
{
	free(pickle->values);
	free(pickle->links);
	*pickle = (struct pickle){0};
}

const struct pickle_value *pickle_item(const struct pickle *pickle, const struct pickle_value *value, uint32_t index)
{
	if (index >= value->link_count)
		return &pickle->values[0];
	uint32_t link = value->first_link;
	while (index--)
		link = pickle->links[link].next;
	return &pickle->values[pickle->links[link].value];
}
