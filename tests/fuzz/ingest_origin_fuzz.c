/* The first line of the input is a configured rule, the rest an Origin header. */
#include "collector/ingest/ingest_origin.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A byte that is echoed into a response header must not be able to end it. */
static void assert_echo_is_safe(struct slice origin)
{
    assert(origin.size <= INGEST_ORIGIN_BYTES_MAX);
    for (size_t i = 0; i < origin.size; i++)
        assert((origin.data[i] >= 'a' && origin.data[i] <= 'z') || (origin.data[i] >= '0' && origin.data[i] <= '9') ||
               (origin.data[i] != 0 && strchr(":/.-_+[]", origin.data[i]) != NULL));
}

/* The end of a wildcard rule, from the dot behind its star, must be the end of what it lets in, and begin at a label. */
static void assert_ends_alike(struct slice rule, struct slice origin)
{
    const uint8_t *star = memchr(rule.data, '*', rule.size);
    if (star == NULL) {
        assert(slice_equal(rule, origin));
        return;
    }
    size_t tail = rule.size - (size_t)(star + 1 - rule.data), front = (size_t)(star - rule.data);
    assert(origin.size > tail + front);
    assert(memcmp(origin.data + origin.size - tail, star + 1, tail) == 0);
    assert(memcmp(origin.data, rule.data, front) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    if (line == NULL)
        return 0;
    struct slice rule = slice_of(data, (size_t)(line - data));
    size_t origin_size = size - rule.size - 1;
    uint8_t *copy = malloc(origin_size + 1);
    assert(copy != NULL);
    memcpy(copy, line + 1, origin_size);
    struct slice origin = slice_of(copy, origin_size);
    bool valid = ingest_origin_is_valid(origin);
    if (valid) {
        assert_echo_is_safe(origin);
        assert(ingest_origin_rule_is_valid(origin) && ingest_origin_matches(origin, origin));
    }
    if (ingest_origin_rule_is_valid(rule) && ingest_origin_matches(rule, origin)) {
        assert(valid);
        assert_ends_alike(rule, origin);
    }
    free(copy);
    return 0;
}
