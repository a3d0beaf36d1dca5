/*
 * The SDK files that pages load, read into memory once at start: a request never names a file of the disk.
 * One net_route per file; its context is the asset.
 */
#ifndef VITRACE_ASSETS_H
#define VITRACE_ASSETS_H

#include "collector/base/buf.h"
#include "collector/net/net.h"

#define ASSETS_COUNT          10u
#define ASSETS_FILE_BYTES_MAX (4u << 20)

struct asset {
    const char *path; /* of the URL */
    const char *content_type;
    bool is_worker;
    bool found;
    struct buf data;
    char etag[20];
};

struct assets {
    struct asset asset[ASSETS_COUNT];
    unsigned found;
};

/* Files that are missing are answered 404 with a message. false = one exists but cannot be read; `error` says which. */
bool assets_load(struct assets *self, const char *folder, char *error, size_t error_size);
void assets_release(struct assets *self);

/* net_handler; GET and HEAD; context is a struct asset. */
void assets_handle(void *asset, struct net_exchange *exchange);

#endif
