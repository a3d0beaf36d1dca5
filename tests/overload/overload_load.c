/*
 * Beacons over keep-alive connections, each of a view of its own, and what became of them, as one line of JSON.
 *
 *   overload_load port=P beacon=FILE seconds=S [connections=64] [rate=0] [count=0] [seed=1] [forwarded=0] [honor=0]
 *                 [ledger=FILE]
 *
 * rate=0: closed loop, a connection sends again when it is answered: capacity. rate=R: open loop, R arrivals a second are
 * offered in turn to the connections, whatever the answers; one whose connection still waits is lost ("unsent"), like a
 * client that cannot get through. Nobody looks at Retry-After, the worst of clients, unless honor=1: then a connection that
 * was refused keeps silent for so long. One that the server closes is opened again. count=N ends after N beacons.
 *
 * FILE is a beacon with places to fill in: 16 bytes 'V' (view id: seed and number, big-endian), 16 bytes 'S' (session id),
 * any number of "U00000000" (each becomes another hexadecimal number: distinct URLs). forwarded=1 adds an X-Forwarded-For
 * of another address to each. The ledger has one byte for each beacon sent, by number: 1 = answered 204.
 */
#include "overload_socket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BEACON_BYTES_MAX 16384u
#define PLACES_MAX       256u
#define ANSWER_BYTES_MAX 1024u
#define RETRY_SECONDS    64u
#define SECONDS_MAX      4096u
#define LATENCIES        32u /* powers of two of microseconds */

struct template {
    uint8_t bytes[BEACON_BYTES_MAX];
    size_t size, view, session, url[PLACES_MAX];
    unsigned urls;
};

struct client {
    int file;
    bool busy;
    uint64_t number, sent_ns, silent_until_ns;
    size_t received;
    char answer[ANSWER_BYTES_MAX + 1];
};

struct load {
    unsigned port, connections;
    uint64_t rate, seed, count, forwarded, honor;
    struct template template;
    struct client *client;
    int poll;
    uint64_t began_ns, next_number, urls;
    uint64_t offered, sent, unsent, acked, refused, other, broken, no_retry_after;
    uint64_t retry[RETRY_SECONDS], latency[LATENCIES], per_second[SECONDS_MAX];
    const char *ledger_path; /* NULL = none is kept */
    uint8_t *ledger;
    uint64_t ledger_room;
};

static void template_read(struct template *self, const char *path)
{
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    if (file == NULL || (self->size = fread(self->bytes, 1, sizeof self->bytes, file)) == 0) {
        fprintf(stderr, "overload_load: beacon=%s cannot be read\n", path == NULL ? "" : path);
        exit(2);
    }
    fclose(file);
    for (size_t i = 0; i < self->size; i++) {
        if (self->size - i >= 16 && memcmp(self->bytes + i, "VVVVVVVVVVVVVVVV", 16) == 0)
            self->view = i;
        if (self->size - i >= 16 && memcmp(self->bytes + i, "SSSSSSSSSSSSSSSS", 16) == 0)
            self->session = i;
        if (self->size - i >= 9 && memcmp(self->bytes + i, "U00000000", 9) == 0 && self->urls < PLACES_MAX)
            self->url[self->urls++] = i + 1;
    }
}

