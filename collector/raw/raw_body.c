/*
 * The bytes of a body, as WIRE.md has them:
 *
 *    0 "VTRI" | 4 version | 5 flags | 6 zero u16 | 8 seq u32 | 12 mono f64 | 20 wall f64 | 28 view id, 16 bytes
 *   44 batch, batch, ...       batch: words u32 | string bytes u32 | words x f64 | strings | zeros up to 8
 *
 * Little-endian, and nothing is aligned: every number is copied out.
 */
#include "collector/raw/raw_internal.h"

#include <math.h>

#define HEAD_BYTES       44u
#define BATCH_HEAD_BYTES 8u
#define FLAG_FINAL       1u

static const char magic[4] = {'V', 'T', 'R', 'I'};

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static double read_f64(const uint8_t *at)
{
    uint64_t bits = (uint64_t)read_u32(at + 4) << 32 | read_u32(at);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

bool raw_is_body(struct slice bytes)
{
    return bytes.size >= sizeof magic && memcmp(bytes.data, magic, sizeof magic) == 0;
}

double raw_batch_word(const struct raw_batch *self, uint32_t index)
{
    return read_f64(self->words + (size_t)index * sizeof(double));
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= bytes[i];
    return any == 0;
}

enum raw_status raw_batch_next(struct slice *rest, struct raw_batch *batch)
{
    if (rest->size < BATCH_HEAD_BYTES)
        return RAW_TRUNCATED;
    size_t word_count = read_u32(rest->data), string_bytes = read_u32(rest->data + 4);
    if (word_count == 0 || word_count > INBOX_WORDS || string_bytes > INBOX_STRING_BYTES)
        return RAW_MALFORMED;
    size_t word_bytes = word_count * sizeof(double), padding = (8 - string_bytes % 8) % 8;
    if (rest->size < BATCH_HEAD_BYTES + word_bytes + string_bytes + padding)
        return RAW_TRUNCATED;
    batch->word_count = (uint32_t)word_count;
    batch->words = rest->data + BATCH_HEAD_BYTES;
    batch->strings = slice_of(batch->words + word_bytes, string_bytes);
    const uint8_t *end = batch->strings.data + string_bytes;
    if (!is_zero(end, padding))
        return RAW_MALFORMED;
    *rest = slice_of(end + padding, rest->size - (size_t)(end + padding - rest->data));
    return RAW_OK;
}

static enum raw_status open_head(struct raw_body *self, struct slice bytes)
{
    if (bytes.size > RAW_BODY_BYTES_MAX)
        return RAW_TOO_LARGE;
    if (bytes.size > sizeof magic && bytes.data[4] != INBOX_ABI_VERSION)
        return RAW_BAD_VERSION;
    if (bytes.size < HEAD_BYTES)
        return RAW_TRUNCATED;
    *self = (struct raw_body){.seq = read_u32(bytes.data + 8),
                              .mono_ms = read_f64(bytes.data + 12),
                              .wall_ms = read_f64(bytes.data + 20),
                              .is_final = (bytes.data[5] & FLAG_FINAL) != 0,
                              .batches = slice_of(bytes.data + HEAD_BYTES, bytes.size - HEAD_BYTES)};
    memcpy(self->view_id, bytes.data + 28, sizeof self->view_id);
    bool good = (bytes.data[5] & ~FLAG_FINAL) == 0 && is_zero(bytes.data + 6, 2) && isfinite(self->mono_ms) &&
                isfinite(self->wall_ms) && !is_zero(self->view_id, sizeof self->view_id) && self->seq < UINT32_MAX;
    return good ? RAW_OK : RAW_MALFORMED;
}

/* The string of a 1-based index in the batch; empty when there is none. */
static struct slice find_string(const struct raw_batch *batch, double index)
{
    struct slice rest = batch->strings;
    if (!(index >= 1 && index <= INBOX_STRINGS_MAX))
        return slice_of(NULL, 0);
    for (uint32_t left = (uint32_t)index - 1; left > 0 && rest.size > 0; left--) {
        const uint8_t *end = memchr(rest.data, '\0', rest.size);
        rest = end == NULL ? slice_of(NULL, 0) : slice_of(end + 1, rest.size - (size_t)(end + 1 - rest.data));
    }
    const uint8_t *end = rest.size > 0 ? memchr(rest.data, '\0', rest.size) : NULL;
    return end == NULL ? rest : slice_of(rest.data, (size_t)(end - rest.data));
}

/* The core judges the rest of START; here, whose document it is and which app's. */
static enum raw_status open_start(struct raw_body *self, const struct raw_batch *batch)
{
    if (batch->word_count < INBOX_START_WORDS || raw_batch_word(batch, 0) != INBOX_START)
        return RAW_NOT_STARTED;
    for (uint32_t i = 0; i < 4; i++) {
        const uint8_t *id = self->view_id + 4 * (size_t)i;
        double word = (double)((uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3]);
        if (raw_batch_word(batch, INBOX_START_VIEW_ID_0 + i) != word)
            return RAW_NOT_STARTED;
    }
    self->app = find_string(batch, raw_batch_word(batch, INBOX_START_APP));
    return self->app.size > 0 && self->app.size <= RAW_APP_BYTES_MAX ? RAW_OK : RAW_NOT_STARTED;
}

enum raw_status raw_body_open(struct raw_body *self, struct slice bytes)
{
    enum raw_status status = open_head(self, bytes);
    struct slice rest = status == RAW_OK ? self->batches : slice_of(NULL, 0);
    bool is_first = true;
    while (status == RAW_OK && (is_first || rest.size > 0)) {
        struct raw_batch batch;
        status = raw_batch_next(&rest, &batch);
        if (status == RAW_OK && is_first && self->seq == 0)
            status = open_start(self, &batch);
        is_first = false;
    }
    return status;
}

static const struct {
    const char *name, *text;
} statuses[RAW_STATUS_COUNT] = {
    [RAW_OK] = {"ok", "ok"},
    [RAW_TRUNCATED] = {"truncated", "The raw inbox ends inside its head or one of its batches."},
    [RAW_MALFORMED] = {"malformed", "These are not the bytes of a raw inbox as WIRE.md describes them."},
    [RAW_TOO_LARGE] = {"too_large", "A raw inbox has at most 60,000 bytes and becomes at most 128 KiB of beacons."},
    [RAW_BAD_VERSION] = {"bad_version", "This collector reads raw inboxes of another version: update the older one."},
    [RAW_NOT_STARTED] = {"not_started", "Body 0 must begin with the START record of the document that it names."},
    [RAW_UNKNOWN_DOCUMENT] = {"unknown_document", "The document is not known here (any more): begin a new one."},
    [RAW_OUT_OF_ORDER] = {"out_of_order", "Later bodies were taken without this one, or too many before it are missing."},
    [RAW_DUPLICATE] = {"duplicate", "The body was taken before."},
    [RAW_BUSY] = {"memory", "Too many documents at once."},
};

const char *raw_status_name(enum raw_status status)
{
    return statuses[status].name;
}

const char *raw_status_text(enum raw_status status)
{
    return statuses[status].text;
}
