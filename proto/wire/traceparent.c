/*
 *   0  2 3                                  35 36               52 53
 *   vv - tttttttttttttttttttttttttttttttt    - ssssssssssssssss  - ff
 *
 * A later version may go on after that with '-' and anything; its first four fields still mean the same.
 */
#include "proto/wire/traceparent.h"

#define TRACEPARENT_TRACE_AT        3u
#define TRACEPARENT_SPAN_AT         36u
#define TRACEPARENT_FLAGS_AT        53u
#define TRACEPARENT_VERSION_INVALID 0xffu

static bool traceparent_is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct slice traceparent_trim(struct slice text)
{
    while (text.size > 0 && traceparent_is_space(text.data[0]))
        text = slice_of(text.data + 1, text.size - 1);
    while (text.size > 0 && traceparent_is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

static bool traceparent_hex(struct slice text, size_t at, uint8_t *out, size_t size)
{
    return ids_parse_hex(slice_of(text.data + at, 2 * size), false, out, size);
}

static bool traceparent_read(struct slice text, struct traceparent *out)
{
    const uint8_t *c = text.data;
    return c[TRACEPARENT_TRACE_AT - 1] == '-' && c[TRACEPARENT_SPAN_AT - 1] == '-' &&
           c[TRACEPARENT_FLAGS_AT - 1] == '-' && traceparent_hex(text, 0, &out->version, 1) &&
           traceparent_hex(text, TRACEPARENT_TRACE_AT, out->trace_id, TRACE_ID_BYTES) &&
           traceparent_hex(text, TRACEPARENT_SPAN_AT, out->span_id, SPAN_ID_BYTES) &&
           traceparent_hex(text, TRACEPARENT_FLAGS_AT, &out->flags, 1);
}

static bool traceparent_ends_well(struct slice text, uint8_t version)
{
    return text.size == TRACEPARENT_BYTES || (version > 0 && text.data[TRACEPARENT_BYTES] == '-');
}

enum traceparent_status traceparent_parse(struct slice text, struct traceparent *out)
{
    struct traceparent read;
    text = traceparent_trim(text);
    if (text.size < TRACEPARENT_BYTES)
        return TRACEPARENT_TOO_SHORT;
    if (!traceparent_read(text, &read))
        return TRACEPARENT_BAD_CHARACTER;
    if (read.version == TRACEPARENT_VERSION_INVALID)
        return TRACEPARENT_BAD_VERSION;
    if (!traceparent_ends_well(text, read.version))
        return TRACEPARENT_TRAILING;
    if (ids_is_zero(read.trace_id, TRACE_ID_BYTES))
        return TRACEPARENT_ZERO_TRACE_ID;
    if (ids_is_zero(read.span_id, SPAN_ID_BYTES))
        return TRACEPARENT_ZERO_SPAN_ID;
    read.flags &= TRACEPARENT_SAMPLED | TRACEPARENT_RANDOM;
    *out = read;
    return TRACEPARENT_OK;
}

const char *traceparent_status_text(enum traceparent_status status)
{
    switch (status) {
    case TRACEPARENT_OK:
        return "ok";
    case TRACEPARENT_TOO_SHORT:
        return "shorter than 55 characters";
    case TRACEPARENT_TRAILING:
        return "text after the flags";
    case TRACEPARENT_BAD_CHARACTER:
        return "not lowercase hex joined by '-'";
    case TRACEPARENT_BAD_VERSION:
        return "version ff";
    case TRACEPARENT_ZERO_TRACE_ID:
        return "trace id is all zero";
    case TRACEPARENT_ZERO_SPAN_ID:
        return "span id is all zero";
    }
    return "unknown";
}

void traceparent_format(const struct traceparent *self, char *out)
{
    uint8_t flags = self->flags & (TRACEPARENT_SAMPLED | TRACEPARENT_RANDOM);
    memset(out, '-', TRACEPARENT_BYTES);
    memset(out, '0', 2);
    ids_format_hex(slice_of(self->trace_id, TRACE_ID_BYTES), out + TRACEPARENT_TRACE_AT);
    ids_format_hex(slice_of(self->span_id, SPAN_ID_BYTES), out + TRACEPARENT_SPAN_AT);
    ids_format_hex(slice_of(&flags, 1), out + TRACEPARENT_FLAGS_AT);
}
