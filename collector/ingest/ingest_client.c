#include "collector/ingest/ingest_client.h"

#include <arpa/inet.h>

#define INGEST_CLIENT_TEXT_BYTES_MAX 63u

static struct slice ingest_client_trim(struct slice text)
{
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = slice_of(text.data + 1, text.size - 1);
    return text;
}

/* "192.0.2.1", "192.0.2.1:5000", "2001:db8::1", "[2001:db8::1]:5000" -> the address alone. */
static struct slice ingest_client_strip_port(struct slice text)
{
    if (text.size > 0 && text.data[0] == '[') {
        const uint8_t *end = memchr(text.data, ']', text.size);
        return end == NULL ? slice_of(NULL, 0) : slice_of(text.data + 1, (size_t)(end - text.data) - 1);
    }
    const uint8_t *colon = text.size > 0 ? memchr(text.data, ':', text.size) : NULL;
    if (colon == NULL || memchr(colon + 1, ':', text.size - (size_t)(colon + 1 - text.data)) != NULL)
        return text;
    return slice_of(text.data, (size_t)(colon - text.data));
}

static bool ingest_client_read_address(struct slice text, uint8_t out[16])
{
    char copy[INGEST_CLIENT_TEXT_BYTES_MAX + 1];
    text = ingest_client_strip_port(ingest_client_trim(text));
    if (text.size == 0 || text.size > INGEST_CLIENT_TEXT_BYTES_MAX)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(AF_INET6, copy, out) == 1)
        return true;
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    return inet_pton(AF_INET, copy, out + 12) == 1;
}

bool ingest_client_parse(struct slice forwarded, unsigned hop, uint8_t out[16])
{
    size_t end = forwarded.size;
    while (hop > 0) {
        size_t begin = end;
        while (begin > 0 && forwarded.data[begin - 1] != ',')
            begin--;
        if (--hop == 0) {
            uint8_t address[16];
            if (!ingest_client_read_address(slice_of(forwarded.data + begin, end - begin), address))
                return false;
            memcpy(out, address, sizeof address);
            return true;
        }
        if (begin == 0)
            return false;
        end = begin - 1;
    }
    return false;
}

unsigned ingest_client_count(struct slice forwarded)
{
    unsigned count = 1;
    for (size_t i = 0; i < forwarded.size; i++)
        count += forwarded.data[i] == ',';
    return count;
}

/* Several lines of the header are one list (RFC 9110, 5.3), so the count goes on from the last line to the one above. */
void ingest_client_find(const struct net_exchange *exchange, unsigned hops, uint8_t out[16])
{
    memcpy(out, net_exchange_peer(exchange), 16);
    unsigned lines = hops == 0 ? 0 : net_exchange_header_count(exchange, "x-forwarded-for");
    while (lines > 0) {
        struct slice line = net_exchange_header_at(exchange, "x-forwarded-for", --lines);
        unsigned entries = ingest_client_count(line);
        if (hops <= entries) {
            ingest_client_parse(line, hops, out);
            return;
        }
        hops -= entries;
    }
}
