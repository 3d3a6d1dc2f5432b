/* main.h: the program that a job process runs: `enrgdaq-job` (argv[0]) or `enrgdaq job`. */
#ifndef JOB_MAIN_H
#define JOB_MAIN_H

/* main() of a job process: reads the plan, loads the module, fills the options, runs source_run or store_run, reports.
 * Exit codes: 0 ended in order as asked, or DONE; 1 failed, 2 configuration, 3 hurried, 4 a source that ended in order
 * because somebody else than its supervisor asked. The state of its page is PAGE_DONE after 0 and 3 only. */
int process_main(int argc, char **argv);

#endif
