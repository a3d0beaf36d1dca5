#include "wasm/core/scrub.h"

#include "wasm/core/redactor.h"
#include "wasm/core/utf8.h"

#define CALL_TAG_DIGITS_MAX 9u

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

static size_t append(struct scrub *self, size_t size, struct slice part, size_t limit)
{
    struct slice fitting = utf8_cut(part, limit - size);
    if (fitting.size > 0)
        memcpy(self->text + size, fitting.data, fitting.size);
    return size + fitting.size;
}

static size_t append_redacted(struct scrub *self, size_t size, struct redactor found, size_t limit)
{
    size_t copied = 0;
    struct slice text = found.text;
    while (size < limit && redactor_next(&found)) {
        size = append(self, size, slice_of(text.data + copied, found.begin - copied), limit);
        size = append(self, size, found.label, limit);
        copied = found.end;
    }
    return append(self, size, slice_of(text.data + copied, text.size - copied), limit);
}

/* scheme://host:port */
static size_t append_origin(struct scrub *self, struct slice url, struct url_parts parts)
{
    size_t size = append(self, 0, slice_of(url.data, parts.begin), SCRUB_URL_BYTES_MAX);
    return append(self, size, slice_of(url.data + parts.host, parts.authority_end - parts.host), SCRUB_URL_BYTES_MAX);
}

/* First byte from `from` on that is `byte`, or the end. */
static size_t find_byte(struct slice text, size_t from, uint8_t byte)
{
    while (from < text.size && text.data[from] != byte)
        from++;
    return from;
}

static bool keeps_query_key(const struct scrub *self, struct slice key)
{
    struct slice keys = slice_of(self->query_keys, self->query_keys_size);
    for (size_t at = 0, end; at < keys.size && key.size > 0; at = end + 1) {
        end = find_byte(keys, at, ' ');
        if (slice_equal(key, slice_of(keys.data + at, end - at)))
            return true;
    }
    return false;
}

/* Allowed pairs in their order. A pair whose key does not fit whole ends it: half a key would be another one. */
static size_t append_query(struct scrub *self, size_t size, struct slice query)
{
    uint8_t before = '?';
    for (size_t at = 0, end; at < query.size; at = end + 1) {
        end = find_byte(query, at, '&');
        struct slice pair = slice_of(query.data + at, end - at);
        size_t key = find_byte(pair, 0, '=');
        if (!keeps_query_key(self, slice_of(pair.data, key)))
            continue;
        if (SCRUB_URL_BYTES_MAX - size < key + 2)
            break;
        self->text[size] = before;
        before = '&';
        key += key < pair.size; /* with its '=' */
        size = append(self, size + 1, slice_of(pair.data, key), SCRUB_URL_BYTES_MAX);
        struct slice value = slice_of(pair.data + key, pair.size - key);
        size = append_redacted(self, size, redactor_of(value, true), SCRUB_URL_BYTES_MAX);
    }
    return size;
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
    struct slice path = slice_of(url.data + parts.authority_end, parts.path_end - parts.authority_end);
    bool has_query = self->query_keys_size > 0 && parts.path_end < url.size && url.data[parts.path_end] == '?';
    if (parts.host == parts.begin && !has_query && redactor_is_plain(path))
        return utf8_cut(slice_of(url.data, parts.path_end), SCRUB_URL_BYTES_MAX); /* nearly always: nothing is copied */
    size_t size = append_origin(self, url, parts);
    size = append_redacted(self, size, redactor_of(path, true), SCRUB_URL_BYTES_MAX);
    if (has_query) {
        size_t from = parts.path_end + 1, end = find_byte(url, from, '#');
        size = append_query(self, size, slice_of(url.data + from, end - from));
    }
    return slice_of(self->text, size);
}

struct slice scrub_path(struct scrub *self, struct slice path)
{
    return slice_of(self->text, append_redacted(self, 0, redactor_of(path, true), SCRUB_URL_BYTES_MAX));
}

struct slice scrub_origin(struct scrub *self, struct slice url)
{
    size_t scheme = scheme_size(url);
    if (scheme == 0 || !has_authority(url, scheme))
        return slice_of(NULL, 0);
    struct url_parts parts = split(url, scheme);
    if (parts.host == parts.begin)
        return utf8_cut(slice_of(url.data, parts.authority_end), SCRUB_URL_BYTES_MAX);
    return slice_of(self->text, append_origin(self, url, parts));
}

struct slice scrub_name(struct scrub *self, struct slice name)
{
    size_t scheme = scheme_size(name);
    return scheme > 0 && has_authority(name, scheme) ? scrub_url(self, name) : name;
}

/* From the end: a URL that ends in no digit, as nearly all do, costs one look. */
uint32_t scrub_call_tag(struct slice url)
{
    size_t at = url.size;
    uint32_t tag = 0;
    while (at > 0 && url.data[at - 1] >= '0' && url.data[at - 1] <= '9')
        at--;
    if (at < 4 || url.size - at > CALL_TAG_DIGITS_MAX || memcmp(url.data + at - 4, "#vt-", 4) != 0)
        return 0;
    for (; at < url.size; at++)
        tag = tag * 10 + (uint32_t)(url.data[at] - '0');
    return tag;
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

struct slice scrub_text(struct scrub *self, struct slice text)
{
    const size_t limit = sizeof self->text;
    size_t size = 0, copied = 0;
    for (size_t i = 0; i < text.size && size < limit; i++) {
        if (!follows_scheme(text, i))
            continue;
        size_t end = find_delimiter(text, i);
        struct slice url = slice_of(text.data, end);
        size_t authority_end = find_authority_end(url, i);
        size_t path_end = find_path_end(url, authority_end);
        size_t host = host_start(url, i, authority_end);
        size = append_redacted(self, size, redactor_of(slice_of(text.data + copied, i - copied), false), limit);
        size = append(self, size, slice_of(text.data + host, authority_end - host), limit);
        struct slice path = slice_of(text.data + authority_end, path_end - authority_end);
        size = append_redacted(self, size, redactor_of(path, true), limit);
        copied = path_end == end ? end : position_start(text, path_end, end);
        i = end; /* the delimiter itself cannot follow a scheme */
    }
    struct slice rest = slice_of(text.data + copied, text.size - copied);
    return slice_of(self->text, append_redacted(self, size, redactor_of(rest, false), limit));
}

void scrub_set_query_keys(struct scrub *self, struct slice keys)
{
    if (keys.size > sizeof self->query_keys) {
        keys.size = sizeof self->query_keys;
        while (keys.size > 0 && keys.data[keys.size] != ' ')
            keys.size--;
    }
    self->query_keys_size = (uint32_t)keys.size;
    if (keys.size > 0)
        memcpy(self->query_keys, keys.data, keys.size);
}
