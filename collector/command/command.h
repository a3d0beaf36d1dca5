/* The subcommands of the binary: one file each, one row each in main.c. */
#ifndef VITRACE_COMMAND_H
#define VITRACE_COMMAND_H

#include "collector/base/buf.h"

#include <stdio.h>

struct command {
    const char *name;
    const char *usage;                                             /* what follows the name */
    const char *summary;                                           /* one line */
    const char *help;                                              /* the rest of --help, or NULL */
    int (*run)(const struct command *self, int argc, char **argv); /* argv[0] is the name; returns the exit status */
    void (*print_more)(FILE *out);                                 /* of --help: what a table knows; or NULL */
};

enum { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2 };

int command_serve(const struct command *self, int argc, char **argv);
void command_serve_settings(FILE *out);
int command_parse(const struct command *self, int argc, char **argv);
int command_decode(const struct command *self, int argc, char **argv);
int command_replay(const struct command *self, int argc, char **argv);
int command_token(const struct command *self, int argc, char **argv);
int command_log(const struct command *self, int argc, char **argv);
int command_bench(const struct command *self, int argc, char **argv);
int command_doctor(const struct command *self, int argc, char **argv);
int command_version(const struct command *self, int argc, char **argv);

/* Prints the usage line to stderr with what is wrong; COMMAND_USAGE. */
int command_misused(const struct command *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Reads a file, "-" = stdin, up to out's maximum. false after a message on stderr. */
bool command_read_file(const char *path, struct buf *out);
/* The buffer and a line feed on stdout. COMMAND_OK, or COMMAND_FAILED when it could not be written (or built). */
int command_print(const struct buf *text);

#endif
