/*
 * Time to the durable answer, from outside: posts beacons over keep-alive connections at a rate that does not depend on the
 * answers, and measures each from when it was due.
 *
 *   latency PORT BEACON_FILE CONNECTIONS SECONDS 0       closed loop: each connection sends when it was answered (capacity)
 *   latency PORT BEACON_FILE CONNECTIONS SECONDS RATE    open loop: RATE a second, evenly spaced
 *
 * A beacon that is due while every connection waits for an answer is sent late, but its time counts from when it was due:
 * a server that stalls for a second is charged for all that came in that second, not for one. What is left unanswered at
 * the end counts as answered then. Prints: answers a second, p50, p99, p999, max in milliseconds, answers other than 204.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 4096u
#define REQUEST_MAX     65536u
#define SAMPLES_MAX     (16u << 20) /* 128 MiB; 3 minutes at 90,000 a second */
#define DRAIN_NS        2000000000u

struct peer {
    int file;
    uint64_t due_ns; /* of the request under way; 0 = idle */
};

struct load {
    uint8_t request[REQUEST_MAX];
    size_t request_size, seq_at;
    uint64_t seq;
    int epoll;
    struct peer peer[CONNECTIONS_MAX];
    unsigned peer_count;
    unsigned idle[CONNECTIONS_MAX], idle_count;
    uint64_t *sample, sample_count, refused;
    uint64_t begin_ns, end_ns, interval_ns, due_count; /* interval 0 = closed loop */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* The beacon has a seq of five bytes that occur nowhere else (ingest_beacon.mjs). */
static void load_read(struct load *self, const char *path)
{
    static const uint8_t placeholder[] = {0xff, 0xff, 0xff, 0xff, 0x0f};
    static uint8_t beacon[REQUEST_MAX / 2];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        die(path);
    size_t size = fread(beacon, 1, sizeof beacon, file);
    fclose(file);
    int head = snprintf((char *)self->request, sizeof self->request,
                        "POST /v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://shop.example\r\n"
                        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n",
                        size);
    memcpy(self->request + head, beacon, size);
    self->request_size = (size_t)head + size;
    const uint8_t *at = memmem(self->request, self->request_size, placeholder, sizeof placeholder);
    assert(at != NULL);
    self->seq_at = (size_t)(at - self->request);
    self->seq = (1u << 28) + (uint64_t)time(NULL) % 3600 * 800000u; /* runs against one daemon do not meet */
}

static void load_connect(struct load *self, unsigned port, unsigned connections)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self->epoll = epoll_create1(0);
    for (self->peer_count = 0; self->peer_count < connections; self->peer_count++) {
        int file = socket(AF_INET, SOCK_STREAM, 0), one = 1;
        if (file < 0 || connect(file, (struct sockaddr *)&address, sizeof address) != 0)
            die("connect");
        setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(file, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = self->peer_count};
        epoll_ctl(self->epoll, EPOLL_CTL_ADD, file, &event);
        self->peer[self->peer_count] = (struct peer){file, 0};
        self->idle[self->idle_count++] = self->peer_count;
    }
}

static void load_send(struct load *self, uint64_t due_ns)
{
    struct peer *peer = &self->peer[self->idle[--self->idle_count]];
    uint64_t seq = self->seq++;
    for (unsigned i = 0; i < 5; i++, seq >>= 7)
        self->request[self->seq_at + i] = (uint8_t)((seq & 0x7f) | (i < 4 ? 0x80 : 0));
    peer->due_ns = due_ns;
    if (send(peer->file, self->request, self->request_size, MSG_NOSIGNAL) != (ssize_t)self->request_size)
        die("send"); /* one request of a kilobyte in an empty socket buffer */
}

static void load_record(struct load *self, uint64_t due_ns, uint64_t now)
{
    if (self->sample_count == SAMPLES_MAX) {
        fputs("too many samples\n", stderr);
        exit(1);
    }
    self->sample[self->sample_count++] = now - due_ns;
}

static void load_take_answer(struct load *self, unsigned index)
{
    char answer[4096];
    struct peer *peer = &self->peer[index];
    ssize_t got = recv(peer->file, answer, sizeof answer, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got < 13 || peer->due_ns == 0)
        die("an answer was cut, or came unasked");
    self->refused += memcmp(answer + 9, "204", 3) != 0;
    load_record(self, peer->due_ns, now_ns());
    peer->due_ns = 0;
    self->idle[self->idle_count++] = index;
}

/* All that is due by now, as far as connections are free: the others stay due. Returns when the next one is. */
static uint64_t load_send_due(struct load *self, uint64_t now)
{
    uint64_t due = now;
    while (now < self->end_ns && self->idle_count > 0) {
        if (self->interval_ns > 0)
            due = self->begin_ns + self->due_count * self->interval_ns;
        if (due > now || due >= self->end_ns)
            return due;
        self->due_count++;
        load_send(self, due);
    }
    return now + 1000000;
}

static void load_run(struct load *self)
{
    struct epoll_event events[256];
    uint64_t now = now_ns();
    while (now < self->end_ns || (self->idle_count < self->peer_count && now < self->end_ns + DRAIN_NS)) {
        uint64_t next = load_send_due(self, now);
        now = now_ns();
        struct timespec wait = {0, next > now ? (long)(next - now < 1000000 ? next - now : 1000000) : 0};
        int count = epoll_pwait2(self->epoll, events, 256, &wait, NULL);
        for (int i = 0; i < count; i++)
            load_take_answer(self, events[i].data.u32);
        now = now_ns();
    }
}

/* What was due and has no answer: as if it came now. */
static void load_settle(struct load *self)
{
    uint64_t now = now_ns();
    for (unsigned i = 0; i < self->peer_count; i++)
        if (self->peer[i].due_ns != 0)
            load_record(self, self->peer[i].due_ns, now);
    if (self->interval_ns == 0)
        return;
    for (uint64_t due; (due = self->begin_ns + self->due_count * self->interval_ns) < self->end_ns; self->due_count++)
        load_record(self, due, now);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static double load_ms(const struct load *self, double share)
{
    uint64_t at = (uint64_t)((double)self->sample_count * share);
    return (double)self->sample[at < self->sample_count ? at : self->sample_count - 1] / 1e6;
}

int main(int argc, char **argv)
{
    static struct load load;
    if (argc != 6) {
        fputs("usage: latency PORT BEACON_FILE CONNECTIONS SECONDS RATE\n", stderr);
        return 2;
    }
    unsigned connections = (unsigned)atoi(argv[3]), seconds = (unsigned)atoi(argv[4]), rate = (unsigned)atoi(argv[5]);
    load.sample = malloc(SAMPLES_MAX * sizeof *load.sample);
    if (connections == 0 || connections > CONNECTIONS_MAX || load.sample == NULL)
        return 2;
    load_read(&load, argv[2]);
    load_connect(&load, (unsigned)atoi(argv[1]), connections);
    load.begin_ns = now_ns();
    load.end_ns = load.begin_ns + seconds * 1000000000ull;
    load.interval_ns = rate == 0 ? 0 : 1000000000u / rate;
    load_run(&load);
    load_settle(&load);
    qsort(load.sample, load.sample_count, sizeof *load.sample, compare);
    printf("%llu %.3f %.3f %.3f %.3f %llu\n", (unsigned long long)(load.sample_count / seconds), load_ms(&load, 0.5),
           load_ms(&load, 0.99), load_ms(&load, 0.999), load_ms(&load, 1.0), (unsigned long long)load.refused);
    return 0;
}
