/* instructions.c: see the header. The mapping is made read-only; each store faults, is counted, and is then made by a
 * single step with the mapping open.
 */
#include "instructions.h"

#ifdef __x86_64__

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define TRAP_FLAG 0x100

static struct {
	uintptr_t begin, end;
	uint32_t at;
	volatile uint32_t *counter;
} watch;

static void protect(int protection)
{
	if (mprotect((void *)watch.begin, watch.end - watch.begin, protection) < 0)
		abort();
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;
	uintptr_t address = (uintptr_t)info->si_addr;

	if (address < watch.begin || address >= watch.end) {
		signal(number, SIG_DFL);
		return;
	}
	if (++*watch.counter == watch.at)
		kill(getpid(), SIGKILL);
	protect(PROT_READ | PROT_WRITE);
	at->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	(void)number, (void)info;
	at->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	protect(PROT_READ);
}

static void find_mapping(const char *path)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[5000];

	while (maps && fgets(line, sizeof(line), maps)) {
		size_t length = strcspn(line, "\n"), wanted = strlen(path);
		unsigned long begin, end;
		if (length < wanted || memcmp(line + length - wanted, path, wanted) != 0 ||
			sscanf(line, "%lx-%lx", &begin, &end) != 2)
			continue;
		watch.begin = begin;
		watch.end = end;
	}
	if (!maps || !watch.begin)
		abort();
	fclose(maps);
}

void instructions_watch(const char *path, uint32_t at, volatile uint32_t *counter)
{
	struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	find_mapping(path);
	watch.at = at;
	watch.counter = counter;
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGTRAP, &step, NULL);
	protect(PROT_READ);
}

#else

void instructions_watch(const char *path, uint32_t at, volatile uint32_t *counter)
{
	(void)path, (void)at, (void)counter;
}

#endif
