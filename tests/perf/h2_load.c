/*
 * HTTP/2 load for tests/perf/ingest.sh, by prior knowledge: CONNECTIONS with STREAMS requests under way on each, for
 * SECONDS, a POST of the beacon in FILE with another seq every time (h2load sends one body, which would measure what a
 * duplicate costs). One thread; closed loop. Prints "N requests in SECONDS s, F failed".
 *   h2_load PORT FILE FIRST_SEQ CONNECTIONS STREAMS SECONDS
 */
#include "proto/wire/slice.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BEACON_BYTES_MAX (64u << 10)
#define CONNECTIONS_MAX  256u
#define STREAMS_MAX      100u
#define WRITE_BYTES      (256u << 10)

static const char placeholder[] = "\xff\xff\xff\xff\x0f"; /* the seq that ingest_beacon.mjs writes */

struct load {
    char beacon[BEACON_BYTES_MAX], length[8], authority[32];
    size_t beacon_size, seq_at;
    uint64_t seq, done, failed;
};

struct client {
    struct load *load;
    int file;
    nghttp2_session *session;
    uint8_t out[WRITE_BYTES];
    size_t out_size, out_sent;
    bool dismissed; /* it may ask no more on this connection */
};

/* A request's body: the beacon with its own seq. */
struct body {
    uint8_t seq[5];
    size_t sent;
};

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *context)
{
    (void)session;
    (void)id;
    const struct load *load = ((struct client *)context)->load;
    struct body *body = source->ptr;
    size_t left = load->beacon_size - body->sent, size = left < room ? left : room;
    memcpy(out, load->beacon + body->sent, size);
    for (size_t i = 0; i < sizeof body->seq; i++)
        if (load->seq_at + i >= body->sent && load->seq_at + i < body->sent + size)
            out[load->seq_at + i - body->sent] = body->seq[i];
    body->sent += size;
    if (size == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static void ask(struct client *self)
{
    struct load *load = self->load;
    if (nghttp2_session_check_request_allowed(self->session) == 0) { /* GOAWAY: nginx says it now and then */
        self->dismissed = true;
        return;
    }
    struct body *body = calloc(1, sizeof *body);
    if (body == NULL)
        abort();
    uint64_t seq = load->seq++;
    for (size_t i = 0; i < sizeof body->seq; i++, seq >>= 7) /* a varint of five bytes, as the placeholder is */
        body->seq[i] = (uint8_t)((seq & 0x7f) | (i < 4 ? 0x80 : 0));
    const nghttp2_nv fields[] = {field(":method", "POST"), field(":scheme", "http"), field(":path", "/v1/beacon"),
                                 field(":authority", load->authority), field("origin", "https://shop.example"),
                                 field("content-type", "text/plain;charset=UTF-8"),
                                 field("content-length", load->length)};
    const nghttp2_data_provider provider = {.source.ptr = body, .read_callback = read_body};
    if (nghttp2_submit_request(self->session, NULL, fields, sizeof fields / sizeof fields[0], &provider, body) < 0)
        abort();
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                     const uint8_t *value, size_t value_size, uint8_t flags, void *context)
{
    (void)session;
    (void)frame;
    (void)flags;
    struct client *self = context;
    if (slice_equal(slice_of(name, name_size), slice_text(":status")))
        self->load->failed += !slice_equal(slice_of(value, value_size), slice_text("204"));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *context)
{
    struct client *self = context;
    free(nghttp2_session_get_stream_user_data(session, id));
    if (error != NGHTTP2_REFUSED_STREAM) { /* behind a GOAWAY: never looked at */
        self->load->done++;
        self->load->failed += error != NGHTTP2_NO_ERROR;
    }
    ask(self);
    return 0;
}

static void client_open(struct client *self, struct load *load, unsigned port, unsigned streams)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    nghttp2_session_callbacks *callbacks;
    int one = 1;
    self->load = load;
    self->file = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(self->file, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        exit(1);
    }
    setsockopt(self->file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&self->session, callbacks, self);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, NULL, 0);
    for (unsigned i = 0; i < streams; i++)
        ask(self);
}

