/*
 * Spans read per second of CPU: batches of 100 spans with eight attributes each, the way an HTTP service exports them.
 * Also the same batch through gzip and as JSON, to see what is the price of a request. Not a test: prints, judges
 * nothing.
 */
#include "collector/otlp/otlp_internal.h"
#include "tests/unit/collector/otlp/otlp_message.h"

#include <libdeflate.h>
#include <stdio.h>
#include <time.h>

#define SPANS   100
#define SECONDS 1.0

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void span_write(struct message *out, unsigned n)
{
    uint8_t trace[16] = {1, [15] = (uint8_t)(n / 5)}, span[8] = {2, [7] = (uint8_t)n}, parent[8] = {3};
    out->size = 0;
    message_bytes(out, 1, slice_of(trace, sizeof trace));
    message_bytes(out, 2, slice_of(span, sizeof span));
    message_bytes(out, 4, slice_of(parent, sizeof parent));
    message_text(out, 5, "GET /cart/:id");
    message_number(out, 6, 2);
    message_fixed(out, 7, 1750000000000000000ull + n, 8);
    message_fixed(out, 8, 1750000000005000000ull + n, 8);
    message_attribute(out, 9, "http.request.method", "GET");
    message_attribute(out, 9, "http.route", "/cart/:id");
    message_attribute(out, 9, "url.path", "/cart/7");
    message_attribute_int(out, 9, "http.response.status_code", 200);
    message_attribute(out, 9, "server.address", "shop.example.test");
    message_attribute(out, 9, "client.address", "192.0.2.17");
    message_attribute(out, 9, "user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36");
    message_attribute(out, 9, "network.protocol.version", "1.1");
    message_text(out, 15, "");
    message_fixed(out, 16, 0x301, 4);
}

static void batch_write(struct message *request)
{
    static struct message span, scope, resource, spans;
    scope.size = resource.size = spans.size = request->size = 0;
    for (unsigned i = 0; i < SPANS; i++) {
        span_write(&span, i);
        message_bytes(&scope, 2, message_slice(&span));
    }
    message_attribute(&resource, 1, "service.name", "shop-api");
    message_bytes(&spans, 1, message_slice(&resource));
    message_bytes(&spans, 2, message_slice(&scope));
    message_bytes(request, 1, message_slice(&spans));
}

static size_t batch_write_json(char *out, size_t room)
{
    size_t at =
        (size_t)snprintf(out, room,
                         "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":"
                         "{\"stringValue\":\"shop-api\"}}],\"droppedAttributesCount\":0},\"scopeSpans\":[{\"scope\":"
                         "{\"name\":\"http\"},\"spans\":[");
#define ATTRIBUTE(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
    for (unsigned n = 0; n < SPANS; n++)
        at += (size_t)snprintf(
            out + at, room - at,
            "%s{\"traceId\":\"010000000000000000000000000000%02x\",\"spanId\":\"02000000000000%02x\",\"parentSpanId\":"
            "\"0300000000000000\",\"name\":\"GET /cart/:id\",\"kind\":2,\"startTimeUnixNano\":\"1750000000000000%03u\","
            "\"endTimeUnixNano\":\"1750000000005000%03u\",\"attributes\":[" ATTRIBUTE("http.request.method", "GET") "," ATTRIBUTE("http.route", "/cart/:id") "," ATTRIBUTE(
                "url.path", "/cart/7") ",{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":200}}"
                                       "," ATTRIBUTE("server.address",
                                                     "shop.example.test") "," ATTRIBUTE("client.address",
                                                                                        "192.0.2.17") "," ATTRIBUTE("us"
                                                                                                                    "er"
                                                                                                                    "_a"
                                                                                                                    "ge"
                                                                                                                    "nt"
                                                                                                                    ".o"
                                                                                                                    "ri"
                                                                                                                    "gi"
                                                                                                                    "na"
                                                                                                                    "l",
                                                                                                                    "Mo"
                                                                                                                    "zi"
                                                                                                                    "ll"
                                                                                                                    "a/"
                                                                                                                    "5."
                                                                                                                    "0 "
                                                                                                                    "(X"
                                                                                                                    "11"
                                                                                                                    "; "
                                                                                                                    "Li"
                                                                                                                    "nu"
                                                                                                                    "x "
                                                                                                                    "x8"
                                                                                                                    "6_"
                                                                                                                    "64"
                                                                                                                    ") "
                                                                                                                    "Ap"
                                                                                                                    "pl"
                                                                                                                    "eW"
                                                                                                                    "eb"
                                                                                                                    "Ki"
                                                                                                                    "t/"
                                                                                                                    "53"
                                                                                                                    "7."
                                                                                                                    "3"
                                                                                                                    "6") "," ATTRIBUTE("network.protocol.version",
                                                                                                                                       "1.1") "],\"droppedAttributesCount\":0,\"events\":[],\"droppedEventsCount\":0,\"status\":{\"code\":0},\"links\":[],"
                                                                                                                                              "\"droppedLinksCount\":0,\"flags\":769}",
            n > 0 ? "," : "", n / 5, n, n, n);
    return at + (size_t)snprintf(out + at, room - at, "]}]}]}");
}

