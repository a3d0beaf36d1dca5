/* Sockets that a supervisor opened and hands over (sd_listen_fds(3)): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES. */
#ifndef VITRACE_APP_SOCKETS_H
#define VITRACE_APP_SOCKETS_H

#define APP_SOCKETS_MAX 16u

/* The first listening socket of this name (FileDescriptorName=), or 0. `environment` is getenv(), or a test's. */
int app_sockets_find(const char *name, const char *(*environment)(const char *name));

#endif
