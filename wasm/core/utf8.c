#include "wasm/core/utf8.h"

#define HIGH_BITS 0x8080808080808080u

/* URLs and selectors are nearly always ASCII: eight bytes a step until something else turns up. */
static size_t ascii_run(struct slice text, size_t from)
{
    size_t i = from;
    for (; text.size - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, sizeof word);
        if ((word & HIGH_BITS) != 0)
            break;
    }
    while (i < text.size && text.data[i] < 0x80)
        i++;
    return i;
}

/* Bytes after the lead byte, or -1. The bounds of the second byte rule out overlong forms and surrogates. */
static int lead_byte(uint8_t lead, uint8_t *second_min, uint8_t *second_max)
{
    *second_min = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    *second_max = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 1;
    if (lead >= 0xe0 && lead <= 0xef)
        return 2;
    return lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
}

bool utf8_is_valid(struct slice text)
{
    for (size_t i = ascii_run(text, 0); i < text.size; i = ascii_run(text, i)) {
        uint8_t min, max;
        int more = lead_byte(text.data[i], &min, &max);
        if (more < 0 || text.size - i <= (size_t)more)
            return false;
        if (text.data[i + 1] < min || text.data[i + 1] > max)
            return false;
        for (int k = 2; k <= more; k++)
            if ((text.data[i + (size_t)k] & 0xc0) != 0x80)
                return false;
        i += (size_t)more + 1;
    }
    return true;
}

struct slice utf8_cut(struct slice text, size_t bytes_max)
{
    if (text.size <= bytes_max)
        return text;
    while (bytes_max > 0 && (text.data[bytes_max] & 0xc0) == 0x80)
        bytes_max--;
    return slice_of(text.data, bytes_max);
}
