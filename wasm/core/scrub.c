#include "wasm/core/scrub.h"

#include "wasm/core/utf8.h"

#define CALL_TAG_LIMIT 1000000000u

static bool is_alpha(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Bytes of "scheme:", 0 when there is none (RFC 3986: ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )). */
static size_t scheme_size(struct slice url)
{
    if (url.size == 0 || !is_alpha(url.data[0]))
        return 0;
    for (size_t i = 1; i < url.size; i++) {
        uint8_t c = url.data[i];
        if (c == ':')
            return i + 1;
        if (!is_alpha(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.')
            return 0;
    }
    return 0;
}

static bool has_authority(struct slice url, size_t scheme)
{
    return url.size - scheme >= 2 && url.data[scheme] == '/' && url.data[scheme + 1] == '/';
}

#define EACH_BYTE(byte) (0x0101010101010101u * (byte))

/* Not 0 when one of eight bytes is `byte`. */
static uint64_t has_byte(uint64_t word, uint8_t byte)
{
    uint64_t zeroed = word ^ EACH_BYTE(byte);
    return (zeroed - EACH_BYTE(1)) & ~zeroed & EACH_BYTE(0x80);
}

/* Every URL of every resource runs through this loop: eight bytes a step until the path may end. */
static size_t find_path_end(struct slice url, size_t from)
{
    size_t i = from;
    for (; url.size - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, url.data + i, sizeof word);
        if ((has_byte(word, '?') | has_byte(word, '#')) != 0)
            break;
    }
    while (i < url.size && url.data[i] != '?' && url.data[i] != '#')
        i++;
    return i;
}

/* A backslash ends the authority of http URLs too: what a browser would not take for user information stays out. */
static size_t find_authority_end(struct slice url, size_t from)
{
    size_t i = from;
    while (i < url.size && url.data[i] != '/' && url.data[i] != '\\' && url.data[i] != '?' && url.data[i] != '#')
        i++;
    return i;
}

/* First byte after the last '@' of the authority, or its begin. URL parsers end user information at the last '@'. */
static size_t host_start(struct slice url, size_t begin, size_t end)
{
    for (size_t i = end; i > begin; i--)
        if (url.data[i - 1] == '@')
            return i;
    return begin;
}

/* The parts of a hierarchical URL: [0, begin) scheme://, [host, authority_end) host and port, [.., path_end) path. */
struct url_parts {
    size_t begin, host, authority_end, path_end;
};

static struct url_parts split(struct slice url, size_t scheme)
{
    struct url_parts parts;
    parts.begin = has_authority(url, scheme) ? scheme + 2 : 0;
    parts.authority_end = parts.begin == 0 ? 0 : find_authority_end(url, parts.begin);
    parts.host = host_start(url, parts.begin, parts.authority_end);
    parts.path_end = find_path_end(url, parts.authority_end);
    return parts;
}

/* [0, begin) + [host, end), cut to the maximum between characters. */
static struct slice join(struct scrub *self, struct slice url, struct url_parts parts, size_t end)
{
    if (parts.host == parts.begin)
        return utf8_cut(slice_of(url.data, end), SCRUB_URL_BYTES_MAX);
    size_t head = parts.begin < SCRUB_URL_BYTES_MAX ? parts.begin : SCRUB_URL_BYTES_MAX;
    struct slice rest = utf8_cut(slice_of(url.data + parts.host, end - parts.host), SCRUB_URL_BYTES_MAX - head);
    memcpy(self->text, url.data, head);
    memcpy(self->text + head, rest.data, rest.size);
    return slice_of(self->text, head + rest.size);
}

static bool keeps_opaque_path(struct slice url, size_t scheme)
{
    return slice_equal(slice_of(url.data, scheme), slice_text("about:"));
}

struct slice scrub_url(struct scrub *self, struct slice url)
{
    size_t scheme = scheme_size(url);
    if (scheme > 0 && !has_authority(url, scheme) && !keeps_opaque_path(url, scheme))
        return utf8_cut(slice_of(url.data, scheme), SCRUB_URL_BYTES_MAX);
    struct url_parts parts = split(url, scheme);
    return join(self, url, parts, parts.path_end);
}

struct slice scrub_origin(struct scrub *self, struct slice url)
{
    size_t scheme = scheme_size(url);
    if (scheme == 0 || !has_authority(url, scheme))
        return slice_of(NULL, 0);
    struct url_parts parts = split(url, scheme);
    return join(self, url, parts, parts.authority_end);
}

struct slice scrub_name(struct scrub *self, struct slice name)
{
    size_t scheme = scheme_size(name);
    return scheme > 0 && has_authority(name, scheme) ? scrub_url(self, name) : name;
}

/* From the end: a URL that ends in no digit, as nearly all do, costs one look. */
uint32_t scrub_call_tag(struct slice url)
{
    uint32_t tag = 0, unit = 1;
    size_t at = url.size;
    for (; at > 0 && unit < CALL_TAG_LIMIT && url.data[at - 1] >= '0' && url.data[at - 1] <= '9'; unit *= 10)
        tag += (uint32_t)(url.data[--at] - '0') * unit;
    bool is_ours = at >= 4 && tag >= unit / 10 && memcmp(url.data + at - 4, "#vt-", 4) == 0;
    return is_ours ? tag : 0;
}

/* Ends a URL that is quoted in free text. */
static bool is_delimiter(uint8_t c)
{
    return c <= ' ' || c == ')' || c == '(' || c == '"' || c == '\'' || c == '`' || c == '<' || c == '>' || c == ']' ||
           c == ',';
}

static size_t find_delimiter(struct slice text, size_t from)
{
    size_t i = from;
    while (i < text.size && !is_delimiter(text.data[i]))
        i++;
    return i;
}

/* Begin of the ":12" or ":12:34" that ends at `end`, not before `begin`; `end` when there is none. */
static size_t position_start(struct slice text, size_t begin, size_t end)
{
    size_t start = end;
    for (int part = 0; part < 2; part++) {
        size_t i = start;
        while (i > begin && text.data[i - 1] >= '0' && text.data[i - 1] <= '9')
            i--;
        if (i == start || i == begin || text.data[i - 1] != ':')
            break;
        start = i - 1;
    }
    return start;
}

static bool follows_scheme(struct slice text, size_t i)
{
    return i >= 3 && memcmp(text.data + i - 3, "://", 3) == 0;
}

static size_t append(struct scrub *self, size_t size, struct slice part)
{
    struct slice fitting = utf8_cut(part, sizeof self->text - size);
    if (fitting.size > 0)
        memcpy(self->text + size, fitting.data, fitting.size);
    return size + fitting.size;
}

struct slice scrub_text(struct scrub *self, struct slice text)
{
    size_t size = 0, copied = 0;
    for (size_t i = 0; i < text.size && size < sizeof self->text; i++) {
        if (!follows_scheme(text, i))
            continue;
        size_t end = find_delimiter(text, i);
        struct slice url = slice_of(text.data, end);
        size_t authority_end = find_authority_end(url, i);
        size_t path_end = find_path_end(url, authority_end);
        size_t host = host_start(url, i, authority_end);
        size = append(self, size, slice_of(text.data + copied, i - copied));
        size = append(self, size, slice_of(text.data + host, path_end - host));
        copied = path_end == end ? end : position_start(text, path_end, end);
        i = end; /* the delimiter itself cannot follow a scheme */
    }
    if (copied == 0)
        return utf8_cut(text, sizeof self->text);
    size = append(self, size, slice_of(text.data + copied, text.size - copied));
    return slice_of(self->text, size);
}