static unsigned batch_read(struct slice request)
{
    struct otlp_reader reader;
    struct otlp_span span;
    unsigned count = 0;
    otlp_reader_init(&reader, request);
    while (otlp_reader_next(&reader, &span) == OTLP_SPAN)
        count++;
    return count;
}

static void report(const char *what, unsigned long spans, double seconds, size_t bytes)
{
    printf("%-24s %6.2f million spans per CPU-second, %6.0f MB/s, batch of %d spans = %zu bytes\n", what,
           (double)spans / seconds * 1e-6, (double)spans / SPANS * (double)bytes / seconds * 1e-6, SPANS, bytes);
}

int main(void)
{
    static struct message request;
    static uint8_t packed[65536];
    struct otlp otlp = {.bodies.bytes_max = OTLP_BODY_BYTES_TOTAL_MAX};
    batch_write(&request);
    unsigned long spans = 0;
    double start = cpu_seconds(), seconds;
    while ((seconds = cpu_seconds() - start) < SECONDS) {
        for (unsigned i = 0; i < 100; i++)
            spans += batch_read(message_slice(&request));
    }
    report("read", spans, seconds, request.size);

    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t size = libdeflate_gzip_compress(compressor, request.bytes, request.size, packed, sizeof packed);
    libdeflate_free_compressor(compressor);
    spans = 0;
    start = cpu_seconds();
    while ((seconds = cpu_seconds() - start) < SECONDS) {
        for (unsigned i = 0; i < 100; i++) {
            struct inflate_body inflated = {0};
            if (inflate_gzip(&otlp.bodies, OTLP_GZIP_LIMITS, slice_of(packed, size), &inflated) != INFLATE_OK)
                return 1;
            spans += batch_read(slice_of(inflated.data, inflated.size));
            inflate_body_release(&otlp.bodies, &inflated);
        }
    }
    report("inflate and read", spans, seconds, request.size);

    static char json[SPANS * 2048];
    size_t json_size = batch_write_json(json, sizeof json);
    spans = 0;
    start = cpu_seconds();
    while ((seconds = cpu_seconds() - start) < SECONDS) {
        for (unsigned i = 0; i < 100; i++) {
            struct inflate_body converted = {0};
            if (otlp_json_convert(&otlp.bodies, slice_of(json, json_size), &converted) != INFLATE_OK)
                return 1;
            spans += batch_read(slice_of(converted.data, converted.size));
            inflate_body_release(&otlp.bodies, &converted);
        }
    }
    report("JSON: convert and read", spans, seconds, json_size);
    return 0;
}
