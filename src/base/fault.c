/* fault.c: SIGBUS as an error. Any process, any thread; the handler is installed at the first use and changes nothing
 * for accesses outside a guard. */
#include "base/fault.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static _Thread_local sigjmp_buf *volatile armed;
static struct sigaction before;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void on_fault(int number)
{
	sigjmp_buf *place = armed;

	if (place) {
		armed = NULL;
		siglongjmp(*place, 1);
	}
	/* Nobody expects it: the access is tried again under the handler of before, as if this one were not there. */
	sigaction(number, &before, NULL);
}

static void install(void)
{
	struct sigaction action = {.sa_handler = on_fault};

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, &before);
}

int fault_guard(int (*function)(void *context), void *context)
{
	sigjmp_buf place;
	int rc;

	pthread_once(&once, install);
	if (sigsetjmp(place, 1))
		return -EFAULT;
	armed = &place;
	rc = function(context);
	armed = NULL;
	return rc;
}
