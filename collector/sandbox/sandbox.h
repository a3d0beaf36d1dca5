/*
 * What is left to an attacker who runs code in the daemon: the data folder and the sockets that are open already.
 *
 *   sandbox_drop_user   when started as root: another user, no capability but binding ports below 1024
 *   sandbox_enclose     before threads start: no_new_privs, Landlock. They inherit it
 *   sandbox_seal        after the listeners are open: system calls outside a fixed list end the process (seccomp, all
 *                       threads at once). No new sockets, no programs, no code that was data
 *
 * Built with AddressSanitizer or ThreadSanitizer it does nothing and says so: their run-times need what it takes away.
 */
#ifndef VITRACE_SANDBOX_H
#define VITRACE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#define SANDBOX_PATHS_MAX   8u
#define SANDBOX_SOCKETS_MAX 4u

struct sandbox_options {
    const char *data;                          /* folder: read, write, create, remove */
    const char *read_only[SANDBOX_PATHS_MAX];  /* files or folders; NULL and missing ones are skipped */
    const char *sockets[SANDBOX_SOCKETS_MAX];  /* folders: Unix sockets are made and removed there; likewise */
};

enum sandbox_result {
    SANDBOX_ON,
    SANDBOX_UNSUPPORTED, /* by this kernel or this build: nothing changed, the text says what is missing */
    SANDBOX_FAILED       /* half done: do not go on */
};

/* `text` gets what holds now, or why not. */
enum sandbox_result sandbox_enclose(const struct sandbox_options *options, char *text, size_t text_size);
enum sandbox_result sandbox_seal(char *text, size_t text_size);

/*
 * Creates `folder` for the user when it is missing. Not started as root: nothing to do, unless `user` is another one.
 * false: `error` says why; do not go on.
 */
bool sandbox_drop_user(const char *user, const char *folder, char *error, size_t error_size);

#endif
