#include "collector/ingest/ingest_origin.h"

/* Positions inside an origin. */
struct ingest_origin_parts {
    struct slice scheme, host, port; /* port with its colon; empty when absent */
};

static bool ingest_origin_is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool ingest_origin_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool ingest_origin_is_mark(uint8_t c)
{
    return c == '+' || c == '-' || c == '.'; /* not strchr(): it finds NUL in every string */
}

static size_t ingest_origin_scheme_size(struct slice text)
{
    size_t size = 0;
    while (size < text.size &&
           (ingest_origin_is_lower(text.data[size]) ||
            (size > 0 && (ingest_origin_is_digit(text.data[size]) || ingest_origin_is_mark(text.data[size])))))
        size++;
    return size;
}

/* Labels of letters, digits, '-' and '_', none of them empty. */
static bool ingest_origin_name_is_valid(struct slice host)
{
    uint8_t before = '.';
    for (size_t i = 0; i < host.size; i++) {
        uint8_t c = host.data[i];
        bool plain = ingest_origin_is_lower(c) || ingest_origin_is_digit(c) || c == '-' || c == '_';
        if (!plain && (c != '.' || before == '.'))
            return false;
        before = c;
    }
    return host.size > 0;
}

static bool ingest_origin_address_is_valid(struct slice host)
{
    if (host.size < 4 || host.data[0] != '[' || host.data[host.size - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < host.size; i++)
        if (!ingest_origin_is_digit(host.data[i]) && host.data[i] != ':' && host.data[i] != '.' &&
            (host.data[i] < 'a' || host.data[i] > 'f'))
            return false;
    return true;
}

static bool ingest_origin_port_is_valid(struct slice port)
{
    if (port.size == 0)
        return true;
    if (port.size < 2 || port.size > 6 || port.data[1] == '0')
        return false;
    for (size_t i = 1; i < port.size; i++)
        if (!ingest_origin_is_digit(port.data[i]))
            return false;
    return true;
}

static bool ingest_origin_split(struct slice text, struct ingest_origin_parts *out)
{
    size_t scheme = ingest_origin_scheme_size(text);
    if (text.size > INGEST_ORIGIN_BYTES_MAX || scheme == 0 || text.size < scheme + 4 ||
        memcmp(text.data + scheme, "://", 3) != 0)
        return false;
    struct slice rest = slice_of(text.data + scheme + 3, text.size - scheme - 3);
    const uint8_t *bracket = rest.data[0] == '[' ? memchr(rest.data, ']', rest.size) : NULL;
    size_t from = bracket == NULL ? 0 : (size_t)(bracket - rest.data);
    const uint8_t *colon = memchr(rest.data + from, ':', rest.size - from);
    size_t host = colon == NULL ? rest.size : (size_t)(colon - rest.data);
    out->scheme = slice_of(text.data, scheme);
    out->host = slice_of(rest.data, host);
    out->port = slice_of(rest.data + host, rest.size - host);
    return ingest_origin_port_is_valid(out->port);
}

bool ingest_origin_is_valid(struct slice origin)
{
    struct ingest_origin_parts parts;
    return ingest_origin_split(origin, &parts) &&
           (ingest_origin_name_is_valid(parts.host) || ingest_origin_address_is_valid(parts.host));
}

static bool ingest_origin_is_wildcard(struct slice host)
{
    return host.size > 2 && host.data[0] == '*' && host.data[1] == '.';
}

bool ingest_origin_rule_is_valid(struct slice rule)
{
    struct ingest_origin_parts parts;
    if (!ingest_origin_split(rule, &parts))
        return false;
    if (!ingest_origin_is_wildcard(parts.host))
        return ingest_origin_is_valid(rule);
    return ingest_origin_name_is_valid(slice_of(parts.host.data + 2, parts.host.size - 2));
}

/* Nearly all rules are without a wildcard: what equals one is as valid as it is, and need not be looked at. */
bool ingest_origin_matches(struct slice rule, struct slice origin)
{
    struct ingest_origin_parts want, have;
    if (rule.size > 0 && memchr(rule.data, '*', rule.size) == NULL)
        return slice_equal(rule, origin);
    if (!ingest_origin_is_valid(origin) || !ingest_origin_split(rule, &want) || !ingest_origin_split(origin, &have))
        return false;
    if (!ingest_origin_is_wildcard(want.host))
        return false;
    struct slice suffix = slice_of(want.host.data + 1, want.host.size - 1); /* with its dot */
    return slice_equal(want.scheme, have.scheme) && slice_equal(want.port, have.port) && have.host.size > suffix.size &&
           memcmp(have.host.data + have.host.size - suffix.size, suffix.data, suffix.size) == 0;
}
