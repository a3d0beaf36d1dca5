/*
 * The part of a service manager that Node cannot play: opens listening sockets, one for each name up to "--", as
 * descriptors 3, 4, ..., accepts nothing on them, and becomes the command behind "--".
 *
 *   restart_sockets listen otlp_http otlp_grpc -- node tests/restart/restart.mjs ...
 *
 * RESTART_PORTS and RESTART_NAMES tell the command, both joined with ':'.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_FILE 3
#define BACKLOG    4096
#define NAMES_MAX  8
#define BYTES_MAX  256

/* Returns the port. */
static unsigned open_socket(int wanted)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int file = socket(AF_INET, SOCK_STREAM, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&address, sizeof address) != 0 || listen(file, BACKLOG) != 0 ||
        getsockname(file, (struct sockaddr *)&address, &size) != 0 || (file != wanted && dup2(file, wanted) < 0)) {
        perror("restart_sockets");
        exit(1);
    }
    if (file != wanted)
        close(file);
    return ntohs(address.sin_port);
}

int main(int argc, char **argv)
{
    char ports[BYTES_MAX] = "", names[BYTES_MAX] = "";
    size_t ports_size = 0, names_size = 0;
    int at = 1;
    for (; at < argc && strcmp(argv[at], "--") != 0 && at <= NAMES_MAX; at++) {
        const char *separator = at == 1 ? "" : ":";
        ports_size += (size_t)snprintf(ports + ports_size, BYTES_MAX - ports_size, "%s%u", separator,
                                       open_socket(FIRST_FILE + at - 1));
        names_size += (size_t)snprintf(names + names_size, BYTES_MAX - names_size, "%s%.24s", separator, argv[at]);
    }
    if (at == 1 || at + 1 >= argc || strcmp(argv[at], "--") != 0) {
        fprintf(stderr, "usage: restart_sockets NAME ... -- COMMAND ...\n");
        return 2;
    }
    setenv("RESTART_PORTS", ports, 1);
    setenv("RESTART_NAMES", names, 1);
    execvp(argv[at + 1], argv + at + 1);
    perror(argv[at + 1]);
    return 1;
}
