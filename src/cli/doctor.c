/* doctor.c: `enrgdaq doctor`: looks at everything of this machine that a run depends on; a line each, with a remedy
 * where something is bad. Starts nothing and leaves nothing. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/author.h"
#include "cli/cli.h"
#include "config/folder.h"
#include "cli/remove_ipc.h"
#include "supervisor/budget.h"

#define TMPFS_MAGIC_NUMBER 0x01021994
#define RAMFS_MAGIC_NUMBER 0x858458f6
#define DISK_BYTES         (32u << 20)
#define DISK_BLOCK         (1u << 20)

static const char usage[] =
	"usage: enrgdaq doctor\n"
	"\n"
	"Looks at what a run depends on: shared memory, limits, kernel, clock, ports, libraries, modules, the disk of\n"
	"this folder; and at what a driver is built with. A line each, good or bad, and what to do. Takes a second or\n"
	"two and leaves nothing behind.\n"
	"\n"
	"Exit code: 0 all good (notes do not count), 1 something is bad.\n";

enum finding { GOOD, NOTE, BAD };

struct doctor {
	bool is_colored;
	size_t bad;
};

static void tell(struct doctor *doctor, enum finding finding, const char *what, const char *remedy, const char *format,
	...) __attribute__((format(printf, 5, 6)));

static void tell(
	struct doctor *doctor, enum finding finding, const char *what, const char *remedy, const char *format, ...)
{
	static const char *const words[] = {"good", "note", "BAD "};
	static const char *const colors[] = {"\033[32m", "\033[33m", "\033[1;31m"};
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("%s%s%s  %-17s %s\n", doctor->is_colored ? colors[finding] : "", words[finding],
		doctor->is_colored ? "\033[0m" : "", what, text);
	if (finding != GOOD && remedy)
		printf("      %-17s -> %s\n", "", remedy);
	fflush(stdout);
	doctor->bad += finding == BAD;
}

static void check_shared_memory(struct doctor *doctor)
{
	char folder[512];
	struct enrg_error err = {0};
	struct statfs kind;
	struct statvfs space;
	double total, available;

	if (path_runtime_folder(folder, sizeof(folder), &err) || path_make_folders(folder, 0700, &err)) {
		tell(doctor, BAD, "shared memory",
			"set ENRGDAQ_RUNTIME_DIR to a folder on a tmpfs that you may write to", "%s", err.text);
		return;
	}
	if (statfs(folder, &kind) || statvfs(folder, &space)) {
		tell(doctor, BAD, "shared memory", NULL, "%s: %s", folder, strerror(errno));
		return;
	}
	total = (double)space.f_blocks * (double)space.f_frsize / 1e6;
	available = (double)space.f_bavail * (double)space.f_frsize / 1e6;
	if (kind.f_type != TMPFS_MAGIC_NUMBER && kind.f_type != RAMFS_MAGIC_NUMBER)
		tell(doctor, BAD, "shared memory", "set ENRGDAQ_RUNTIME_DIR to a folder on a tmpfs such as /dev/shm",
			"%s is not on a tmpfs: rings there would be written to a disk", folder);
	else if (access(folder, W_OK))
		tell(doctor, BAD, "shared memory", "change its owner, or set ENRGDAQ_RUNTIME_DIR",
			"%s can't be written to", folder);
	else if (available < 280)
		tell(doctor, BAD, "shared memory",
			"mount -o remount,size=1G /dev/shm (containers: --shm-size 1g), or lower "
			"ring_buffer_size_mb (256 unless configured) in supervisor.toml",
			"%s: %.0f of %.0f MB free, the default rings need 280", folder, available, total);
	else
		tell(doctor, GOOD, "shared memory", NULL, "%s: %.0f of %.0f MB free", folder, available, total);
}

/* nohup and tmux outlive a session; what they have in /dev/shm does not. */
static void check_sessions(struct doctor *doctor)
{
	char folder[512];

	if (path_runtime_folder(folder, sizeof(folder), NULL))
		return;
	if (!remove_ipc_concerns(geteuid(), folder))
		tell(doctor, GOOD, "sessions", NULL,
			"logind's RemoveIPC leaves %s alone (a system user, lingering, or no logind)", folder);
	else if (remove_ipc_is_on())
		tell(doctor, NOTE, "sessions",
			"`loginctl enable-linger`; or RemoveIPC=no in /etc/systemd/logind.conf.d/enrgdaq.conf; or run "
			"as a system user; without it a run puts the folder right again and ends with exit code 1",
			"RemoveIPC=yes: when your last session ends logind removes %s under a run that continues",
			folder);
	else
		tell(doctor, GOOD, "sessions", NULL, "RemoveIPC=no: rings outlive your sessions");
}

