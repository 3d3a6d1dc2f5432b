/* watch_screen.h: a view on a terminal, in the place of the one before. */
#ifndef CLI_WATCH_SCREEN_H
#define CLI_WATCH_SCREEN_H

#include <sys/ioctl.h>

#define WATCH_LINE_WIDTH 120u /* where the output is no terminal */

/* Of the terminal; where there is none, a line of WATCH_LINE_WIDTH and no end of lines. */
struct winsize watch_screen_size(void);
/* With no line longer and no more lines than the window has. */
void watch_screen_print(const char *view, struct winsize size);

#endif
