/* The data folder belongs to one process: a second writer would tear the log. */
#ifndef VITRACE_APP_LOCK_H
#define VITRACE_APP_LOCK_H

#include <stddef.h>

/*
 * Makes the folder if need be and takes its lock, which the kernel frees whatever way we end. Another process may have
 * it for wait_ms more: it is the one that this process replaces. Returns the descriptor that holds it; -1: `error` says
 * why, also when a signal that is to end the process came while it waited (it is left pending).
 */
int app_lock_take(const char *folder, unsigned wait_ms, char *error, size_t error_size);

#endif
