/* toml_shim.cpp: TOML text to a tree of C nodes, the only C++ file. Used by the supervisor, every job process and the
 * command line, on their main threads. toml++ is compiled in here without exceptions (the shared library of the
 * distribution has them), so that an error is a value and nothing unwinds into C.
 *
 * toml++ keeps tables sorted by key and knows no bound for dotted keys: children are sorted back into the order of the
 * file here, and the text is screened before the parse. The screen refuses keys so deep that freeing the tree would
 * overrun the stack. It also keeps away from toml++ what some releases declare impossible, which would be undefined
 * behaviour: that a character such as ü (from U+00A1 to U+0499, and some others) is asked whether it is white space.
 * This happens outside strings and comments, where TOML allows no such character, and after a backslash at the end of a
 * line, where the screen writes it as an escape sequence.
 */
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY           1
#define TOML_EXCEPTIONS            0
#define TOML_MAX_NESTED_VALUES     32
#define TOML_ENABLE_FORMATTERS     0
#define TOML_ENABLE_WINDOWS_COMPAT 0
/* A slip in a file trips assertions though the code behind them reports an error: they may neither end the process nor
 * be taken for granted by the compiler, which NDEBUG would ask for. */
#undef NDEBUG
#define TOML_ASSERT(condition) static_assert(true)
#include <toml++/toml.h>

#include "enrgdaq/error.h"
#include "config/toml.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace
{

constexpr size_t bytes_max = 16u << 20;
constexpr int depth_max = 32;

struct parse {
	const char *name;
	std::string_view bytes;
	std::vector<size_t> line_starts; /* byte offset of each line */
	struct enrg_error *err;
};

bool is_ascii(char c)
{
	return static_cast<unsigned char>(c) < 0x80;
}

/* Walks over the text as a TOML lexer would, so that dots in strings and comments do not count. */
class screen
{
      public:
	explicit screen(std::string_view text) : text_(text)
	{
	}

	/* The line of what is refused, or 0: passed() is what toml++ may read. */
	int find_refused()
	{
		int dots = 0;

		if (text_.substr(0, 3) == "\xef\xbb\xbf")
			at_ = 3; /* a byte order mark */
		while (at_ < text_.size()) {
			char c = text_[at_];
			if (!is_ascii(c)) {
				refuse(text_.substr(0, 2) == "\xff\xfe" || text_.substr(0, 2) == "\xfe\xff"
						? "the file is UTF-16 text: save it as UTF-8"
						: "a key or value that is not plain ASCII must stand in quotes");
			} else if (c == '"' || c == '\'') {
				if (at_ && !std::strchr("\n\r\t =,[{.\xbf", text_[at_ - 1]))
					refuse("a quote in the middle of a word");
				else
					pass_string(c);
			} else if (c == '#') {
				at_ = std::min(text_.find('\n', at_), text_.size());
			} else {
				if (c == '.')
					dots++;
				else if (std::strchr("\n=,[]{}", c) && c)
					dots = 0;
				if (dots >= depth_max)
					refuse("a key of more than 32 parts");
				step();
			}
			if (reason_)
				return line_;
		}
		passed_.append(text_.substr(copied_));
		return 0;
	}

	const char *reason() const
	{
		return reason_;
	}

	const std::string &passed() const
	{
		return passed_;
	}

      private:
	static_assert(depth_max == 32, "the sentence above says so");

	void refuse(const char *reason)
	{
		reason_ = reason;
	}

	void step()
	{
		if (text_[at_] == '\n')
			line_++;
		at_++;
	}

	void pass_string(char quote)
	{
		const char three[] = {quote, quote, quote, 0};
		bool is_long = text_.compare(at_, 3, three) == 0;

		at_ += is_long ? 3 : 1;
		while (at_ < text_.size() && !reason_) {
			if (text_[at_] == '\\' && quote == '"') {
				pass_escape(is_long);
			} else if (is_long && text_.compare(at_, 3, three) == 0) {
				at_ += 3;
				/* up to two more quotes belong to the string and stand before its end */
				while (at_ < text_.size() && text_[at_] == quote)
					at_++;
				return;
			} else if (!is_long && (text_[at_] == quote || text_[at_] == '\n')) {
				at_ += text_[at_] == quote;
				return;
			} else {
				step();
			}
		}
	}

	/* A backslash and what it means. In a long string one at the end of a line removes all white space behind it.
	 */
	void pass_escape(bool is_long)
	{
		step();
		size_t begin = at_;
		bool is_next_line = false;
		while (is_long && at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) && text_[at_]) {
			is_next_line |= text_[at_] == '\n';
			step();
		}
		if (at_ >= text_.size())
			return;
		if (!is_next_line && !is_ascii(text_[at_]))
			refuse("a backslash before a character that needs none");
		else if (is_next_line && !is_ascii(text_[at_]))
			escape();
		else if (at_ == begin)
			step();
	}

	/* The character at at_ as an escape sequence; as it is where it is not UTF-8, which toml++ reports. */
	void escape()
	{
		static const uint32_t least[] = {0x80, 0x800, 0x10000};
		unsigned char first = static_cast<unsigned char>(text_[at_]);
		size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
		uint32_t code = first & (0x3fu >> more);
		char text[16];

		if (first < 0xc0 || first >= 0xf8 || text_.size() - at_ <= more)
			return step();
		for (size_t i = 1; i <= more; i++) {
			unsigned char c = static_cast<unsigned char>(text_[at_ + i]);
			if ((c & 0xc0) != 0x80)
				return step();
			code = code << 6 | (c & 0x3fu);
		}
		if (code < least[more - 1])
			return step();
		snprintf(text, sizeof(text), "\\U%08X", code);
		passed_.append(text_.substr(copied_, at_ - copied_)).append(text);
		at_ += more + 1;
		copied_ = at_;
	}

	std::string_view text_;
	std::string passed_;
	const char *reason_ = nullptr;
	size_t at_ = 0, copied_ = 0; /* what stands before copied_ is in passed_ */
	int line_ = 1;
};

