/* serve.h: `enrgdaq-web serve`: the rooms put together, and the main loop. Process: enrgdaq-web, main thread. */
#ifndef WEB_PROGRAM_SERVE_H
#define WEB_PROGRAM_SERVE_H

/* Until the supervisor hangs up at `socket`. Exit code. */
int serve(int socket);

#endif