static void put_number(uint8_t *out, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

static void fill(struct load *self, uint64_t number)
{
    struct template *template = &self->template;
    put_number(template->bytes + template->view, self->seed);
    put_number(template->bytes + template->view + 8, number);
    put_number(template->bytes + template->session, ~self->seed);
    put_number(template->bytes + template->session + 8, number);
    for (unsigned i = 0; i < template->urls; i++) {
        char digits[9];
        snprintf(digits, sizeof digits, "%08" PRIx32, (uint32_t)self->urls++);
        memcpy(template->bytes + template->url[i], digits, 8);
    }
}

static void client_open(struct load *self, struct client *client)
{
    client->file = overload_socket_open(self->port, 0, 0);
    client->busy = false;
    client->received = 0;
    if (client->file < 0)
        return;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    epoll_ctl(self->poll, EPOLL_CTL_ADD, client->file, &event);
}

static void client_break(struct load *self, struct client *client)
{
    if (client->file >= 0)
        close(client->file);
    self->broken += client->busy;
    client_open(self, client);
}

/* One request is under way at a time, so it fits the socket's buffer; what does not is a broken connection. */
static void client_send(struct load *self, struct client *client)
{
    char head[256], forwarded[64] = "";
    uint64_t number = self->next_number++;
    if (self->forwarded)
        snprintf(forwarded, sizeof forwarded, "X-Forwarded-For: 10.%u.%u.%u\r\n", (unsigned)(number >> 16 & 255),
                 (unsigned)(number >> 8 & 255), (unsigned)(number & 255));
    fill(self, number);
    int size = snprintf(head, sizeof head,
                        "POST /v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n%sContent-Length: %zu\r\n\r\n",
                        forwarded, self->template.size);
    struct iovec parts[2] = {{head, (size_t)size}, {self->template.bytes, self->template.size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t wrote = sendmsg(client->file, &message, MSG_NOSIGNAL);
    client->number = number;
    client->busy = true;
    client->sent_ns = overload_socket_now_ns();
    self->sent++;
    if (wrote != size + (ssize_t)self->template.size)
        client_break(self, client);
}

static const char *header_of(const char *answer, const char *name)
{
    const char *at = strcasestr(answer, name);
    return at == NULL ? NULL : at + strlen(name);
}

static void note_retry(struct load *self, struct client *client, uint64_t now_ns)
{
    const char *retry = header_of(client->answer, "\r\nRetry-After: ");
    unsigned long seconds = retry == NULL ? 0 : strtoul(retry, NULL, 10);
    self->no_retry_after += retry == NULL;
    self->retry[seconds < RETRY_SECONDS ? seconds : RETRY_SECONDS - 1] += retry != NULL;
    client->silent_until_ns = self->honor ? now_ns + seconds * 1000000000u : 0;
}

static void note_acked(struct load *self, uint64_t number)
{
    if (self->ledger_path == NULL)
        return;
    if (number >= self->ledger_room) {
        uint64_t room = 2 * number + 1024;
        self->ledger = realloc(self->ledger, room);
        if (self->ledger == NULL)
            exit(2);
        memset(self->ledger + self->ledger_room, 0, room - self->ledger_room);
        self->ledger_room = room;
    }
    self->ledger[number] = 1;
}

static bool write_ledger(const struct load *self)
{
    uint64_t size = self->next_number < self->ledger_room ? self->next_number : self->ledger_room;
    FILE *file = fopen(self->ledger_path, "wb");
    bool good = file != NULL && fwrite(self->ledger, 1, size, file) == size;
    return file != NULL && fclose(file) == 0 && good;
}

static void note_answer(struct load *self, struct client *client, unsigned status)
{
    uint64_t now_ns = overload_socket_now_ns(), us = (now_ns - client->sent_ns) / 1000;
    uint64_t second = (now_ns - self->began_ns) / 1000000000u;
    unsigned bucket = 0;
    if (status == 503 || status == 429) {
        self->refused++;
        note_retry(self, client, now_ns);
        return;
    }
    if (status != 204) {
        self->other++;
        return;
    }
    while (us > 1 && bucket < LATENCIES - 1) {
        us >>= 1;
        bucket++;
    }
    self->acked++;
    self->latency[bucket]++;
    self->per_second[second < SECONDS_MAX ? second : SECONDS_MAX - 1]++;
    note_acked(self, client->number);
}

/* true: a whole answer was there. */
static bool client_take(struct load *self, struct client *client)
{
    client->answer[client->received] = '\0';
    const char *end = strstr(client->answer, "\r\n\r\n");
    if (end == NULL)
        return false;
    const char *length = header_of(client->answer, "\r\nContent-Length: ");
    size_t whole = (size_t)(end + 4 - client->answer) + (length == NULL ? 0 : strtoul(length, NULL, 10));
    if (client->received < whole)
        return false;
    note_answer(self, client, (unsigned)strtoul(client->answer + 9, NULL, 10));
    client->busy = false;
    client->received = 0;
    if (header_of(client->answer, "\r\nConnection: close") != NULL)
        client_break(self, client);
    return true;
}

static bool wants_more(const struct load *self)
{
    return self->count == 0 || self->next_number < self->count;
}

static void client_read(struct load *self, struct client *client)
{
    ssize_t got = recv(client->file, client->answer + client->received, ANSWER_BYTES_MAX - client->received, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        client_break(self, client);
        return;
    }
    client->received += (size_t)got;
    if (client_take(self, client) && self->rate == 0 && wants_more(self))
        client_send(self, client);
}

static void offer(struct load *self, uint64_t now_ns)
{
    uint64_t due = (uint64_t)((double)(now_ns - self->began_ns) * (double)self->rate / 1e9);
    for (; self->offered < due && wants_more(self); self->offered++) {
        struct client *client = &self->client[self->offered % self->connections];
        if (client->busy || client->file < 0 || now_ns < client->silent_until_ns)
            self->unsent++;
        else
            client_send(self, client);
    }
}

static void step(struct load *self)
{
    struct epoll_event event[256];
    int count = epoll_wait(self->poll, event, 256, self->rate > 0 ? 1 : 50);
    for (int i = 0; i < count; i++)
        client_read(self, event[i].data.ptr);
    if (self->rate > 0) {
        offer(self, overload_socket_now_ns());
        return;
    }
    for (unsigned i = 0; i < self->connections && count <= 0; i++) /* those that were opened again */
        if (!self->client[i].busy && self->client[i].file >= 0 && wants_more(self))
            client_send(self, &self->client[i]);
}

static bool is_waited_for(const struct load *self)
{
    for (unsigned i = 0; i < self->connections; i++)
        if (self->client[i].busy)
            return true;
    return false;
}

static void run(struct load *self, uint64_t seconds)
{
    struct epoll_event event[256];
    self->began_ns = overload_socket_now_ns();
    uint64_t end_ns = self->began_ns + seconds * 1000000000u;
    for (unsigned i = 0; i < self->connections && self->rate == 0 && wants_more(self); i++)
        client_send(self, &self->client[i]);
    while (overload_socket_now_ns() < end_ns && (wants_more(self) || is_waited_for(self)))
        step(self);
    self->rate = 1; /* nothing more is sent; what is under way is waited for */
    uint64_t late_ns = overload_socket_now_ns() + 10000000000u;
    while (is_waited_for(self) && overload_socket_now_ns() < late_ns) {
        int count = epoll_wait(self->poll, event, 256, 100);
        for (int i = 0; i < count; i++)
            client_read(self, event[i].data.ptr);
    }
}

static void print_numbers(const char *name, const uint64_t *values, size_t count)
{
    printf(", \"%s\": [", name);
    while (count > 1 && values[count - 1] == 0)
        count--;
    for (size_t i = 0; i < count; i++)
        printf("%s%" PRIu64, i == 0 ? "" : ", ", values[i]);
    printf("]");
}

static void report(const struct load *self, double seconds)
{
    printf("{\"seconds\": %.3f, \"offered\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"unsent\": %" PRIu64
           ", \"acked\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"other\": %" PRIu64 ", \"broken\": %" PRIu64
           ", \"no_retry_after\": %" PRIu64 ", \"numbers\": %" PRIu64,
           seconds, self->offered, self->sent, self->unsent, self->acked, self->refused, self->other, self->broken,
           self->no_retry_after, self->next_number);
    print_numbers("retry_after", self->retry, RETRY_SECONDS);
    print_numbers("latency_log2_us", self->latency, LATENCIES);
    print_numbers("acked_per_second", self->per_second, SECONDS_MAX);
    printf("}\n");
}

int main(int count, char **arguments)
{
    static struct load load;
    load.ledger_path = overload_socket_text(count, arguments, "ledger");
    load.port = (unsigned)overload_socket_option(count, arguments, "port", 0);
    load.connections = (unsigned)overload_socket_option(count, arguments, "connections", 64);
    load.rate = overload_socket_option(count, arguments, "rate", 0);
    load.seed = overload_socket_option(count, arguments, "seed", 1);
    load.count = overload_socket_option(count, arguments, "count", 0);
    load.honor = overload_socket_option(count, arguments, "honor", 0);
    load.forwarded = overload_socket_option(count, arguments, "forwarded", 0);
    template_read(&load.template, overload_socket_text(count, arguments, "beacon"));
    load.poll = epoll_create1(EPOLL_CLOEXEC);
    load.client = calloc(load.connections, sizeof *load.client);
    if (load.port == 0 || load.client == NULL)
        return 2;
    for (unsigned i = 0; i < load.connections; i++)
        client_open(&load, &load.client[i]);
    run(&load, overload_socket_option(count, arguments, "seconds", 5));
    report(&load, (double)(overload_socket_now_ns() - load.began_ns) / 1e9);
    bool written = load.ledger_path == NULL || write_ledger(&load);
    free(load.ledger);
    free(load.client);
    return written ? 0 : 2;
}
