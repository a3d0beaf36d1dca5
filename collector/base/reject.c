#include "collector/base/reject.h"

#define REJECT_REDACTED "(redacted)"

static const char *const reject_body_names[REJECT_BODY_COUNT] = {
    [REJECT_BODY_NONE] = "none", [REJECT_BODY_PROTOBUF] = "protobuf", [REJECT_BODY_RAW_INBOX] = "raw_inbox",
    [REJECT_BODY_GZIP] = "gzip", [REJECT_BODY_ZLIB] = "zlib",         [REJECT_BODY_ZSTD] = "zstd",
    [REJECT_BODY_JSON] = "json", [REJECT_BODY_MARKUP] = "markup",     [REJECT_BODY_TEXT] = "text",
    [REJECT_BODY_BINARY] = "binary"};

static const char *const reject_via_names[REJECT_VIA_COUNT] = {
    [REJECT_HTTP] = "http", [REJECT_GRPC] = "grpc", [REJECT_TLS] = "tls"};

const char *reject_via_name(enum reject_via via)
{
    return reject_via_names[via];
}

const char *reject_body_name(enum reject_body body)
{
    return reject_body_names[body];
}

void reject_set_peer(struct reject *self, const uint8_t peer[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memset(self->peer, 0, sizeof self->peer);
    memcpy(self->peer, peer, memcmp(peer, mapped, sizeof mapped) == 0 ? 15 : 6);
}

static bool reject_is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool reject_is_plain(uint8_t byte)
{
    return reject_is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '-' ||
           byte == '_' || byte == '.';
}

static void reject_copy(char *out, size_t room, struct slice text)
{
    size_t size = text.size < room ? text.size : room - 1;
    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

static struct slice reject_behind_scheme(struct slice origin)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (unsigned i = 0; i < 2; i++) {
        size_t size = strlen(schemes[i]);
        if (origin.size >= size && memcmp(origin.data, schemes[i], size) == 0)
            return slice_of(origin.data + size, origin.size - size);
    }
    return slice_of(NULL, 0);
}

/* "https://shop.example:8443" -> "shop.example". Scheme and port are left out; userinfo, paths and other schemes, which no
 * page has in its origin, are not shown at all. */
void reject_set_origin(struct reject *self, struct slice origin)
{
    struct slice rest = reject_behind_scheme(origin), host = rest;
    for (host.size = 0; host.size < rest.size && reject_is_plain(rest.data[host.size]);)
        host.size++;
    size_t port = host.size < rest.size && rest.data[host.size] == ':' ? host.size + 1 : host.size;
    while (port > host.size && port < rest.size && reject_is_digit(rest.data[port]))
        port++;
    bool good = host.size > 0 && port == rest.size && host.size < sizeof self->origin;
    if (!good)
        host = origin.size == 0 || slice_equal(origin, slice_text("null")) ? origin : slice_text("(invalid)");
    reject_copy(self->origin, sizeof self->origin, host);
}

void reject_set_app(struct reject *self, struct slice app)
{
    size_t size = 0;
    while (size < app.size && reject_is_plain(app.data[size]))
        size++;
    reject_copy(self->app, sizeof self->app, size == app.size ? app : slice_text("(invalid)"));
}

/* Words of a path tell what somebody looked for; ids, addresses and tokens tell who. */
static bool reject_segment_is_safe(struct slice segment)
{
    unsigned digits = 0;
    for (size_t i = 0; i < segment.size; i++) {
        if (!reject_is_plain(segment.data[i]))
            return false;
        digits += reject_is_digit(segment.data[i]);
    }
    return segment.size <= REJECT_SEGMENT_BYTES_MAX && digits <= REJECT_SEGMENT_DIGITS_MAX;
}

/* Whole segments only: half of one might look harmless. */
static bool reject_add_segment(struct reject *self, size_t *at, struct slice segment)
{
    struct slice shown = reject_segment_is_safe(segment) ? segment : slice_text(REJECT_REDACTED);
    if (*at + 1 + shown.size + 4 >= sizeof self->path) { /* room for "/..." and the NUL stays */
        memcpy(self->path + *at, "/...", 5);
        return false;
    }
    self->path[(*at)++] = '/';
    if (shown.size > 0)
        memcpy(self->path + *at, shown.data, shown.size);
    *at += shown.size;
    self->path[*at] = '\0';
    return true;
}

void reject_set_path(struct reject *self, struct slice path, bool known)
{
    self->path[0] = '\0';
    if (known) {
        reject_copy(self->path, sizeof self->path, path);
        return;
    }
    size_t at = 0;
    bool fits = path.size > 0 && path.data[0] == '/';
    while (fits && path.size > 0) {
        const uint8_t *slash = path.size > 1 ? memchr(path.data + 1, '/', path.size - 1) : NULL;
        size_t size = slash == NULL ? path.size : (size_t)(slash - path.data);
        fits = reject_add_segment(self, &at, slice_of(path.data + 1, size - 1));
        path = slice_of(path.data + size, path.size - size);
    }
}

static bool reject_body_begins(struct slice body, const char *bytes, size_t size)
{
    return body.size >= size && memcmp(body.data, bytes, size) == 0;
}

static enum reject_body reject_guess_text(struct slice body)
{
    size_t look = body.size < 16 ? body.size : 16;
    for (size_t i = 0; i < look; i++)
        if (body.data[i] == 0x7f || (body.data[i] < ' ' && body.data[i] != '\n' && body.data[i] != '\r' && body.data[i] != '\t'))
            return REJECT_BODY_BINARY;
    switch (body.data[0]) {
    case '{':
    case '[':
        return REJECT_BODY_JSON;
    case '<':
        return REJECT_BODY_MARKUP;
    default:
        return body.data[0] < 0x80 ? REJECT_BODY_TEXT : REJECT_BODY_BINARY;
    }
}

void reject_set_body(struct reject *self, struct slice body, uint64_t announced)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum reject_body body;
    } beginnings[] = {{"VTRI", 4, REJECT_BODY_RAW_INBOX}, {"\x28\xb5\x2f\xfd", 4, REJECT_BODY_ZSTD},
                      {"\x1f\x8b", 2, REJECT_BODY_GZIP},  {"\x78\x01", 2, REJECT_BODY_ZLIB},
                      {"\x78\x5e", 2, REJECT_BODY_ZLIB},  {"\x78\x9c", 2, REJECT_BODY_ZLIB},
                      {"\x78\xda", 2, REJECT_BODY_ZLIB},  {"\x0a", 1, REJECT_BODY_PROTOBUF}};
    self->body_bytes = body.size > announced ? body.size : announced;
    self->body = REJECT_BODY_NONE;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0] && self->body == REJECT_BODY_NONE; i++)
        if (reject_body_begins(body, beginnings[i].bytes, beginnings[i].size))
            self->body = beginnings[i].body;
    if (self->body == REJECT_BODY_NONE && body.size > 0)
        self->body = reject_guess_text(body);
}
