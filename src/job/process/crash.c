/* crash.c: the handler of a crash. It allocates nothing, takes no lock of ours and waits for nobody. Names come from
 * the symbol tables of the files, since most functions of a driver are static, which the loader does not know. */
#include "job/process/crash.h"

#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/log.h"

#define FRAMES_MAX  48
#define STACK_BYTES (128u << 10)

static const int watched[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static char stack[STACK_BYTES] __attribute__((aligned(16)));
static const char *volatile module_file;

/* --- names --- */

struct image { /* a file as it is mapped, and looked into with bounds */
	const uint8_t *bytes;
	size_t count;
};

static const void *image_part(const struct image *image, uint64_t offset, uint64_t count)
{
	return offset <= image->count && count <= image->count - offset ? image->bytes + offset : NULL;
}

/* The function of .symtab that holds `offset` (an address as the file counts them), into `ret_name`. */
static bool find_symbol(const struct image *image, uint64_t offset, char *ret_name, size_t name_bytes)
{
	const ElfW(Ehdr) *header = image_part(image, 0, sizeof(*header));
	const ElfW(Shdr) * sections;

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) || header->e_shentsize != sizeof(*sections))
		return false;
	sections = image_part(image, header->e_shoff, (uint64_t)header->e_shnum * sizeof(*sections));
	for (unsigned i = 0; sections && i < header->e_shnum; i++) {
		const ElfW(Shdr) *table = &sections[i];
		const ElfW(Sym) * symbols;

		if (table->sh_type != SHT_SYMTAB || table->sh_link >= header->e_shnum)
			continue;
		symbols = image_part(image, table->sh_offset, table->sh_size);
		for (size_t k = 0; symbols && k < table->sh_size / sizeof(*symbols); k++) {
			const ElfW(Shdr) *texts = &sections[table->sh_link];
			const char *name;

			if ((symbols[k].st_info & 15) != STT_FUNC || offset < symbols[k].st_value ||
				offset - symbols[k].st_value >= symbols[k].st_size ||
				symbols[k].st_name >= texts->sh_size)
				continue;
			name = image_part(image, texts->sh_offset, texts->sh_size);
			if (!name)
				return false;
			snprintf(ret_name, name_bytes, "%.*s+0x%llx",
				(int)strnlen(name + symbols[k].st_name, texts->sh_size - symbols[k].st_name),
				name + symbols[k].st_name, (unsigned long long)(offset - symbols[k].st_value));
			return true;
		}
	}
	return false;
}

static bool find_in_file(const char *path, uint64_t offset, char *ret_name, size_t name_bytes)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	bool is_found = false;

	if (descriptor < 0)
		return false;
	if (fstat(descriptor, &status) == 0 && status.st_size > 0) {
		struct image image = {.count = (size_t)status.st_size};
		void *mapping = mmap(NULL, image.count, PROT_READ, MAP_PRIVATE, descriptor, 0);

		image.bytes = mapping;
		is_found = mapping != MAP_FAILED && find_symbol(&image, offset, ret_name, name_bytes);
		if (mapping != MAP_FAILED)
			munmap(mapping, image.count);
	}
	close(descriptor);
	return is_found;
}

/* `address`: inside of the instruction that was running. */
static void print_frame(int number, uintptr_t address)
{
	char name[256] = "", line[1400], program[512];
	const struct link_map *map = NULL;
	const char *file, *shown;
	uint64_t offset;
	Dl_info info;

	if (!dladdr1((void *)address, &info, (void **)&map, RTLD_DL_LINKMAP) || !map) {
		snprintf(line, sizeof(line), "  #%d 0x%llx", number, (unsigned long long)address);
		log_crash(line);
		return;
	}
	offset = address - map->l_addr;
	file = shown = map->l_name;
	if (!file[0]) { /* the program itself */
		ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);

		program[length > 0 ? length : 0] = '\0';
		file = "/proc/self/exe";
		shown = program;
	} else if (module_file && !strncmp(file, "/proc/self/fd/", 14)) {
		shown = module_file;
	}
	if (!find_in_file(file, offset, name, sizeof(name)))
		snprintf(name, sizeof(name), "%s", info.dli_sname ? info.dli_sname : "?");
	snprintf(line, sizeof(line), "  #%d %s (%s+0x%llx)", number, name, shown, (unsigned long long)offset);
	log_crash(line);
}

/* --- the handler --- */

static uintptr_t program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)context->uc_mcontext.pc;
#else
	(void)context;
	return 0;
#endif
}

static void handle(int number, siginfo_t *info, void *context)
{
	void *frames[FRAMES_MAX];
	uintptr_t pc = program_counter(context);
	int count = backtrace(frames, FRAMES_MAX), first = 0;
	char line[256];

	if (info->si_code > 0)
		snprintf(line, sizeof(line), "crashed: %s at address 0x%llx", sigdescr_np(number),
			(unsigned long long)(uintptr_t)info->si_addr);
	else
		snprintf(line, sizeof(line), "crashed: %s, sent by process %d", sigdescr_np(number), (int)info->si_pid);
	snprintf(line + strlen(line), sizeof(line) - strlen(line),
		"; what it had committed is safe, rows that it had not are lost. Where it was:");
	log_crash(line);
	/* what lies before is this handler */
	while (first < count && (uintptr_t)frames[first] != pc)
		first++;
	if (first == count)
		first = -1;
	print_frame(0, pc);
	for (int i = first + 1, k = 1; i < count; i++, k++)
		print_frame(k, (uintptr_t)frames[i] - 1); /* the call, not the instruction behind it */
	log_crash("`addr2line -Cfie FILE OFFSET` names the line of a frame where FILE has debug information (-g)");
	/* The handler is gone (SA_RESETHAND): an instruction that faults does it again; the rest comes once more. */
	if (info->si_code <= 0)
		raise(number);
}

void crash_watch(const char *module_path)
{
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK}, present;
	stack_t old;
	void *frame;

	action.sa_flags |= (int)SA_RESETHAND;
	module_file = module_path;
	(void)backtrace(&frame, 1); /* loads what it needs now */
	if (sigaltstack(NULL, &old) || ((old.ss_flags & SS_DISABLE) && sigaltstack(&alternate, NULL)))
		return;
	for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
		if (!sigaction(watched[i], NULL, &present) && present.sa_handler == SIG_DFL)
			sigaction(watched[i], &action, NULL);
}

void crash_forget_module(void)
{
	module_file = NULL;
}
