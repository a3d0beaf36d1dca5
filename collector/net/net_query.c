/* One parameter of an application/x-www-form-urlencoded query (WHATWG URL, section 5.1), decoded without allocation. */
#include "collector/net/net.h"

static int net_query_digit(uint8_t character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* Decodes into out, NUL-terminated. -1 = bad escape, or no room. */
static int net_query_decode(struct slice text, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t character = text.data[i];
        if (character == '+') {
            character = ' ';
        } else if (character == '%') {
            int high = i + 2 < text.size ? net_query_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.size ? net_query_digit(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -1;
            character = (uint8_t)(high << 4 | low);
            i += 2;
        }
        if (at + 1 >= size)
            return -1;
        out[at++] = (char)character;
    }
    if (at >= size)
        return -1;
    out[at] = '\0';
    return (int)at;
}

int net_query_find(struct slice query, const char *name, char *out, size_t size)
{
    size_t name_size = strlen(name);
    const uint8_t *at = query.data, *end = query.data + query.size;
    while (query.size > 0 && at <= end) {
        const uint8_t *and = at < end ? memchr(at, '&', (size_t)(end - at)) : NULL;
        const uint8_t *stop = and == NULL ? end : and;
        const uint8_t *equals = at < stop ? memchr(at, '=', (size_t)(stop - at)) : NULL;
        const uint8_t *name_end = equals == NULL ? stop : equals;
        if ((size_t)(name_end - at) == name_size && memcmp(at, name, name_size) == 0) {
            const uint8_t *value = equals == NULL ? stop : equals + 1;
            return net_query_decode(slice_of(value, (size_t)(stop - value)), out, size);
        }
        at = stop + 1;
    }
    return -1;
}
