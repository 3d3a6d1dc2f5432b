/* port.c: see the header. Job's thread; port_find also on a device thread. */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

/* A peer that is gone without a word (cable, power) is noticed after 10 + 3 * 5 s. */
#define KEEP_IDLE_S  10
#define KEEP_EVERY_S 5
#define KEEP_COUNT   3

static const struct {
	int64_t baud_rate;
	speed_t speed;
} speeds[] = {{50, B50}, {75, B75}, {110, B110}, {134, B134}, {150, B150}, {200, B200}, {300, B300}, {600, B600},
	{1200, B1200}, {1800, B1800}, {2400, B2400}, {4800, B4800}, {9600, B9600}, {19200, B19200}, {38400, B38400},
	{57600, B57600}, {115200, B115200}, {230400, B230400}, {460800, B460800}, {500000, B500000}, {576000, B576000},
	{921600, B921600}, {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000}, {2000000, B2000000},
	{2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000}};

static speed_t find_speed(int64_t baud_rate)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].baud_rate == baud_rate)
			return speeds[i].speed;
	return B0;
}

bool port_has_speed(int64_t baud_rate)
{
	return find_speed(baud_rate) != B0;
}

void port_list_speeds(char *ret_text, size_t text_bytes)
{
	size_t used = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]) && used < text_bytes; i++)
		used += (size_t)snprintf(
			ret_text + used, text_bytes - used, "%s%lld", i ? ", " : "", (long long)speeds[i].baud_rate);
}

/* --- serial ports ------------------------------------------------------------------------------------------------ */

static void set_line(struct termios *termios, const struct port_line *line)
{
	static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};

	cfmakeraw(termios);
	termios->c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS | HUPCL);
	termios->c_cflag |= CREAD | CLOCAL | sizes[line->data_bits - 5];
	termios->c_iflag &= ~(tcflag_t)(IXON | IXOFF | IXANY | INPCK);
	if (line->parity != PORT_PARITY_NONE) {
		termios->c_cflag |= PARENB | (line->parity == PORT_PARITY_ODD ? PARODD : 0u);
		termios->c_iflag |= INPCK; /* a byte of wrong parity reads as NUL, and its line does not match */
	}
	if (line->stop_bits == 2)
		termios->c_cflag |= CSTOPB;
	if (line->flow == PORT_FLOW_RTS_CTS)
		termios->c_cflag |= CRTSCTS;
	if (line->flow == PORT_FLOW_XON_XOFF)
		termios->c_iflag |= IXON | IXOFF;
	/* Not VMIN 0: a read of no bytes must mean that the line is gone. */
	termios->c_cc[VMIN] = 1;
	termios->c_cc[VTIME] = 0;
	cfsetispeed(termios, find_speed(line->baud_rate));
	cfsetospeed(termios, find_speed(line->baud_rate));
}

/* The system takes what the port can do and is silent about the rest. */
static bool is_set(const struct termios *wanted, const struct termios *found)
{
	const tcflag_t bits = CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS;

	return (wanted->c_cflag & bits) == (found->c_cflag & bits) && cfgetospeed(wanted) == cfgetospeed(found);
}

static int set_up(int descriptor, const struct port_line *line, struct enrg_error *err)
{
	struct termios wanted, found;

	if (tcgetattr(descriptor, &wanted) < 0)
		return enrg_error_set(err, -errno, "it is no serial port: %s", strerror(errno));
	if (flock(descriptor, LOCK_EX | LOCK_NB) < 0)
		return enrg_error_set(err, -EBUSY, "it is in use by another process");
	(void)ioctl(descriptor, TIOCEXCL);
	set_line(&wanted, line);
	if (tcsetattr(descriptor, TCSANOW, &wanted) < 0 || tcgetattr(descriptor, &found) < 0)
		return enrg_error_set(err, -errno, "it can't be set up: %s", strerror(errno));
	if (!is_set(&wanted, &found))
		return enrg_error_set(err, -EINVAL,
			"it can't do what baud_rate, data_bits, parity, stop_bits and flow_control ask for");
	(void)tcflush(descriptor, TCIOFLUSH);
	return 0;
}

int port_open_device(const char *device, const struct port_line *line, struct enrg_error *err)
{
	int descriptor = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (descriptor < 0 && errno == EACCES)
		return enrg_error_set(err, -EACCES,
			"no permission: its group (dialout) must be one of this user's: `sudo usermod -aG dialout "
			"USER`, then log in anew");
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "can't open it: %s", strerror(errno));
	int rc = set_up(descriptor, line, err);
	if (rc < 0) {
		close(descriptor);
		return rc;
	}
	return descriptor;
}

/* --- TCP --------------------------------------------------------------------------------------------------------- */

int port_find(const char *host, int64_t port, bool is_numeric, struct port_address *ret_address, struct enrg_error *err)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | (is_numeric ? AI_NUMERICHOST : AI_ADDRCONFIG)};
	struct addrinfo *found = NULL;
	char service[8];

	snprintf(service, sizeof(service), "%u", (unsigned)(port & 0xffff));
	int rc = getaddrinfo(host, service, &hints, &found);
	if (rc == EAI_NONAME && is_numeric)
		return -EAGAIN;
	if (rc != 0)
		return enrg_error_set(err, -EHOSTUNREACH, "%s: its address is not found: %s", host,
			rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	*ret_address = (struct port_address){.bytes = found->ai_addrlen};
	memcpy(&ret_address->address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

int port_connect(const struct port_address *address, struct enrg_error *err)
{
	const int on = 1, idle = KEEP_IDLE_S, every = KEEP_EVERY_S, count = KEEP_COUNT;
	const unsigned unsent_ms = (KEEP_IDLE_S + KEEP_COUNT * KEEP_EVERY_S) * 1000;
	int descriptor = socket(address->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "no socket: %s", strerror(errno));
	(void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &unsent_ms, sizeof(unsent_ms));
	(void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(descriptor, (const struct sockaddr *)&address->address, address->bytes) < 0 &&
		errno != EINPROGRESS) {
		int rc = enrg_error_set(err, -errno, "can't connect: %s", strerror(errno));
		close(descriptor);
		return rc;
	}
	return descriptor;
}

int port_finish(int descriptor, struct enrg_error *err)
{
	int rc = 0;
	socklen_t bytes = sizeof(rc);

	if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &rc, &bytes) < 0)
		rc = errno;
	return rc ? enrg_error_set(err, -rc, "can't connect: %s", strerror(rc)) : 0;
}

/* --- both -------------------------------------------------------------------------------------------------------- */

int port_read(int descriptor, void *bytes, size_t count, struct enrg_error *err)
{
	ssize_t got = read(descriptor, bytes, count);

	if (got > 0)
		return (int)got;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got == 0)
		return enrg_error_set(err, -ENODEV, "it is gone (unplugged, or closed by the other end)");
	return enrg_error_set(err, -errno, "%s", strerror(errno));
}

int port_write(int descriptor, const void *bytes, size_t count, struct enrg_error *err)
{
	ssize_t gone = write(descriptor, bytes, count);

	if (gone >= 0)
		return (int)gone;
	return errno == EAGAIN || errno == EINTR ? 0 : enrg_error_set(err, -errno, "%s", strerror(errno));
}
