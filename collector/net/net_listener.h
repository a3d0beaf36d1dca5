/* Where every listener of the daemon comes from, whatever it speaks. */
#ifndef VITRACE_NET_LISTENER_H
#define VITRACE_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Binds "127.0.0.1:4318", "[::1]:0" or ":8080" (any address). `*port`, when not 0, replaces the port; it is set to what was
 * bound. -1: `error` says what is wrong.
 */
int net_listener_open(const char *listen, bool shared, unsigned *port, char *error, size_t error_size);
/* A copy of a socket that listens already, and its port. -1: `error` says why not. */
int net_listener_adopt(int socket, unsigned *port, char *error, size_t error_size);
/*
 * The two steps before one of our own is closed, which resets who still waits in its queue: nobody new gets in, and then
 * the queue has to be empty. Where the first cannot be had, who comes between the last look and the close is reset.
 */
void net_listener_refuse(int socket);
bool net_listener_has_queue(int socket);

#endif
