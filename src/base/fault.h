/* fault.h: reading a mapped file that another process may cut short at any moment. The access that would kill this
 * process with SIGBUS becomes an error. For those who must survive: the supervisor, and what only looks. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

/* Calls function(context) and returns its result, or -EFAULT when an access of it to a mapped file found nothing there;
 * the function was left in the middle then, so what it had to release must be reachable from `context`. Not for
 * functions that take locks. Does not nest. Any thread. */
int fault_guard(int (*function)(void *context), void *context);

#endif
