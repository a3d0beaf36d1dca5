/* A borrowed view of bytes: never NUL-terminated, never owned. Passed by value. */
#ifndef VITRACE_WIRE_SLICE_H
#define VITRACE_WIRE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data; /* may be NULL when size is 0 */
    size_t size;
};

static inline struct slice slice_of(const void *data, size_t size)
{
    return (struct slice){(const uint8_t *)data, size};
}

static inline struct slice slice_text(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* In steps of eight, of which the last may overlap the one before it. Texts here are URLs and tokens: nearly all of them are. */
static inline bool slice_is_ascii(struct slice text)
{
    uint64_t all = 0, word;
    size_t at = 0;
    for (; text.size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        all |= word;
    }
    if (at > 0) {
        memcpy(&word, text.data + text.size - sizeof word, sizeof word);
        all |= word;
        at = text.size;
    }
    for (; at < text.size; at++)
        all |= text.data[at];
    return (all & UINT64_C(0x8080808080808080)) == 0;
}

#endif
