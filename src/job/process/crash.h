/* crash.h: what a job says when it crashes (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT): a line a frame into its log,
 * with the functions' names. The signal then takes its usual way: exit signal and core are as they would be without.
 * Called by the main thread at the start of a job; the handler runs on the thread that crashed, and only calls what may
 * be called there. */
#ifndef JOB_PROCESS_CRASH_H
#define JOB_PROCESS_CRASH_H

/* `module_path`: the file of the job's type, which may be open under another name; kept, not copied. Signals that
 * somebody handles already (a sanitizer) are left alone. */
void crash_watch(const char *module_path);
/* The path is no more. */
void crash_forget_module(void);

#endif