char *copy_text(std::string_view text)
{
	char *copy = static_cast<char *>(malloc(text.size() + 1));

	if (copy) {
		memcpy(copy, text.data(), text.size());
		copy[text.size()] = 0;
	}
	return copy;
}

/* The date as it stands in the file: from its position to the first byte that can't belong to one. */
std::string_view date_text(const parse &context, const toml::source_position &begin)
{
	std::string_view bytes = context.bytes;
	size_t line = begin.line;

	if (!line || line > context.line_starts.size())
		return {};
	size_t at = context.line_starts[line - 1];
	for (size_t column = 1; column < begin.column && at < bytes.size(); column++) {
		at++;
		while (at < bytes.size() && (static_cast<unsigned char>(bytes[at]) & 0xc0) == 0x80)
			at++; /* columns count characters */
	}
	size_t end = std::min(bytes.find_first_not_of("0123456789-+:.TtZz ", at), bytes.size());
	while (end > at && bytes[end - 1] == ' ')
		end--;
	return bytes.substr(std::min(at, bytes.size()), end - at);
}

struct child {
	const toml::key *key;
	const toml::node *node;
};

bool stands_before(const child &a, const child &b)
{
	const toml::source_position &x = a.key->source().begin, &y = b.key->source().begin;

	return x.line != y.line ? x.line < y.line : x.column < y.column;
}

int convert(const parse &context, const toml::key *key, const toml::node &from, int depth, struct toml_node *ret);

int convert_children(const parse &context, const std::vector<child> &children, int depth, struct toml_node *ret)
{
	if (children.empty())
		return 0;
	ret->children = static_cast<struct toml_node *>(calloc(children.size(), sizeof(*ret->children)));
	if (!ret->children)
		return enrg_error_set(context.err, -ENOMEM, "%s: out of memory", context.name);
	ret->count = children.size(); /* zeroed nodes can be freed */
	for (size_t i = 0; i < children.size(); i++) {
		int result = convert(context, children[i].key, *children[i].node, depth + 1, &ret->children[i]);
		if (result)
			return result;
	}
	return 0;
}

