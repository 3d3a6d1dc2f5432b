/* access.h: the commands that change who may look at a system and command it. */
#ifndef CLI_ACCESS_H
#define CLI_ACCESS_H

int cli_token(int argc, char **argv);
int cli_user(int argc, char **argv);
int cli_certificate(int argc, char **argv);

#endif
