#include "collector/ingest/ingest_body.h"

#include <strings.h>

enum coding { CODING_PLAIN, CODING_GZIP, CODING_ZLIB, CODING_ZSTD, CODING_UNKNOWN };

/* Names of RFC 9110: what it calls "deflate" is a zlib stream. */
static const struct {
    const char *name;
    enum coding coding;
} coding_names[] = {
    {"identity", CODING_PLAIN}, {"gzip", CODING_GZIP}, {"x-gzip", CODING_GZIP}, {"deflate", CODING_ZLIB}, {"zstd", CODING_ZSTD}};

static enum coding coding_of_name(struct slice name)
{
    if (name.size == 0)
        return CODING_PLAIN;
    for (size_t i = 0; i < sizeof coding_names / sizeof coding_names[0]; i++)
        if (name.size == strlen(coding_names[i].name) &&
            strncasecmp((const char *)name.data, coding_names[i].name, name.size) == 0)
            return coding_names[i].coding;
    return CODING_UNKNOWN;
}

/* RFC 1950: the first two bytes of zlib are a multiple of 31, the first says deflate with a window of up to 32 KiB. */
static enum coding coding_of_bytes(struct slice body)
{
    static const uint8_t gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (body.size >= sizeof gzip && memcmp(body.data, gzip, sizeof gzip) == 0)
        return CODING_GZIP;
    if (body.size >= sizeof zstd && memcmp(body.data, zstd, sizeof zstd) == 0)
        return CODING_ZSTD;
    if (body.size >= 2 && body.data[0] == 0x78 && (body.data[0] * 256u + body.data[1]) % 31 == 0)
        return CODING_ZLIB;
    return CODING_PLAIN;
}

static enum inflate_status body_inflate(struct inflate_budget *budget, enum coding coding, struct slice body,
                                        struct inflate_body *out)
{
    static const struct inflate_limits limits = {INGEST_BODY_INFLATED_BYTES_MAX, INGEST_BODY_RATIO_MAX};
    switch (coding) {
    case CODING_GZIP:
        return inflate_gzip(budget, limits, body, out);
    case CODING_ZLIB:
        return inflate_zlib(budget, limits, body, out);
    default:
        return inflate_zstd(budget, limits, body, out);
    }
}

enum ingest_body_status ingest_body_open(struct inflate_budget *budget, struct slice encoding, struct slice body,
                                         struct inflate_body *inflated, struct slice *plain)
{
    enum coding said = coding_of_name(encoding), found = coding_of_bytes(body);
    if (said == CODING_UNKNOWN)
        return INGEST_BODY_ENCODING;
    if (said != CODING_PLAIN && said != found)
        return INGEST_BODY_MISMATCH;
    *plain = body;
    if (found == CODING_PLAIN)
        return INGEST_BODY_OK;
    switch (body_inflate(budget, found, body, inflated)) {
    case INFLATE_OK:
        *plain = slice_of(inflated->data, inflated->size);
        return INGEST_BODY_OK;
    case INFLATE_MALFORMED:
        return INGEST_BODY_COMPRESSED;
    case INFLATE_TOO_LARGE:
        return INGEST_BODY_TOO_LARGE;
    case INFLATE_BUSY:
        break;
    }
    return INGEST_BODY_BUSY;
}
