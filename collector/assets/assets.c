#include "collector/assets/assets.h"

#include "collector/base/siphash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct assets_row {
    const char *path, *name, *content_type;
    bool is_worker;
};

static const struct assets_row assets_rows[ASSETS_COUNT] = {
    {"/v1/vitrace.js", "vitrace.js", "text/javascript; charset=utf-8", false},
    {"/v1/vitrace.mjs", "vitrace.mjs", "text/javascript; charset=utf-8", false},
    {"/v1/vitrace-bridge.js", "vitrace-bridge.js", "text/javascript; charset=utf-8", true},
    {"/v1/vitrace-trace.js", "vitrace-trace.js", "text/javascript; charset=utf-8", false},
    {"/v1/vitrace-debug.js", "vitrace-debug.js", "text/javascript; charset=utf-8", false},
    {"/v1/vitrace-raw.js", "vitrace-raw.js", "text/javascript; charset=utf-8", false},
    {"/v1/vitrace-offline.js", "vitrace-offline.js", "text/javascript; charset=utf-8", false},
    {"/v1/vitrace-extra.js", "vitrace-extra.js", "text/javascript; charset=utf-8", false},
    {"/v1/vitrace-worker.js", "vitrace-worker.js", "text/javascript; charset=utf-8", true},
    {"/v1/vitrace.wasm", "vitrace.wasm", "application/wasm", false},
};

/* The tag only has to change with the content; the key is fixed so that every collector of a fleet gives the same. */
static void assets_set_etag(struct asset *asset)
{
    uint64_t hash = siphash((struct siphash_key){0x7669747261636531u, 0x73646b2d66696c65u}, buf_slice(&asset->data));
    snprintf(asset->etag, sizeof asset->etag, "\"%016" PRIx64 "\"", hash);
}

static bool assets_read(struct asset *asset, FILE *file)
{
    uint8_t *room;
    size_t got = 1;
    while (got > 0 && (room = buf_reserve(&asset->data, 64u << 10)) != NULL) {
        got = fread(room, 1, 64u << 10, file);
        asset->data.size += got;
    }
    return !ferror(file) && !asset->data.failed;
}

static bool assets_load_one(struct asset *asset, const struct assets_row *row, const char *folder, char *error,
                            size_t error_size)
{
    char name[1024 + 64];
    *asset = (struct asset){.path = row->path, .content_type = row->content_type, .is_worker = row->is_worker};
    buf_init(&asset->data, ASSETS_FILE_BYTES_MAX);
    snprintf(name, sizeof name, "%s/%s", folder, row->name);
    FILE *file = fopen(name, "rb");
    if (file == NULL && (errno == ENOENT || errno == ENOTDIR))
        return true;
    asset->found = file != NULL && assets_read(asset, file);
    if (!asset->found)
        snprintf(error, error_size, "%s: cannot be read, or is over %u bytes, or there is no memory for it", name,
                 ASSETS_FILE_BYTES_MAX);
    if (file != NULL)
        fclose(file);
    assets_set_etag(asset);
    return asset->found;
}

bool assets_load(struct assets *self, const char *folder, char *error, size_t error_size)
{
    bool good = true;
    *self = (struct assets){0};
    for (unsigned i = 0; i < ASSETS_COUNT; i++) {
        good = assets_load_one(&self->asset[i], &assets_rows[i], folder, error, error_size) && good;
        self->found += self->asset[i].found;
    }
    if (!good)
        assets_release(self);
    return good;
}

void assets_release(struct assets *self)
{
    for (unsigned i = 0; i < ASSETS_COUNT; i++) {
        buf_release(&self->asset[i].data);
        self->asset[i].found = false;
    }
}

/* "a", W/"b", * against ours: a weak comparison (RFC 9110, 13.1.2), so a substring of a quoted tag is exact enough. */
static bool assets_is_fresh(const struct asset *asset, struct slice if_none_match)
{
    return if_none_match.size > 0 &&
           (slice_equal(if_none_match, slice_text("*")) ||
            memmem(if_none_match.data, if_none_match.size, asset->etag, strlen(asset->etag)) != NULL);
}

void assets_handle(void *context, struct net_exchange *exchange)
{
    const struct asset *asset = context;
    /* A page that is cross-origin isolated loads these only with both policies; any page may, so the origin is "*". */
    const struct net_header headers[] = {
        {"Access-Control-Allow-Origin", "*"},
        {"Cross-Origin-Resource-Policy", "cross-origin"},
        {"Timing-Allow-Origin", "*"},
        {"X-Content-Type-Options", "nosniff"},
        {"Cache-Control", "public, max-age=300, stale-while-revalidate=86400"},
        {"ETag", asset->etag},
        {"Cross-Origin-Embedder-Policy", "require-corp"}, /* the worker's own: last, so that others leave it out */
    };
    size_t count = sizeof headers / sizeof headers[0] - (asset->is_worker ? 0 : 1);
    if (!asset->found) {
        net_reply_error(exchange, 404, "sdk_missing",
                        "The collector has no SDK files: build js-glue, or start it with --sdk FOLDER.");
        return;
    }
    struct net_answer answer = {.status = 200,
                                .content_type = asset->content_type,
                                .body = buf_slice(&asset->data),
                                .headers = headers,
                                .header_count = count};
    if (assets_is_fresh(asset, net_exchange_header(exchange, "if-none-match")))
        answer = (struct net_answer){.status = 304, .headers = headers, .header_count = count};
    net_reply(exchange, &answer);
}
