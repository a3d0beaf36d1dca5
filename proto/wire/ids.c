#include "proto/wire/ids.h"

void ids_format_hex(struct slice id, char *out)
{
    static const char digits[16] = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    for (size_t i = 0; i < id.size; i++) {
        out[2 * i] = digits[id.data[i] >> 4];
        out[2 * i + 1] = digits[id.data[i] & 15];
    }
}

static int ids_digit(uint8_t c, bool any_case)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (any_case && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool ids_parse_hex(struct slice hex, bool any_case, uint8_t *out, size_t size)
{
    if (hex.size != 2 * size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = ids_digit(hex.data[2 * i], any_case);
        int low = ids_digit(hex.data[2 * i + 1], any_case);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool ids_is_zero(const uint8_t *id, size_t size)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++)
        any |= id[i];
    return any == 0;
}