int convert_value(const parse &context, const toml::node &from, int depth, struct toml_node *ret)
{
	std::vector<child> children;

	switch (from.type()) {
	case toml::node_type::table:
		ret->kind = TOML_TABLE;
		for (auto &&[name, node] : *from.as_table())
			children.push_back({&name, &node});
		std::stable_sort(children.begin(), children.end(), stands_before);
		return convert_children(context, children, depth, ret);
	case toml::node_type::array:
		ret->kind = TOML_ARRAY;
		for (auto &&node : *from.as_array())
			children.push_back({nullptr, &node});
		return convert_children(context, children, depth, ret);
	case toml::node_type::integer:
		ret->kind = TOML_INTEGER;
		ret->integer = from.as_integer()->get();
		ret->number = static_cast<double>(ret->integer);
		return 0;
	case toml::node_type::floating_point:
		ret->kind = TOML_FLOAT;
		ret->number = from.as_floating_point()->get();
		return 0;
	case toml::node_type::boolean:
		ret->kind = TOML_BOOLEAN;
		ret->boolean = from.as_boolean()->get();
		return 0;
	default:
		break;
	}
	std::string_view text =
		from.is_string() ? std::string_view(from.as_string()->get()) : date_text(context, from.source().begin);
	ret->kind = from.is_string() ? TOML_STRING : TOML_DATE;
	ret->text = copy_text(text);
	ret->text_bytes = text.size();
	return ret->text ? 0 : enrg_error_set(context.err, -ENOMEM, "%s: out of memory", context.name);
}

int convert(const parse &context, const toml::key *key, const toml::node &from, int depth, struct toml_node *ret)
{
	ret->line = static_cast<int>(from.source().begin.line);
	ret->column = static_cast<int>(from.source().begin.column);
	if (key) {
		ret->key_line = static_cast<int>(key->source().begin.line);
		if (!ret->line) { /* a table that only exists as part of a dotted key */
			ret->line = ret->key_line;
			ret->column = static_cast<int>(key->source().begin.column);
		}
		if (key->str().find('\0') != std::string_view::npos)
			return enrg_error_set(context.err, ENRG_E_CONFIG, "%s:%d: a key holds a NUL character",
				context.name, ret->key_line);
		ret->key = copy_text(key->str());
		if (!ret->key)
			return enrg_error_set(context.err, -ENOMEM, "%s: out of memory", context.name);
	}
	if (depth > depth_max)
		return enrg_error_set(context.err, ENRG_E_CONFIG, "%s:%d: values are nested deeper than %d levels",
			context.name, ret->line, depth_max);
	return convert_value(context, from, depth, ret);
}

void fini_node(struct toml_node *node)
{
	for (size_t i = 0; i < node->count; i++)
		fini_node(&node->children[i]);
	free(node->children);
	free(const_cast<char *>(node->key));
	free(const_cast<char *>(node->text));
}

} // namespace

extern "C" int toml_parse(
	const char *name, const char *bytes, size_t count, struct toml_node **ret_root, struct enrg_error *err)
{
	parse context = {name, std::string_view(bytes, count), {0}, err};

	if (count > bytes_max)
		return enrg_error_set(err, ENRG_E_CONFIG, "%s:1: the file is larger than 16 MiB", name);
	screen screen(context.bytes);
	int line = screen.find_refused();
	if (line)
		return enrg_error_set(err, ENRG_E_CONFIG, "%s:%d: not valid TOML: %s", name, line, screen.reason());
	context.bytes = screen.passed(); /* positions are those in it */
	toml::parse_result result = toml::parse(context.bytes);
	if (!result) {
		std::string_view what = result.error().description();
		return enrg_error_set(err, ENRG_E_CONFIG, "%s:%d: not valid TOML: %.*s", name,
			static_cast<int>(std::max(result.error().source().begin.line, 1u)),
			static_cast<int>(std::min<size_t>(what.size(), 600)), what.data());
	}
	for (size_t at = context.bytes.find('\n'); at != std::string_view::npos; at = context.bytes.find('\n', at + 1))
		context.line_starts.push_back(at + 1);
	struct toml_node *root = static_cast<struct toml_node *>(calloc(1, sizeof(*root)));
	if (!root)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", name);
	int code = convert(context, nullptr, result.table(), 0, root);
	root->line = root->column = 1;
	if (code) {
		toml_free(root);
		return code;
	}
	*ret_root = root;
	return 0;
}

extern "C" void toml_free(struct toml_node *root)
{
	if (!root)
		return;
	fini_node(root);
	free(root);
}

extern "C" const struct toml_node *toml_find(const struct toml_node *table, const char *key)
{
	if (!table || table->kind != TOML_TABLE)
		return nullptr;
	for (size_t i = 0; i < table->count; i++)
		if (!strcmp(table->children[i].key, key))
			return &table->children[i];
	return nullptr;
}
