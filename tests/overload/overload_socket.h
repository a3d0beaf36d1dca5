/* Non-blocking sockets to 127.0.0.1:PORT from a chosen loopback address, and the clock, for the overload programs. */
#ifndef VITRACE_TESTS_OVERLOAD_SOCKET_H
#define VITRACE_TESTS_OVERLOAD_SOCKET_H

#include <stdint.h>

/* `host`: last byte of the source address 127.0.0.x, 0 = any. The connect may still be under way. -1 = no descriptor. */
int overload_socket_open(unsigned port, unsigned host, int receive_bytes);
uint64_t overload_socket_now_ns(void);
/* Value of "name=VALUE" in the arguments, or `fallback`. */
uint64_t overload_socket_option(int count, char **arguments, const char *name, uint64_t fallback);
const char *overload_socket_text(int count, char **arguments, const char *name);

#endif
