/*
 * Clients that cost a server more than they send: as many at a time as it lets in, for as long as it is asked.
 *
 *   overload_slow port=P connections=N seconds=S [addresses=20] [kinds=4]
 *
 * A quarter each (or the first `kinds` of them): idle; a head that comes byte by byte; a body that does, at twice the least rate that is asked for; a
 * reader that goes on asking and takes no answer. One that is closed comes again at once, from 127.0.0.2 and on. Prints
 * "open N" when all are, then a line of JSON at the end.
 */
#include "overload_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define TICK_MS     1000u
#define FIRST_HOST  2u

enum kind { KIND_IDLE, KIND_HEAD, KIND_BODY, KIND_READER, KIND_COUNT };

struct slow {
    unsigned port, addresses, connections, kinds;
    int poll;
    struct client *client;
    uint64_t opened, closed;
};

struct client {
    int file;
    unsigned host;
    enum kind kind;
    bool greeted;
};

static void client_open(struct slow *self, struct client *client)
{
    client->file = overload_socket_open(self->port, client->host, client->kind == KIND_READER ? 4096 : 0);
    client->greeted = false;
    if (client->file < 0)
        return;
    struct epoll_event event = {.events = client->kind == KIND_READER ? EPOLLRDHUP : EPOLLIN | EPOLLRDHUP,
                                .data.ptr = client};
    epoll_ctl(self->poll, EPOLL_CTL_ADD, client->file, &event);
    self->opened++;
}

static void client_again(struct slow *self, struct client *client)
{
    if (client->file >= 0)
        close(client->file);
    self->closed++;
    client_open(self, client);
}

static ssize_t client_say(const struct client *client, const void *bytes, size_t size)
{
    return send(client->file, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void client_greet(struct client *client)
{
    static const char post[] = "POST /v1/beacon HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 60000\r\n\r\n";
    client->greeted = true;
    if (client->kind == KIND_BODY)
        client_say(client, post, sizeof post - 1);
    if (client->kind == KIND_HEAD)
        client_say(client, "POST /v1/beacon HTTP/1.1\r\nX: ", 29);
}

/* A connect that is not through yet says EAGAIN or ENOTCONN, and is tried at the next tick. */
static void client_tick(struct slow *self, struct client *client)
{
    static const char crumbs[2048] = "", ask[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    if (client->file < 0) {
        client_open(self, client);
        return;
    }
    if (!client->greeted)
        client_greet(client);
    else if (client->kind == KIND_HEAD)
        client_say(client, "x", 1);
    else if (client->kind == KIND_BODY)
        client_say(client, crumbs, sizeof crumbs);
    else if (client->kind == KIND_READER)
        client_say(client, ask, sizeof ask - 1);
}

static void client_hear(struct slow *self, struct client *client, uint32_t events)
{
    char bytes[4096];
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) {
        client_again(self, client);
        return;
    }
    ssize_t got = recv(client->file, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN))
        client_again(self, client);
}

/* Events until the time comes: ticks of all clients are spread over TICK_MS in sixteen parts. */
static void listen_until(struct slow *self, uint64_t until_ns)
{
    struct epoll_event event[256];
    uint64_t now_ns;
    while ((now_ns = overload_socket_now_ns()) < until_ns) {
        int count = epoll_wait(self->poll, event, 256, (int)((until_ns - now_ns) / 1000000u) + 1);
        for (int i = 0; i < count; i++)
            client_hear(self, event[i].data.ptr, event[i].events);
    }
}

static void open_all(struct slow *self)
{
    for (unsigned i = 0; i < self->connections; i++) {
        self->client[i] = (struct client){.host = FIRST_HOST + i % self->addresses, .kind = (enum kind)(i % self->kinds)};
        client_open(self, &self->client[i]);
        if (i % 256 == 255) /* no faster than a server accepts: its queue is not what is tested */
            listen_until(self, overload_socket_now_ns() + 20000000u);
    }
    printf("open %u\n", self->connections);
    fflush(stdout);
}

int main(int count, char **arguments)
{
    struct slow self = {.port = (unsigned)overload_socket_option(count, arguments, "port", 0),
                        .connections = (unsigned)overload_socket_option(count, arguments, "connections", 1000),
                        .addresses = (unsigned)overload_socket_option(count, arguments, "addresses", 20),
                        .kinds = (unsigned)overload_socket_option(count, arguments, "kinds", KIND_COUNT)};
    uint64_t seconds = overload_socket_option(count, arguments, "seconds", 10);
    self.poll = epoll_create1(EPOLL_CLOEXEC);
    self.client = calloc(self.connections, sizeof *self.client);
    if (self.port == 0 || self.client == NULL || self.addresses == 0 || self.kinds == 0 ||
        self.kinds > KIND_COUNT)
        return 2;
    open_all(&self);
    uint64_t began_ns = overload_socket_now_ns(), tick = 0;
    while (overload_socket_now_ns() < began_ns + seconds * 1000000000u) {
        for (unsigned i = (unsigned)(tick % 16); i < self.connections; i += 16)
            client_tick(&self, &self.client[i]);
        listen_until(&self, began_ns + ++tick * (TICK_MS * 1000000u / 16));
    }
    printf("{\"opened\": %" PRIu64 ", \"closed\": %" PRIu64 "}\n", self.opened, self.closed);
    free(self.client);
    return 0;
}