static void check_limit(struct doctor *doctor, int resource, const char *what, rlim_t wanted, const char *remedy)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit))
		return;
	if (limit.rlim_cur == RLIM_INFINITY)
		tell(doctor, GOOD, what, NULL, "unlimited");
	else
		tell(doctor, limit.rlim_cur >= wanted ? GOOD : BAD, what, remedy, "%llu (at least %llu wanted)",
			(unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

static void check_kernel(struct doctor *doctor)
{
	struct utsname name;

	uname(&name);
	/* No waiter at all is an invalid argument to a kernel that knows the call. */
	if (syscall(SYS_futex_waitv, NULL, 0, 0, NULL, 0) < 0 && errno == ENOSYS)
		tell(doctor, BAD, "kernel",
			"use Linux 5.16 or later; in a container, allow futex_waitv in its seccomp profile",
			"%s: futex_waitv is not there", name.release);
	else
		tell(doctor, GOOD, "kernel", NULL, "Linux %s, futex_waitv is there", name.release);
}

static void check_cores(struct doctor *doctor)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double loads[1] = {0};

	getloadavg(loads, 1);
	tell(doctor, cores > 1 ? GOOD : NOTE, "cores", "with one core, producers and stores take turns",
		"%ld, last-level cache %.1f MB, load %.1f", cores, (double)budget_cache_bytes() / 1e6, loads[0]);
}

static void check_clock(struct doctor *doctor)
{
	char *source = NULL;
	size_t count;
	uint64_t begin_ns = clock_mono_ns(), each_ns;

	for (int i = 0; i < 10000; i++)
		clock_mono_ns();
	each_ns = (clock_mono_ns() - begin_ns) / 10000;
	if (path_read_file(
		    "/sys/devices/system/clocksource/clocksource0/current_clocksource", 256, &source, &count, NULL))
		source = NULL;
	if (source)
		source[strcspn(source, "\n")] = '\0';
	tell(doctor, each_ns < 200 ? GOOD : NOTE, "clock",
		"a slow clock costs time at each batch: prefer the clock source tsc "
		"or kvm-clock",
		"source %s, %llu ns a reading", source ? source : "unknown", (unsigned long long)each_ns);
	free(source);
}

/* Time stamps and names of files go by it. */
static void check_date(struct doctor *doctor)
{
	static const char remedy[] = "set the clock, and keep it right (timedatectl set-ntp true)";
	struct timex state = {0};
	struct stat program;
	time_t now = time(NULL);

	if (now < 1700000000 || (!stat("/proc/self/exe", &program) && now + 86400 < program.st_mtime))
		tell(doctor, BAD, "date", remedy,
			"the clock is behind the day on which this program was installed: time stamps would be wrong");
	else if (adjtimex(&state) == TIME_ERROR)
		tell(doctor, NOTE, "date", remedy, "nothing keeps the clock right, as far as the kernel knows");
	else
		tell(doctor, GOOD, "date", NULL, "the clock is kept right");
}

static int try_port(uint16_t port)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
	int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, code;

	if (descriptor < 0)
		return -errno;
	setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	code = bind(descriptor, (const struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	if (!code && listen(descriptor, 1))
		code = -errno;
	close(descriptor);
	return code;
}

/* Those of the defaults. Nothing listens unless a configuration says so: a taken one is no more than a note. */
static void check_ports(struct doctor *doctor)
{
	static const uint16_t ports[] = {1638, 8000, 16382, 16383};
	char taken[128] = "";

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		int rc = try_port(ports[i]);
		size_t used = strlen(taken);

		if (rc)
			snprintf(taken + used, sizeof(taken) - used, "%s%u: %s", used ? ", " : "", ports[i],
				strerror(-rc));
	}
	tell(doctor, taken[0] ? NOTE : GOOD, "ports",
		"matters only where supervisor.toml enables them: choose other ports there (cnc, federation)", "%s",
		taken[0] ? taken : "1638 command, 8000 REST, 16382 and 16383 federation are free");
}

static void check_libraries(struct doctor *doctor)
{
	void (*zmq_version)(int *, int *, int *) = NULL;
	void *symbol = dlsym(RTLD_DEFAULT, "zmq_version");
	int major = 0, minor = 0, patch = 0;

	memcpy(&zmq_version, &symbol, sizeof(symbol));
	if (zmq_version)
		zmq_version(&major, &minor, &patch);
	tell(doctor, major >= 4 ? GOOD : BAD, "libraries", "install libzmq5 4.3 or later",
		"ZeroMQ %d.%d.%d, jansson %s", major, minor, patch, jansson_version_str());
}

static void hear_module(void *context, const char *sentence)
{
	tell(context, BAD, "module",
		"install what it lacks, or build it again against the installed headers; all other "
		"modules work",
		"%s", sentence);
}

static void check_modules(struct doctor *doctor)
{
	struct types *types = NULL;
	struct enrg_error err = {0};
	size_t jobs = 0;

	if (types_load(&types, hear_module, doctor, &err)) {
		tell(doctor, BAD, "modules", "set ENRGDAQ_MODULE_PATH to the folder that holds them", "%s", err.text);
		return;
	}
	for (size_t i = 0; i < types_count(types); i++)
		jobs += types_at(types, i)->job != NULL;
	tell(doctor, types_count(types) ? GOOD : BAD, "modules", "run `make install`, or set ENRGDAQ_MODULE_PATH",
		"%zu types of jobs, %zu of stores", jobs, types_count(types) - jobs);
	types_free(types);
}

/* For whoever writes drivers; a machine that only measures needs none of it. */
static void check_author(struct doctor *doctor)
{
	const char *path = getenv("ENRGDAQ_MODULE_PATH");
	struct author author;

	author_look(&author);
	if (!author.headers[0])
		tell(doctor, NOTE, "authors: headers", "to write drivers, install enrgdaq-dev, or run `make install`",
			"not installed; modules for this program have ABI %u", ENRG_MODULE_ABI);
	else if (author.abi != ENRG_MODULE_ABI)
		tell(doctor, BAD, "authors: headers", "install program and headers of one version",
			"%s is for ABI %u, this program loads ABI %u", author.headers, author.abi, ENRG_MODULE_ABI);
	else
		tell(doctor, GOOD, "authors: headers", NULL, "%s, ABI %u", author.headers, author.abi);
	tell(doctor, author.compiler[0] ? GOOD : NOTE, "authors: compiler", "to write drivers, install gcc or clang",
		"%s", author.compiler[0] ? author.compiler : "no C compiler is in PATH");
	if (author.lost[0])
		tell(doctor, NOTE, "authors: modules", "correct ENRGDAQ_MODULE_PATH: folders, with colons between them",
			"ENRGDAQ_MODULE_PATH names %s, which is no folder", author.lost);
	else
		tell(doctor, GOOD, "authors: modules", NULL, "ENRGDAQ_MODULE_PATH %s",
			path && path[0] ? path : "is not set");
}

static int measure_disk(int descriptor, double *ret_mb_per_s, double *ret_sync_ms)
{
	char *block = malloc(DISK_BLOCK);
	uint64_t begin_ns = clock_mono_ns(), sync_ns;
	int rc = block ? 0 : -ENOMEM;

	if (block)
		memset(block, 0x5a, DISK_BLOCK);
	for (size_t done = 0; !rc && done < DISK_BYTES; done += DISK_BLOCK)
		if (write(descriptor, block, DISK_BLOCK) != (ssize_t)DISK_BLOCK)
			rc = errno ? -errno : -ENOSPC;
	if (!rc && fdatasync(descriptor))
		rc = -errno;
	*ret_mb_per_s = (double)DISK_BYTES * 1e3 / (double)(clock_mono_ns() - begin_ns);
	sync_ns = clock_mono_ns();
	if (!rc && (pwrite(descriptor, "x", 1, 0) != 1 || fdatasync(descriptor)))
		rc = -errno;
	*ret_sync_ms = (double)(clock_mono_ns() - sync_ns) / 1e6;
	free(block);
	return rc;
}

static void check_disk(struct doctor *doctor)
{
	int descriptor = open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), code;
	char name[] = "enrgdaq-doctor-XXXXXX";
	struct statvfs space = {0};
	double speed = 0, sync_ms = 0;

	if (descriptor < 0) { /* a file system without unnamed files */
		descriptor = mkostemp(name, O_CLOEXEC);
		if (descriptor >= 0)
			unlink(name);
	}
	if (descriptor < 0) {
		tell(doctor, BAD, "disk", "run in a folder that you may write to", "this folder: %s", strerror(errno));
		return;
	}
	statvfs(".", &space);
	code = measure_disk(descriptor, &speed, &sync_ms);
	close(descriptor);
	if (code)
		tell(doctor, BAD, "disk", "free space, or run in another folder", "this folder: %s", strerror(-code));
	else
		tell(doctor, speed < 10 ? NOTE : GOOD, "disk",
			"stores can't keep more than this; a slow or busy disk makes rings "
			"fill up",
			"this folder: %.0f MB/s, %.1f ms a sync, %.1f GB free", speed, sync_ms,
			(double)space.f_bavail * (double)space.f_frsize / 1e9);
}

int cli_doctor(int argc, char **argv)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct doctor doctor = {.is_colored = log_is_colored(1)};
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		return cli_option_error("doctor");
	}
	if (optind < argc)
		return cli_usage_error("doctor", "no argument was expected");
	check_shared_memory(&doctor);
	check_sessions(&doctor);
	check_limit(&doctor, RLIMIT_NOFILE, "open files", 1024, "ulimit -n 4096, or LimitNOFILE= in the service file");
	check_limit(&doctor, RLIMIT_FSIZE, "file size", 1ull << 40, "ulimit -f unlimited");
	check_limit(&doctor, RLIMIT_AS, "address space", 8ull << 30, "ulimit -v unlimited");
	check_limit(&doctor, RLIMIT_NPROC, "processes", 256, "ulimit -u 1024");
	check_kernel(&doctor);
	check_cores(&doctor);
	check_clock(&doctor);
	check_date(&doctor);
	check_ports(&doctor);
	check_libraries(&doctor);
	check_modules(&doctor);
	check_author(&doctor);
	check_disk(&doctor);
	if (doctor.bad)
		printf("\n%zu thing(s) to fix\n", doctor.bad);
	return doctor.bad ? 1 : 0;
}
