/*
 * Arbitrary texts through the scrubber: byte 0 says as what, the rest is the text. Whatever comes in, what goes out is
 * valid UTF-8 within its bound, without an address, a card number or a query key that is not allowed.
 */
#include "wasm/core/redactor.h"
#include "wasm/core/scrub.h"
#include "wasm/core/utf8.h"

#include <assert.h>
#include <stdlib.h>

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(uint8_t c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* name@label.letter in plain ASCII, looked for in the simplest way; two at-signs in a row (%40@) are none. */
static bool has_address(struct slice text)
{
    for (size_t at = 1; at + 3 < text.size; at++) {
        if (text.data[at] != '@' || !is_alnum(text.data[at - 1]) || !is_alnum(text.data[at + 1]) ||
            (at >= 3 && memcmp(text.data + at - 3, "%40", 3) == 0))
            continue;
        size_t dot = at + 1;
        while (dot < text.size && is_alnum(text.data[dot]))
            dot++;
        if (dot + 1 < text.size && text.data[dot] == '.' && is_letter(text.data[dot + 1]))
            return true;
    }
    return false;
}

static size_t longest_row_of_digits(struct slice text)
{
    size_t longest = 0, row = 0;
    for (size_t i = 0; i < text.size; i++) {
        row = text.data[i] >= '0' && text.data[i] <= '9' ? row + 1 : 0;
        longest = row > longest ? row : longest;
    }
    return longest;
}

/* Of a URL without its authority: every key is one of ours. */
static void check_query(struct slice url)
{
    const uint8_t *mark = url.size > 0 ? memchr(url.data, '?', url.size) : NULL;
    size_t at = mark != NULL ? (size_t)(mark - url.data) : url.size;
    assert(url.size == 0 || memchr(url.data, '#', url.size) == NULL);
    while (at < url.size) {
        struct slice rest = slice_of(url.data + at + 1, url.size - at - 1);
        assert(rest.size >= 1 && (rest.data[0] == 'q' || rest.data[0] == 'k'));
        assert(rest.size < 2 || rest.data[1] == '=' || rest.data[1] == '&');
        for (at++; at < url.size && url.data[at] != '&'; at++) {
        }
    }
}

static void check(struct slice in, uint8_t as)
{
    struct redactor found = redactor_of(in, true);
    assert(!redactor_is_plain(in) || !redactor_next(&found));
    struct scrub scrub = {0};
    if ((as & 4) != 0)
        scrub_set_query_keys(&scrub, slice_text("q k"));
    struct slice out = (as & 3) == 0   ? scrub_url(&scrub, in)
                       : (as & 3) == 1 ? scrub_path(&scrub, in)
                       : (as & 3) == 2 ? scrub_text(&scrub, in)
                                       : scrub_name(&scrub, in);
    assert(utf8_is_valid(out));
    if ((as & 3) == 3)
        return; /* what is no URL is a name of the browser's own */
    assert(out.size <= ((as & 3) == 2 ? BEACON_STRING_BYTES_MAX : SCRUB_URL_BYTES_MAX));
    if ((as & 3) == 0 && out.size > 0 && memchr(out.data, ':', out.size) == NULL)
        check_query(out);
    bool is_quoting = (as & 3) == 2 && in.size >= 3 && memmem(in.data, in.size, "://", 3) != NULL;
    if (is_quoting || (as & 3) == 0)
        return; /* a host is not redacted, so that what is next to it may look like anything */
    assert(!has_address(out));
    bool has_name = memchr(in.size > 0 ? in.data : (const uint8_t *)"", '=', in.size) != NULL || memchr(in.size > 0 ? in.data : (const uint8_t *)"", ':', in.size) != NULL;
    assert((as & 3) != 2 || has_name || longest_row_of_digits(out) < 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || !utf8_is_valid(slice_of(data + 1, size - 1)))
        return 0;
    uint8_t *exact = malloc(size); /* a step outside is seen */
    assert(exact != NULL);
    memcpy(exact, data + 1, size - 1);
    check(slice_of(exact, size - 1), data[0]);
    free(exact);
    return 0;
}