/* What the server left unanswered is in no count. */
static void client_open_again(struct client *self, unsigned port, unsigned streams)
{
    struct load *load = self->load;
    nghttp2_session_del(self->session);
    close(self->file);
    memset(self, 0, sizeof *self);
    client_open(self, load, port, streams);
}

static bool client_fill(struct client *self)
{
    const uint8_t *data;
    ssize_t size = 0;
    while (self->out_size + (32u << 10) < sizeof self->out && (size = nghttp2_session_mem_send(self->session, &data)) > 0) {
        memcpy(self->out + self->out_size, data, (size_t)size);
        self->out_size += (size_t)size;
    }
    return size >= 0;
}

static void client_write(struct client *self)
{
    while (client_fill(self) && self->out_sent < self->out_size) {
        ssize_t sent = send(self->file, self->out + self->out_sent, self->out_size - self->out_sent,
                            MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0)
            return; /* full; or broken, which reading finds out */
        self->out_sent += (size_t)sent;
        if (self->out_sent == self->out_size)
            self->out_sent = self->out_size = 0;
    }
}

static bool client_read(struct client *self)
{
    uint8_t data[65536];
    ssize_t size = recv(self->file, data, sizeof data, MSG_DONTWAIT);
    return size > 0 && nghttp2_session_mem_recv(self->session, data, (size_t)size) >= 0;
}

static void load_read_beacon(struct load *self, const char *name)
{
    FILE *file = fopen(name, "rb");
    self->beacon_size = file == NULL ? 0 : fread(self->beacon, 1, sizeof self->beacon, file);
    char *at = memmem(self->beacon, self->beacon_size, placeholder, sizeof placeholder - 1);
    if (file == NULL || at == NULL) {
        fprintf(stderr, "%s: no beacon with a seq to replace\n", name);
        exit(1);
    }
    fclose(file);
    self->seq_at = (size_t)(at - self->beacon);
    snprintf(self->length, sizeof self->length, "%zu", self->beacon_size);
}

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void run(struct client *client, unsigned count, unsigned port, unsigned streams, double until)
{
    struct pollfd watched[CONNECTIONS_MAX];
    while (now() < until) {
        for (unsigned i = 0; i < count; i++) {
            client_write(&client[i]);
            watched[i] = (struct pollfd){client[i].file, (short)(POLLIN | (client[i].out_size > 0 ? POLLOUT : 0)), 0};
        }
        poll(watched, count, 100);
        for (unsigned i = 0; i < count; i++)
            if (((watched[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !client_read(&client[i])) ||
                client[i].dismissed)
                client_open_again(&client[i], port, streams);
    }
}

int main(int count, char **value)
{
    static struct load load;
    if (count != 7)
        return 2;
    unsigned port = (unsigned)atoi(value[1]), connections = (unsigned)atoi(value[4]), streams = (unsigned)atoi(value[5]);
    struct client *client = calloc(CONNECTIONS_MAX, sizeof *client);
    if (client == NULL || connections > CONNECTIONS_MAX || streams > STREAMS_MAX)
        return 2;
    load_read_beacon(&load, value[2]);
    load.seq = (1u << 28) + strtoull(value[3], NULL, 10); /* from there on a varint has five bytes */
    snprintf(load.authority, sizeof load.authority, "127.0.0.1:%u", port);
    for (unsigned i = 0; i < connections; i++)
        client_open(&client[i], &load, port, streams);
    run(client, connections, port, streams, now() + atof(value[6]));
    printf("%llu requests in %s s, %llu failed\n", (unsigned long long)load.done, value[6],
           (unsigned long long)load.failed);
    return load.failed != 0;
}
